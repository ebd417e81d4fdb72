package hal

import (
	"net/url"

	"nepenthes/events"
	"nepenthes/shared/instant"
	"nepenthes/shared/record"
)

// Event is an event that was recorded.
type Event struct {
	Type       string        `json:"_type" enum:"Event" doc:"Always Event." example:"Event"`
	ID         string        `json:"id" doc:"The id, which the producer chose." example:"evt_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
	Source     string        `json:"source" doc:"The producer of the event." example:"urn:nepenthes"`
	EventType  string        `json:"type" doc:"The event type." example:"work_package:updated"`
	OccurredAt string        `json:"occurredAt" doc:"When the event happened, as the producer wrote it (RFC 3339)." example:"2026-01-02T11:00:00Z"`
	ReceivedAt instant.Time  `json:"receivedAt" doc:"When the event was recorded." example:"2026-01-02T11:00:00.123Z"`
	Project    *EventProject `json:"project" doc:"The project of the event, or null."`
	Actor      *EventActor   `json:"actor" doc:"Who caused the event, or null."`
	Data       JSON          `json:"data" doc:"What happened, as the producer wrote it, except for white space. Receivers get the bytes of the producer." example:"{\"_type\":\"WorkPackage\",\"id\":42}"`
	MatchCount int           `json:"matchCount" minimum:"0" doc:"The number of webhooks that the event matched." example:"1"`
	Links      EventLinks    `json:"_links"`
}

// EventProject names the project of an event.
type EventProject struct {
	ID         string `json:"id" doc:"The id." example:"7"`
	Identifier string `json:"identifier,omitempty" doc:"The short name." example:"plant"`
	Name       string `json:"name,omitempty" doc:"The name." example:"Plant"`
}

// EventActor names who caused an event.
type EventActor struct {
	ID   string `json:"id" doc:"The id." example:"3"`
	Name string `json:"name,omitempty" doc:"The name." example:"Ada Lovelace"`
}

// EventLinks lead from an event.
type EventLinks struct {
	Self       Link `json:"self" doc:"This event."`
	Deliveries Link `json:"deliveries" doc:"The deliveries of the event, one for each webhook that it matched."`
}

// FromEvent represents a recorded event.
func FromEvent(p Paths, r *record.Event) *Event {
	return &Event{
		Type: "Event", ID: r.ID, Source: r.Source, EventType: r.Type, OccurredAt: r.OccurredAt,
		ReceivedAt: instant.Of(r.ReceivedAt), Project: (*EventProject)(r.Project), Actor: (*EventActor)(r.Actor),
		Data: JSON(r.Data), MatchCount: r.MatchCount,
		Links: EventLinks{
			Self:       Link{Href: eventHref(p, r.Source, r.ID)},
			Deliveries: Link{Href: eventHref(p, r.Source, r.ID, "deliveries")},
		},
	}
}

// eventHref returns the path of an event, or of one of its resources, without the default source.
func eventHref(p Paths, source, id string, rest ...string) string {
	href := p.To(append([]string{"events", id}, rest...)...)
	if source != events.DefaultSource {
		href += "?" + url.Values{"source": {source}}.Encode()
	}
	return href
}

// EventReceipt confirms that an event is on the queue.
type EventReceipt struct {
	Type   string `json:"_type" enum:"EventReceipt" doc:"Always EventReceipt." example:"EventReceipt"`
	ID     string `json:"id" doc:"The event's id." example:"evt_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
	Source string `json:"source" doc:"The event's source." example:"urn:nepenthes"`
}

// FromEventType represents an entry of the catalogue.
func FromEventType(t *events.Type) *EventType {
	return &EventType{
		Type: "EventType", ID: t.Name, Resource: t.Resource, Action: t.Action, Description: t.Description,
		PayloadKey: t.PayloadKey, Operational: t.Operational, OptIn: t.OptIn, Schema: t.Schema, Example: t.Example,
	}
}

// EventType is an entry of the catalogue of event types.
type EventType struct {
	Type        string `json:"_type" enum:"EventType" doc:"Always EventType." example:"EventType"`
	ID          string `json:"id" doc:"The name." example:"work_package:updated"`
	Resource    string `json:"resource" doc:"The resource that the event is about." example:"work_package"`
	Action      string `json:"action" doc:"What happened to the resource." example:"updated"`
	Description string `json:"description" doc:"Describes the event type in one or two sentences." example:"A work package was changed."`
	PayloadKey  string `json:"payloadKey" doc:"The member that contains data in the format nepenthes." example:"work_package"`
	Operational bool   `json:"operational" doc:"Whether Nepenthes itself sends events of this type. Producers cannot send them." example:"false"`
	OptIn       bool   `json:"optIn" doc:"Whether only webhooks that subscribe to the exact name get events of this type." example:"false"`
	Schema      JSON   `json:"schema" doc:"A JSON Schema of data." example:"{\"type\":\"object\"}"`
	Example     JSON   `json:"example" doc:"An example of data." example:"{\"_type\":\"WorkPackage\",\"id\":42}"`
}

// Explanation says whether a webhook wants an event, and if not, why.
type Explanation struct {
	Type        string   `json:"_type" enum:"Explanation" doc:"Always Explanation." example:"Explanation"`
	WebhookID   string   `json:"webhookId" doc:"The webhook's id." example:"wh_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
	WebhookName string   `json:"webhookName" doc:"The webhook's name." example:"Billing"`
	Match       bool     `json:"match" doc:"Whether the webhook wants the event." example:"false"`
	Reasons     []Reason `json:"reasons" nullable:"false" doc:"Every rule that refuses the event, and the rule paused if the webhook is paused."`
}

// Reason is a rule that refuses or holds back an event.
type Reason struct {
	Rule   string `json:"rule" enum:"enabled,event,project,paused" doc:"The rule. The rule paused refuses nothing: a delivery is held until the webhook is resumed." example:"project"`
	Detail string `json:"detail" doc:"Why the rule refuses this event, or holds it back." example:"The webhook wants events of one selected project, but not of project 7."`
}
