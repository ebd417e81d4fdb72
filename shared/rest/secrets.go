package rest

import (
	"net/http"

	"nepenthes/shared/api"
	"nepenthes/shared/fault"
	"nepenthes/shared/rest/hal"
	"nepenthes/shared/rest/mergepatch"
)

// addSecrets adds the routes of signature secrets. There is no route to read a secret, because its value is shown only once.
func (h *Handler) addSecrets(o *api.Webhooks) {
	addRoute(h, o.AddSecret, spec{
		method: http.MethodPost, path: pathWebhook + "/secrets", id: "addSecret", tag: tagWebhooks,
		status: http.StatusCreated, optionalBody: true, faults: []fault.Kind{fault.InvalidState}, summary: "Rotate the signature secret",
		about:   "Adds a secret. The former secrets of the same kind go on signing for a while, so that receivers can change to the new one. At most four secrets sign at the same time.",
		answers: "The secret. A generated secret is shown only once.",
	}, (*addSecret).input, showAddedSecret)
	addRoute(h, o.RemoveSecret, spec{
		method: http.MethodDelete, path: pathWebhook + "/secrets/{secretId}", id: "removeSecret", tag: tagWebhooks,
		status: http.StatusNoContent, summary: "Remove a signature secret", about: "The secret signs nothing from the next attempt on.",
		answers: "The secret was removed.",
	}, (*removeSecret).input, noAnswer)
}

// addSecret is the request for another signature secret.
type addSecret struct {
	webhookID
	Body body[NewSecret]
}

// NewSecret is the secret to add, with the number of hours for which the previous secrets of its kind go on signing.
type NewSecret struct {
	Secret       mergepatch.Member[string] `json:"secret,omitempty" minLength:"2" maxLength:"128" nullable:"true" writeOnly:"true" doc:"The new secret: generate, generate-ed25519, or a secret of your own (whsec_…, whsk_…, or 8 to 128 bytes of text, without white space or quotation marks around it). The default is generate." example:"generate"`
	OverlapHours mergepatch.Member[int]    `json:"overlapHours,omitempty" minimum:"0" maximum:"168" nullable:"true" doc:"For how many hours the former secrets of the same kind go on signing. The default is 24." example:"24"`
}

func (in *addSecret) input() (*api.AddSecret, error) {
	return &api.AddSecret{
		ID: in.ID, Secret: patch(in.Body.value.Secret), OverlapHours: patch(in.Body.value.OverlapHours), Found: in.Body.problems,
	}, nil
}

// showAddedSecret represents a new secret. It shows the value only if the request generated it. The client already knows any
// other value, which must not appear in one more place.
func showAddedSecret(_ view, s *api.AddedSecret) *hal.Secret {
	return hal.FromSecret(&s.Secret, s.Text, showWarnings(s.Warnings))
}

// removeSecret is the request to remove a signature secret.
type removeSecret struct {
	webhookID
	SecretID string `path:"secretId" doc:"The secret's id." example:"sec_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
}

func (in *removeSecret) input() (*api.RemoveSecret, error) {
	return &api.RemoveSecret{ID: in.ID, SecretID: in.SecretID}, nil
}
