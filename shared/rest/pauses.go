package rest

import (
	"net/http"

	"nepenthes/shared/api"
	"nepenthes/shared/fault"
	"nepenthes/shared/rest/mergepatch"
)

// addPauses adds the routes that pause and resume webhooks.
func (h *Handler) addPauses(o *api.Webhooks) {
	addRoute(h, o.Pause, spec{
		method: http.MethodPost, path: pathWebhook + "/pause", id: "pauseWebhook", tag: tagWebhooks,
		summary: "Pause a webhook", answers: "The webhook.",
		about: "Until the webhook is resumed, its deliveries are held instead of sent. An attempt that is under way ends as usual. Retries on request and test events are sent as before. Pausing a webhook that is paused changes nothing.",
	}, (*webhookID).input, showWebhook)
	addRoute(h, o.Resume, spec{
		method: http.MethodPost, path: pathWebhook + "/resume", id: "resumeWebhook", tag: tagWebhooks,
		faults: []fault.Kind{fault.InvalidState}, summary: "Resume a webhook", answers: "The webhook.",
		about: "Ends the pause, and decides what happens to the deliveries that are held. They are released oldest first, at most ratePerSecond of them in a second, while new deliveries are sent at once; or they are dropped and end as dead. To stop a release, pause the webhook again. A webhook that is not paused is 409 InvalidState.",
	}, (*resumeWebhook).input, showWebhook)
}

// resumeWebhook is the request to resume a webhook.
type resumeWebhook struct {
	webhookID
	Body body[Resumption]
}

// Resumption says what happens to the deliveries that were held.
type Resumption struct {
	Held      mergepatch.Member[string] `json:"held,omitempty" create:"required" enum:"release,drop" doc:"What happens to the deliveries that are held: release sends them, and drop ends them without another attempt." example:"release"`
	PerSecond mergepatch.Member[int]    `json:"ratePerSecond,omitempty" minimum:"1" maximum:"100" nullable:"true" doc:"How many deliveries are released in a second. The default is 50." example:"50"`
}

func (in *resumeWebhook) input() (*api.Resume, error) {
	says := in.Body.value
	return &api.Resume{
		ID: in.ID, Held: namePatch[api.HeldChoice](says.Held), PerSecond: patch(says.PerSecond), Found: in.Body.problems,
	}, nil
}
