package rest

import (
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"nepenthes/shared/rest/hal"
)

// Envelope is an event as a producer writes it. Package events reads and checks it.
type Envelope struct {
	ID         string           `json:"id" pattern:"^[A-Za-z0-9_-]{1,128}$" doc:"The id that the producer gives the event. It is unique for each source." example:"evt_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
	Source     string           `json:"source,omitempty" nullable:"true" maxLength:"256" pattern:"^[A-Za-z][A-Za-z0-9+.-]*:([A-Za-z0-9._~:/?#@!$&'()*+,;=\\[\\]-]|%[0-9A-Fa-f]{2})+$" doc:"The producer of the event: a URI. The default is urn:nepenthes." example:"urn:nepenthes"`
	Type       string           `json:"type" doc:"The event type: a name from the catalogue." example:"work_package:updated"`
	OccurredAt string           `json:"occurredAt" format:"date-time" doc:"When the event happened (RFC 3339)." example:"2026-01-02T11:00:00Z"`
	Project    *EnvelopeProject `json:"project,omitempty" null:"resets" doc:"The project of the event. An event without a project reaches only webhooks for all projects."`
	Actor      *EnvelopeActor   `json:"actor,omitempty" null:"resets" doc:"Who caused the event."`
	Data       hal.JSON         `json:"data" doc:"What happened: any JSON value except null. Receivers get exactly these bytes." example:"{\"_type\":\"WorkPackage\",\"id\":42,\"subject\":\"Fix pump\"}"`
}

// EnvelopeProject names the project of an event.
type EnvelopeProject struct {
	ID         string `json:"id" pattern:"^[A-Za-z0-9_-]{1,128}$" doc:"The project's id." example:"7"`
	Identifier string `json:"identifier,omitempty" nullable:"true" maxLength:"255" doc:"The short name." example:"plant"`
	Name       string `json:"name,omitempty" nullable:"true" maxLength:"255" doc:"The name." example:"Plant"`
}

// EnvelopeActor names who caused an event.
type EnvelopeActor struct {
	ID   string `json:"id" pattern:"^[A-Za-z0-9_-]{1,128}$" doc:"The actor's id." example:"3"`
	Name string `json:"name,omitempty" nullable:"true" maxLength:"255" doc:"The actor's name." example:"Ada Lovelace"`
}

// CloudEvent is a CloudEvents 1.0 structured JSON message. Other extensions are ignored.
type CloudEvent struct {
	_           struct{} `additionalProperties:"true"`
	SpecVersion string   `json:"specversion" enum:"1.0" doc:"Always 1.0." example:"1.0"`
	ID          string   `json:"id" pattern:"^[A-Za-z0-9_-]{1,128}$" doc:"The id that the producer gives the event. It is unique for each source." example:"evt_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
	Source      string   `json:"source" minLength:"1" maxLength:"256" pattern:"^([A-Za-z][A-Za-z0-9+.-]*:([A-Za-z0-9._~:/?#@!$&'()*+,;=\\[\\]-]|%[0-9A-Fa-f]{2})+|([A-Za-z0-9._~@!$&'()*+,;=\\[\\]-]|%[0-9A-Fa-f]{2})*([/?#]([A-Za-z0-9._~:/?#@!$&'()*+,;=\\[\\]-]|%[0-9A-Fa-f]{2})*)?)$" doc:"The producer of the event: a URI or a relative reference." example:"urn:example:erp"`
	Type        string   `json:"type" doc:"The event type: a name from the catalogue." example:"work_package:updated"`
	Time        string   `json:"time" format:"date-time" doc:"When the event happened (RFC 3339)." example:"2026-01-02T11:00:00Z"`
	ProjectID   string   `json:"projectid,omitempty" nullable:"true" pattern:"^[A-Za-z0-9_-]{1,128}$" doc:"The id of the project of the event." example:"7"`
	Data        hal.JSON `json:"data" doc:"What happened: any JSON value except null. Receivers get exactly these bytes." example:"{\"_type\":\"WorkPackage\",\"id\":42,\"subject\":\"Fix pump\"}"`
}

// eventBody describes an event in both forms. The id and the time of a draft may be missing.
func (d describer) eventBody(draft bool) map[string]*huma.MediaType {
	envelope := d.registry.Schema(reflect.TypeFor[Envelope](), true, "")
	cloudEvent := d.registry.Schema(reflect.TypeFor[CloudEvent](), true, "")
	if draft {
		envelope = d.draft("EventDraft", envelope, "id", "occurredAt")
		cloudEvent = d.draft("CloudEventDraft", cloudEvent, "id", "time")
	}
	return map[string]*huma.MediaType{
		typeJSON:       {Schema: &huma.Schema{AnyOf: []*huma.Schema{envelope, cloudEvent}}},
		typeCloudEvent: {Schema: cloudEvent},
	}
}

// draft adds a copy of a schema in which some members may be absent or null.
func (d describer) draft(name string, like *huma.Schema, optional ...string) *huma.Schema {
	schema := *d.registry.SchemaFromRef(like.Ref)
	schema.Required = slices.DeleteFunc(slices.Clone(schema.Required), func(member string) bool { return slices.Contains(optional, member) })
	d.registry.Map()[name] = &schema
	return &huma.Schema{Ref: "#/components/schemas/" + name}
}
