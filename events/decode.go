package events

import (
	"encoding/json"
	"unicode"
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
	event := d.event()
	if d.malformed != nil {
		return Event{}, d.malformed
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
	malformed   *Error // the first fault of form; whatever else was found then counts for nothing
}

func (d *decoder) event() Event {
	found := d.outline()
	if d.malformed != nil {
		return Event{}
	}
	if d.cloudEvents = found.specVersion.to > 0; d.cloudEvents {
		return d.cloudEvent(found)
	}
	return d.envelope(found)
}

// check applies the rules for a producer's event and tells what breaks them in the spelling of the message.
func (d *decoder) check(e Event) {
	var found problems
	switch {
	case !d.cloudEvents:
		found.checkSource(e.Source)
	case e.Source != "": // that of an absent one has been told
		found.checkReference(e.Source)
	}
	found.check(e)
	for _, problem := range found.list {
		if d.cloudEvents {
			problem.Attribute = cloudEventsName(problem.Attribute)
		}
		d.problems.add(problem.Attribute, problem.Message)
	}
	d.problems.unknownType = found.unknownType
}

// outline has the places of a message's members, of both shapes, since specversion may be the last to come. A
// span that ends at 0 is of a member that is not there.
type outline struct {
	id, source, typ, data                    span
	occurredAt, project, actor               span // the envelope's own
	specVersion, time, projectID, dataBase64 span // CloudEvents' own
	others                                   []string
}

func (o *outline) slot(name []byte) *span {
	switch string(name) {
	case "id":
		return &o.id
	case "source":
		return &o.source
	case "type":
		return &o.typ
	case "data":
		return &o.data
	case "occurredAt":
		return &o.occurredAt
	case "project":
		return &o.project
	case "actor":
		return &o.actor
	case "specversion":
		return &o.specVersion
	case "time":
		return &o.time
	case "projectid":
		return &o.projectID
	case "data_base64":
		return &o.dataBase64
	}
	return nil
}

// outline checks the whole message, to its last byte, and finds its members.
func (d *decoder) outline() (found outline) {
	s := scanner{text: d.message}
	if !s.unicode() {
		d.malformed = s.err()
		return found
	}
	s.space()
	if s.peek() != '{' {
		s.fail("The message must be a JSON object.")
		d.malformed = s.err()
		return found
	}
	found.others = d.members(&s, found.slot)
	if d.malformed == nil && !s.end() {
		d.malformed = s.err()
	}
	return found
}

// members walks over the object at s and notes the places of the members that slot knows. It returns the names
// of the others. A name that comes twice is malformed, however it is spelt and whether it is known or not.
func (d *decoder) members(s *scanner, slot func(name []byte) *span) (others []string) {
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
	if !ok && d.malformed == nil {
		d.malformed = s.err()
	}
	return others
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
func (d *decoder) envelope(o outline) Event {
	for _, foreign := range [...]struct {
		name  string
		place span
	}{{"time", o.time}, {"projectid", o.projectID}, {"data_base64", o.dataBase64}} {
		if foreign.place.to > 0 {
			o.others = append(o.others, foreign.name)
		}
	}
	d.unknown("", o.others)
	e := d.common(o)
	if !d.has(o.source) {
		e.Source = DefaultSource
	}
	e.OccurredAt = d.text("occurredAt", o.occurredAt)
	e.Project = d.project(o.project)
	e.Actor = d.actor(o.actor)
	return e
}

// common reads what both shapes have.
func (d *decoder) common(o outline) Event {
	e := Event{
		ID:     d.text("id", o.id),
		Source: d.text("source", o.source),
		Type:   d.text("type", o.typ),
	}
	if o.data.to > 0 {
		e.Data = json.RawMessage(d.message[o.data.from:o.data.to:o.data.to])
	}
	return e
}

// project is nil when the member is absent, or is no object.
func (d *decoder) project(place span) *Project {
	var id, identifier, name span
	found := d.record("project", place, func(member []byte) *span {
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
		return nil
	}
	return &Project{
		ID:         d.text("project.id", id),
		Identifier: d.text("project.identifier", identifier),
		Name:       d.text("project.name", name),
	}
}

// actor is nil when the member is absent, or is no object.
func (d *decoder) actor(place span) *Actor {
	var id, name span
	found := d.record("actor", place, func(member []byte) *span {
		switch string(member) {
		case "id":
			return &id
		case "name":
			return &name
		}
		return nil
	})
	if !found {
		return nil
	}
	return &Actor{ID: d.text("actor.id", id), Name: d.text("actor.name", name)}
}

// record reads the members of an object within the envelope. It answers false when there is none.
func (d *decoder) record(attribute string, place span, slot func(name []byte) *span) bool {
	if !d.has(place) {
		return false
	}
	if d.message[place.from] != '{' {
		d.problems.add(attribute, "It must be an object.")
		return false
	}
	d.unknown(attribute+".", d.members(&scanner{text: d.message, at: place.from}, slot))
	return true
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
		if !unicode.IsPrint(r) {
			r = utf8.RuneError
		}
		shown = utf8.AppendRune(shown, r)
	}
	return string(shown)
}
