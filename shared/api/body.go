package api

import (
	"context"
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"nepenthes/events"
	"nepenthes/shared/fault"
	"nepenthes/shared/instant"
	"nepenthes/shared/strictjson"
	"nepenthes/shared/visible"
)

// Body is a JSON body as it was read: T is a struct of strictjson.Members.
type Body[T any] struct {
	Value T
	// Problems are the members that did not fit T. The operation tells of them together with what else is wrong.
	Problems fault.Details
}

// ReadJSON reads a request's body; the fault is of kind InvalidRequestBody when it is no JSON object.
func (b *Body[T]) ReadJSON(text []byte) (err error) {
	b.Problems, err = strictjson.Read(text, &b.Value)
	return err
}

// DescribedBy is the type that describes the body.
func (b *Body[T]) DescribedBy() reflect.Type { return reflect.TypeFor[T]() }

// faults gathers what is wrong with one request, each attribute once: what is no string need not be told to be
// too short as well.
type faults struct{ fault.Details }

// add notes a detail about an attribute of which nothing is told yet.
func (f *faults) add(d fault.Detail) {
	if !f.Has(d.Attribute) {
		f.Add(d)
	}
}

func (f *faults) addf(attribute, message, hint string) {
	f.add(fault.Detail{Attribute: attribute, Message: message, Hint: hint})
}

// anything is a member of which only one value is acceptable, or none at all matters.
type anything = strictjson.Member[json.RawMessage]

// unchanged adds a fault of kind PropertyIsReadOnly if a member that cannot be written came back with another value
// than current; current is nil when there is none yet.
func (f *faults) unchanged(attribute string, m anything, current any) {
	if m.IsAbsent() {
		return
	}
	raw, isGiven := m.Get()
	if !isGiven {
		raw = []byte("null")
	}
	if same(raw, current) {
		return
	}
	f.add(fault.Detail{
		Kind: fault.PropertyIsReadOnly, Attribute: attribute,
		Message: "It cannot be written.", Hint: "Leave it out, or send it back as it was read.",
	})
}

// unchangedAt is unchanged for a moment: it may come back in any zone and with more or fewer digits of a second, as long
// as it is the same in milliseconds. The zero current is none.
func (f *faults) unchangedAt(attribute string, m anything, current time.Time) {
	if current.IsZero() {
		f.unchanged(attribute, m, nil)
		return
	}
	raw, _ := m.Get()
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if sent, ok := events.ParseTime(text); ok && instant.Cut(sent).Equal(instant.Cut(current)) {
			return
		}
	}
	f.unchanged(attribute, m, instant.Of(current))
}

// same reports whether raw is the JSON of the value, in whatever spelling. Every character can be written as an escape
// of six, and a pair of them for those that have four bytes; what is longer is not read.
func same(raw json.RawMessage, value any) bool {
	text, err := json.Marshal(value)
	if err != nil || len(raw) > len(`\u0000`)*len(text) {
		return false
	}
	var sent, there any
	return json.Unmarshal(raw, &sent) == nil && json.Unmarshal(text, &there) == nil && reflect.DeepEqual(sent, there)
}

// named adds a fault if a text that people know a thing by has nothing to see. One that is as before stays, so that
// what was named under fewer rules can be changed and sent back.
func (f *faults) named(attribute, text, before string) {
	if text != "" && text != before && !visible.In(text) {
		f.addf(attribute, "It has no visible character.", "Write what a person can read.")
	}
}

// required adds a fault if a member that cannot be left empty is null, or absent while something is made.
func required[T any](f *faults, attribute string, m strictjson.Member[T], isNew bool) {
	if m.IsNull() || isNew && m.IsAbsent() {
		f.addf(attribute, "It is required.", "")
	}
}

// firstVersion looks at the version of what is being made, which may come along with a copy of something else.
func (f *faults) firstVersion(m strictjson.Member[int64]) {
	if version, given := m.Get(); given && version < 1 {
		f.addf("lockVersion", "It is not a version: those begin at 1.", "Leave it out.")
	}
}

// Precondition is the version on which a change insists (RFC 9110 §13.1.1).
type Precondition struct {
	IfMatch string `header:"If-Match" doc:"The ETag of the version that is to be changed, a list of them, or *. If none is the present one, the answer is 409 UpdateConflict and nothing is written; a weak one (W/…) never is." example:"\"3\""`
}

// expects reports whether the caller insists on a version, by header or by the member lockVersion.
func (p Precondition) expects(lockVersion strictjson.Member[int64]) bool {
	_, given := lockVersion.Get()
	return given || p.IfMatch != "" && strings.TrimSpace(p.IfMatch) != "*"
}

// holds checks the version that the caller insists on against the present one; without any all is well. The fault
// is of kind UpdateConflict.
func (p Precondition) holds(lockVersion strictjson.Member[int64], etag string, current int64) error {
	version, given := lockVersion.Get()
	if given && version != current {
		return Conflict()
	}
	if err := p.wellFormed(); err != nil {
		return err
	}
	tags := entityTag.FindAllString(p.IfMatch, -1)
	if len(tags) == 0 || slices.Contains(tags, etag) { // no header, or *
		return nil
	}
	isStrong := func(tag string) bool { return !strings.HasPrefix(tag, weak) }
	if slices.Contains(tags, weak+etag) || !slices.ContainsFunc(tags, isStrong) {
		return fault.New(fault.UpdateConflict, "If-Match holds a weak entity tag (W/…), which never matches (RFC 9110 §13.1.1); nothing was written.").
			With("Send the ETag without W/, which something between us has added.")
	}
	return Conflict()
}

// weak begins a weak entity tag (RFC 9110 §8.8.3).
const weak = "W/"

var (
	entityTag  = regexp.MustCompile(`(?:W/)?"[^\x00-\x20"\x7f]*"`)
	entityTags = regexp.MustCompile(`^[ \t,]*` + entityTag.String() + `(?:[ \t]*,[ \t,]*` + entityTag.String() + `)*[ \t,]*$`)
)

// wellFormed looks whether the header is one that can be sent (RFC 9110 §13.1.1); the fault is of kind InvalidQuery.
func (p Precondition) wellFormed() error {
	if p.IfMatch == "" || strings.TrimSpace(p.IfMatch) == "*" || entityTags.MatchString(p.IfMatch) {
		return nil
	}
	return invalidQuery("If-Match", "The header is not a list of entity tags.", `Send the ETag as it came, in its quotation marks, or *.`)
}

// Conflict returns the fault of a change that insists on another version than the current one.
func Conflict() *fault.Fault {
	return fault.New(fault.UpdateConflict, "It was changed by somebody else since it was read; nothing was written.").
		With("Read it again and repeat the change on what it is now.")
}

// settle says what follows a write of something that was read before. A change that lost against another one is
// made again on what is there now, unless the caller insists on the version that it has read; out of time, it is
// Unavailable.
func settle(ctx context.Context, err error, insists bool) (again bool, _ error) {
	switch {
	case !fault.Is(err, fault.UpdateConflict):
		return false, err
	case insists:
		return false, Conflict().Because(err)
	case ctx.Err() != nil:
		return false, fault.New(fault.Unavailable, "It is being changed by too many at once.").
			With("Try again in a moment.").After(time.Second).Because(err)
	}
	return true, nil
}
