// Package payload renders the requests to receivers: the body in the format of the webhook, and the headers. The sender
// signs and sends them. The API renders the request of an attempt again, byte for byte, from the event and the stored
// attempt. The bytes of an event's data are never changed.
package payload

import (
	"encoding/json"
	"fmt"
	"strings"

	"nepenthes/events"
	"nepenthes/shared/webhook"
)

// Content types of the bodies.
const (
	typeJSON       = "application/json"
	typeCloudEvent = "application/cloudevents+json"
)

// ContentType returns the Content-Type of a body in the given format.
func ContentType(f webhook.Format) string {
	if f == webhook.FormatCloudEvents {
		return typeCloudEvent
	}
	return typeJSON
}

// Body renders an event in the given format. It treats an unknown format as the default one.
func Body(f webhook.Format, e events.Event) []byte {
	b := body{buf: make([]byte, 0, len(e.Data)+512)}
	switch f {
	case webhook.FormatStandard:
		b.standard(e)
	case webhook.FormatCloudEvents:
		b.cloudEvent(e)
	default:
		b.nepenthes(e)
	}
	return append(b.buf, '}')
}

// body is a JSON object that is being written.
type body struct{ buf []byte }

// nepenthes writes the format of OpenProject's webhooks. The data is in a member with the name of the resource.
func (b *body) nepenthes(e events.Event) {
	b.text("action", e.Type)
	b.raw(payloadKey(e.Type), e.Data)
	if e.Actor != nil {
		b.value("actor", e.Actor)
	}
}

// standard writes the format that Standard Webhooks recommends. Names of event types have a dot instead of a colon.
func (b *body) standard(e events.Event) {
	b.text("type", strings.Replace(e.Type, ":", ".", 1))
	b.text("timestamp", e.OccurredAt)
	b.raw("data", e.Data)
	b.text("id", e.ID)
	if e.Project != nil {
		b.value("project", e.Project)
	}
	if e.Actor != nil {
		b.value("actor", e.Actor)
	}
}

// cloudEvent writes the structured JSON format of CloudEvents 1.0.
func (b *body) cloudEvent(e events.Event) {
	b.text("specversion", "1.0")
	b.text("id", e.ID)
	b.text("source", e.Source)
	b.text("type", e.Type)
	b.text("time", e.OccurredAt)
	b.text("datacontenttype", typeJSON)
	if e.Project != nil {
		b.text("projectid", e.Project.ID)
	}
	b.raw("data", e.Data)
}

// payloadKey returns the member that holds the data of an event type in the nepenthes format.
func payloadKey(eventType string) string {
	if t, ok := events.Lookup(eventType); ok {
		return t.PayloadKey
	}
	resource, _, _ := strings.Cut(eventType, ":")
	return resource
}

func (b *body) text(name, value string) { b.value(name, value) }

// value writes a member. It panics if the value cannot be marshalled. All callers pass strings and structs of strings.
func (b *body) value(name string, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("payload: member %s: %v", name, err))
	}
	b.raw(name, text)
}

// raw writes a member whose value is JSON already, without changing its bytes.
func (b *body) raw(name string, value []byte) {
	open := byte(',')
	if len(b.buf) == 0 {
		open = '{'
	}
	b.buf = append(b.buf, open, '"')
	b.buf = append(b.buf, name...)
	b.buf = append(b.buf, '"', ':')
	b.buf = append(b.buf, value...)
}
