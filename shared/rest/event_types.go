package rest

import (
	"nepenthes/events"
	"nepenthes/shared/api"
	"nepenthes/shared/api/hal"
)

type listEventTypes struct{ paging }

func (in *listEventTypes) input() (*api.ListEventTypes, error) {
	return &api.ListEventTypes{Paging: in.page()}, nil
}

func showEventTypes(v view, _ *listEventTypes, page *api.Page[events.Type]) *hal.Collection[hal.EventType] {
	return collection(v.To("event_types"), nil, page, hal.FromEventType)
}
