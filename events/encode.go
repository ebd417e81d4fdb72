package events

import (
	"unicode/utf8"

	"nepenthes/shared/strictjson"
)

// Encode returns the event as an envelope of Nepenthes. Data is written byte for byte; json.Marshal would compact and
// escape it. For a valid event, Decode returns the same event with the default source filled in. Encode returns an
// [*Error] with reason Invalid if a member is not UTF-8 or data is not one JSON value. It leaves the other rules to
// [Event.Validate], because Nepenthes encodes events of its own that a producer may not send.
func (e Event) Encode() ([]byte, error) {
	e = e.canonical()
	found := e.unencodable()
	if err := found.err(); err != nil {
		return nil, err
	}
	return e.appendTo(make([]byte, 0, 512+len(e.Data))), nil
}

// unencodable returns the members that cannot be written as JSON.
func (e Event) unencodable() (found problems) {
	check := func(attribute, text string) {
		if !utf8.ValidString(text) {
			found.add(attribute, "It must be UTF-8.")
		}
	}
	check("id", e.ID)
	check("source", e.Source)
	check("type", e.Type)
	check("occurredAt", e.OccurredAt)
	if e.Project != nil {
		check("project.id", e.Project.ID)
		check("project.identifier", e.Project.Identifier)
		check("project.name", e.Project.Name)
	}
	if e.Actor != nil {
		check("actor.id", e.Actor.ID)
		check("actor.name", e.Actor.Name)
	}
	if len(e.Data) == 0 {
		found.add("data", "It is required and cannot be null.")
	} else if !strictjson.IsValue(e.Data, 1) { // the envelope is one level
		found.add("data", "It must be one JSON value in UTF-8, nested less than 1000 deep.")
	}
	return found
}

// appendTo appends the envelope to b, without absent members.
func (e Event) appendTo(b []byte) []byte {
	b = appendMember(b, `{"id":`, e.ID)
	b = appendMember(b, `,"source":`, e.Source)
	b = appendMember(b, `,"type":`, e.Type)
	b = appendMember(b, `,"occurredAt":`, e.OccurredAt)
	if p := e.Project; p != nil {
		b = appendMember(b, `,"project":{"id":`, p.ID)
		if p.Identifier != "" {
			b = appendMember(b, `,"identifier":`, p.Identifier)
		}
		if p.Name != "" {
			b = appendMember(b, `,"name":`, p.Name)
		}
		b = append(b, '}')
	}
	if a := e.Actor; a != nil {
		b = appendMember(b, `,"actor":{"id":`, a.ID)
		if a.Name != "" {
			b = appendMember(b, `,"name":`, a.Name)
		}
		b = append(b, '}')
	}
	b = append(b, `,"data":`...)
	b = append(b, e.Data...)
	return append(b, '}')
}
