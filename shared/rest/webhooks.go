package rest

import (
	"nepenthes/shared/api"
	"nepenthes/shared/api/hal"
	"nepenthes/shared/delivery"
	"nepenthes/shared/strictjson"
)

func showRoot(v view, version *api.Version) *hal.Root { return hal.NewRoot(v.Paths, string(*version)) }

type webhookID struct {
	ID string `path:"id" doc:"The webhook's id." example:"wh_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
}

type deleteWebhook struct {
	webhookID
	ifMatch
}

func (in *deleteWebhook) input() (*api.DeleteWebhook, error) {
	insists, err := in.insistence(noVersion)
	return &api.DeleteWebhook{ID: in.ID, Insistence: insists}, err
}

type ping struct {
	webhookID
	Body body[PingEvent]
}

// PingEvent says which event to send.
type PingEvent struct {
	Event strictjson.Member[string] `json:"event,omitempty" nullable:"true" doc:"The event type whose example is sent; webhook:ping unless told otherwise." example:"work_package:updated"`
}

func (in *ping) input() (*api.Ping, error) {
	return &api.Ping{ID: in.ID, Event: patch(in.Body.value.Event), Found: in.Body.problems}, nil
}

// showPing represents the delivery of a test event, of which no attempt has been made yet.
func showPing(v view, d *delivery.Delivery) *hal.Delivery {
	shown := hal.FromDelivery(v.Paths, d)
	shown.Embedded = &hal.Attempts{Attempts: []*hal.Attempt{}}
	return shown
}

type removeSecret struct {
	webhookID
	SecretID string `path:"secretId" doc:"The secret's id." example:"sec_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
}

func (in *removeSecret) input() (*api.RemoveSecret, error) {
	return &api.RemoveSecret{ID: in.ID, SecretID: in.SecretID}, nil
}
