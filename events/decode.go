package events

import (
	"encoding/json"
	"unicode"
	"unicode/utf8"

	"nepenthes/shared/strictjson"
)

const (
	isNotString = "It must be a string."
	isNoMember  = "No member has this name; names are exact, lower and upper case included."
)

// Decode reads an event from a producer's message: an envelope of Nepenthes or, if specversion is present, a
// CloudEvents 1.0 structured JSON message. A member that is null counts as absent. Every error is an [*Error]: TooLarge
// before anything is read, Malformed at the first place that cannot be read, and otherwise UnknownType or Invalid with
// everything that is wrong.
//
// Data is a part of message and not a copy, so a change of message changes the event.
func Decode(message []byte) (Event, error) {
	if len(message) > MaxSize {
		return Event{}, tooLarge(len(message))
	}
	return decode(message, (*decoder).check)
}

// Restore reads an envelope that [Event.Encode] wrote, for instance from a store. Unlike [Decode] it also accepts the
// events of Nepenthes itself, and events that the current rules would refuse. It returns an [*Error] if the bytes are not
// an envelope. Data is a part of envelope.
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

// decoder reads the event of one message and collects what is wrong with the message.
type decoder struct {
	message     []byte
	cloudEvents bool
	problems    problems
	malformed   *Error // the first place that cannot be read; other problems then do not count
}

func (d *decoder) event() Event {
	found := d.outline()
	if d.malformed != nil {
		return Event{}
	}
	if d.cloudEvents = !found.specVersion.IsZero(); d.cloudEvents {
		return d.cloudEvent(found)
	}
	return d.envelope(found)
}

// check applies the rules for events of producers. The attributes of its problems are spelled as in the message.
func (d *decoder) check(e Event) {
	var found problems
	switch {
	case !d.cloudEvents:
		found.checkSource(e.Source)
	case e.Source != "": // a missing source is already among the problems
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

// span is the place of a member's name or value in the message. The span of an absent member is zero.
type span = strictjson.Span

// outline holds the places of the members of a message. It has the members of both formats, because specversion, which
// tells them apart, may come last.
type outline struct {
	id, source, typ, data                    span
	occurredAt, project, actor               span // only in an envelope
	specVersion, time, projectID, dataBase64 span // only in CloudEvents
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

// outline checks the form of the whole message and finds its members.
func (d *decoder) outline() (found outline) {
	visit := d.visitor(found.slot, &found.others)
	d.fail(strictjson.Object(d.message, visit))
	return found
}

// fail keeps the first error of form.
func (d *decoder) fail(err *strictjson.Error) {
	if err != nil && d.malformed == nil {
		d.malformed = malformed(err)
	}
}

// visitor returns a visitor that notes the places of the members that slot knows, and adds the names of all others. A
// repeated name is an error, in whatever spelling, whether slot knows it or not.
func (d *decoder) visitor(slot func(name []byte) *span, others *[]string) strictjson.Visitor {
	var seen map[string]bool // only of others: a known name is repeated if its span is not zero
	return func(name, value span) string {
		decoded := d.name(name)
		if known := slot(decoded); known != nil {
			if !known.IsZero() {
				return strictjson.Repeated
			}
			*known = value
			return ""
		}
		other := string(decoded)
		if seen[other] {
			return strictjson.Repeated
		}
		if seen == nil {
			seen = map[string]bool{}
		}
		seen[other] = true
		*others = append(*others, other)
		return ""
	}
}

// name returns the name of a member without quotes and escapes: "\u0069d" is id. A name that contains half of a surrogate
// pair has no such text; it is returned as it is written, and is the name of no known member.
func (d *decoder) name(name span) []byte {
	quoted := d.message[name.From:name.To]
	if text, ok := strictjson.Unquote(quoted); ok {
		return text
	}
	return quoted
}

// envelope returns the event of a message that is an envelope of Nepenthes.
func (d *decoder) envelope(o outline) Event {
	for _, foreign := range [...]struct {
		name  string
		place span
	}{{"time", o.time}, {"projectid", o.projectID}, {"data_base64", o.dataBase64}} {
		if !foreign.place.IsZero() {
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

// common reads the members that both formats have.
func (d *decoder) common(o outline) Event {
	e := Event{
		ID:     d.text("id", o.id),
		Source: d.text("source", o.source),
		Type:   d.text("type", o.typ),
	}
	if !o.data.IsZero() {
		e.Data = json.RawMessage(d.message[o.data.From:o.data.To:o.data.To])
	}
	return e
}

// project returns nil if the member is absent or is not an object.
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

// actor returns nil if the member is absent or is not an object.
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

// record reads the members of an object in the envelope. It returns false if there is no object.
func (d *decoder) record(attribute string, place span, slot func(name []byte) *span) bool {
	if !d.has(place) {
		return false
	}
	if d.message[place.From] != '{' {
		d.problems.add(attribute, "It must be an object.")
		return false
	}
	var others []string
	d.fail(strictjson.ObjectAt(d.message, place.From, d.visitor(slot, &others)))
	d.unknown(attribute+".", others)
	return true
}

// has reports whether a member is present and not null.
func (d *decoder) has(place span) bool {
	return !place.IsZero() && d.message[place.From] != 'n'
}

// text returns the text of a string member. It returns "" if the member is absent or is not a string.
func (d *decoder) text(attribute string, place span) string {
	if !d.has(place) {
		return ""
	}
	quoted := d.message[place.From:place.To]
	if quoted[0] != '"' {
		d.problems.add(attribute, isNotString)
		return ""
	}
	text, ok := strictjson.Unquote(quoted)
	if !ok {
		d.problems.add(attribute, "It contains half of a surrogate pair, which is not a character.")
	}
	return string(text)
}

func (d *decoder) unknown(prefix string, names []string) {
	for _, name := range names {
		d.problems.add(prefix+printable(name), isNoMember)
	}
}

// printable returns a name that a stranger chose in a form that is safe in a log: short, and of printable characters.
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
