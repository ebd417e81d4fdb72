package events

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

const (
	isNotString = "It must be a string."
	isNoMember  = "No member has this name; names are exact, lower and upper case included."
	isRepeated  = "A member is named twice."
)

// Decode reads an event from a producer's message: Nepenthes' envelope or, where specversion is present, a
// CloudEvents 1.0 structured JSON message. It fails with an [*Error] alone: TooLarge before anything is read,
// Malformed at the first place that cannot be read, else UnknownType or Invalid with all that is wrong. A
// member that is null counts as absent.
//
// Data is a part of message and not a copy: who writes into message changes the event.
func Decode(message []byte) (Event, error) {
	if len(message) > MaxSize {
		return Event{}, tooLarge(len(message))
	}
	return decode(message, (*decoder).check)
}

// Restore reads an envelope that [Event.Encode] wrote, from a store for instance. Unlike [Decode] it takes
// Nepenthes' own events too, and it does not ask whether today's rules would still let the event in. It fails
// with an [*Error] when the bytes are no envelope. Data is a part of envelope.
func Restore(envelope []byte) (Event, error) {
	return decode(envelope, func(*decoder, Event) {})
}

func decode(message []byte, check func(*decoder, Event)) (Event, error) {
	d := decoder{message: message}
	event, malformed := d.event()
	if malformed != nil {
		return Event{}, malformed
	}
	check(&d, event)
	if err := d.problems.err(); err != nil {
		return Event{}, err
	}
	return event, nil
}

// decoder makes an event of one message and gathers what is wrong with it.
type decoder struct {
	message     []byte
	cloudEvents bool
	problems    problems
}

func (d *decoder) event() (Event, *Error) {
	top, malformed := d.top()
	if malformed != nil {
		return Event{}, malformed
	}
	if d.cloudEvents = top.specVersion.to > 0; d.cloudEvents {
		return d.cloudEvent(top), nil
	}
	return d.envelope(top)
}

// check applies the rules for a producer's event and tells what breaks them in the spelling of the message.
func (d *decoder) check(e Event) {
	var found problems
	found.check(e)
	for _, problem := range found.list {
		if d.cloudEvents {
			problem.Attribute = cloudEventsName(problem.Attribute)
		}
		d.problems.add(problem.Attribute, problem.Message)
	}
	d.problems.unknownType = found.unknownType
}

// top has the places of a message's members, of both shapes, since specversion may be the last to come. A span
// that ends at 0 is of a member that is not there.
type top struct {
	id, source, typ, data                    span
	occurredAt, project, actor               span // the envelope's own
	specVersion, time, projectID, dataBase64 span // CloudEvents' own
	others                                   []string
}

func (t *top) slot(name []byte) *span {
	switch string(name) {
	case "id":
		return &t.id
	case "source":
		return &t.source
	case "type":
		return &t.typ
	case "data":
		return &t.data
	case "occurredAt":
		return &t.occurredAt
	case "project":
		return &t.project
	case "actor":
		return &t.actor
	case "specversion":
		return &t.specVersion
	case "time":
		return &t.time
	case "projectid":
		return &t.projectID
	case "data_base64":
		return &t.dataBase64
	}
	return nil
}

// top checks the whole message, to its last byte, and finds its members.
func (d *decoder) top() (t top, malformed *Error) {
	s := scanner{text: d.message}
	if !s.unicode() {
		return t, s.err()
	}
	s.space()
	if s.peek() != '{' {
		s.fail("The message must be a JSON object.")
		return t, s.err()
	}
	t.others, malformed = d.members(&s, t.slot)
	if malformed == nil && !s.end() {
		malformed = s.err()
	}
	return t, malformed
}

// members walks over the object at s and notes the places of the members that slot knows. It returns the names
// of the others. A name that comes twice is malformed, however it is spelt and whether it is known or not.
func (d *decoder) members(s *scanner, slot func(name []byte) *span) (others []string, _ *Error) {
	var seen map[string]bool // made for others only: the known ones are told apart by their spans
	ok := s.object(func(name, value span) string {
		decoded := d.name(name)
		if known := slot(decoded); known != nil {
			if known.to > 0 {
				return isRepeated
			}
			*known = value
			return ""
		}
		other := string(decoded)
		if seen[other] {
			return isRepeated
		}
		if seen == nil {
			seen = map[string]bool{}
		}
		seen[other] = true
		others = append(others, other)
		return ""
	})
	if !ok {
		return nil, s.err()
	}
	return others, nil
}

// name is what a member's name says: "\u0069d" is id. A name that is no text, for it holds half of a surrogate
// pair, stays as it was written; no member is called so.
func (d *decoder) name(name span) []byte {
	quoted := d.message[name.from:name.to]
	if text, ok := unquote(quoted); ok {
		return text
	}
	return quoted
}

// envelope makes the event of a message in Nepenthes' own shape.
func (d *decoder) envelope(t top) (e Event, malformed *Error) {
	for _, foreign := range [...]struct {
		name  string
		place span
	}{{"time", t.time}, {"projectid", t.projectID}, {"data_base64", t.dataBase64}} {
		if foreign.place.to > 0 {
			t.others = append(t.others, foreign.name)
		}
	}
	d.unknown("", t.others)
	e = d.common(t)
	if !d.has(t.source) {
		e.Source = DefaultSource
	}
	e.OccurredAt = d.text("occurredAt", t.occurredAt)
	if e.Project, malformed = d.project(t.project); malformed != nil {
		return e, malformed
	}
	if e.Actor, malformed = d.actor(t.actor); malformed != nil {
		return e, malformed
	}
	return e, nil
}

// common reads what both shapes have.
func (d *decoder) common(t top) Event {
	e := Event{
		ID:     d.text("id", t.id),
		Source: d.text("source", t.source),
		Type:   d.text("type", t.typ),
	}
	if t.data.to > 0 {
		e.Data = json.RawMessage(d.message[t.data.from:t.data.to:t.data.to])
	}
	return e
}

func (d *decoder) project(place span) (*Project, *Error) {
	var id, identifier, name span
	found, malformed := d.record("project", place, func(member []byte) *span {
		switch string(member) {
		case "id":
			return &id
		case "identifier":
			return &identifier
		case "name":
			return &name
		}
		return nil
	})
	if !found {
		return nil, malformed
	}
	return &Project{
		ID:         d.text("project.id", id),
		Identifier: d.text("project.identifier", identifier),
		Name:       d.text("project.name", name),
	}, nil
}

func (d *decoder) actor(place span) (*Actor, *Error) {
	var id, name span
	found, malformed := d.record("actor", place, func(member []byte) *span {
		switch string(member) {
		case "id":
			return &id
		case "name":
			return &name
		}
		return nil
	})
	if !found {
		return nil, malformed
	}
	return &Actor{ID: d.text("actor.id", id), Name: d.text("actor.name", name)}, nil
}

// record reads the members of an object within the envelope. It answers false when there is none.
func (d *decoder) record(attribute string, place span, slot func(name []byte) *span) (bool, *Error) {
	if !d.has(place) {
		return false, nil
	}
	if d.message[place.from] != '{' {
		d.problems.add(attribute, "It must be an object.")
		return false, nil
	}
	others, malformed := d.members(&scanner{text: d.message, at: place.from}, slot)
	if malformed != nil {
		return false, malformed
	}
	d.unknown(attribute+".", others)
	return true, nil
}

// has tells whether a member is there and not null.
func (d *decoder) has(place span) bool {
	return place.to > 0 && d.message[place.from] != 'n'
}

// text is what a string member says, empty when it is absent or no string.
func (d *decoder) text(attribute string, place span) string {
	if !d.has(place) {
		return ""
	}
	quoted := d.message[place.from:place.to]
	if quoted[0] != '"' {
		d.problems.add(attribute, isNotString)
		return ""
	}
	text, ok := unquote(quoted)
	if !ok {
		d.problems.add(attribute, "It holds half of a surrogate pair, which is no character.")
	}
	return string(text)
}

func (d *decoder) unknown(prefix string, names []string) {
	for _, name := range names {
		d.problems.add(prefix+printable(name), isNoMember)
	}
}

// printable is a member's name fit for a log: a stranger chose it.
func printable(name string) string {
	const longest = 64
	shown := make([]byte, 0, longest)
	for _, r := range name {
		if len(shown)+utf8.UTFMax > longest {
			return string(shown) + "…"
		}
		if r < ' ' || r == 0x7f {
			r = utf8.RuneError
		}
		shown = utf8.AppendRune(shown, r)
	}
	return string(bytes.ToValidUTF8(shown, nil))
}
