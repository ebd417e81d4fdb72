package rest

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"nepenthes/events"
	"nepenthes/shared/api"
	"nepenthes/shared/fault"
	"nepenthes/shared/instant"
	"nepenthes/shared/rest/hal"
	"nepenthes/shared/rest/mergepatch"
)

// body is a JSON body as it was read: T is a struct of mergepatch.Members. The name of T is the name of its schema in
// the document.
type body[T any] struct {
	value T
	// problems are the members that do not fit T. The operation reports them together with everything else that is
	// wrong.
	problems fault.Details
}

// ReadJSON reads a request's body. It returns a fault of kind InvalidRequestBody if the body is not a JSON object.
func (b *body[T]) ReadJSON(text []byte) (err error) {
	b.problems, err = mergepatch.Read(text, &b.value)
	return err
}

// DescribedBy returns the type that describes the body.
func (b *body[T]) DescribedBy() reflect.Type { return reflect.TypeFor[T]() }

// anything is a member that is ignored, or that a client may only send back with its current value.
type anything = mergepatch.Member[json.RawMessage]

// patch returns the change that a member of a merge patch (RFC 7396) asks for. Null asks for the default. A member that
// could not be read is among the problems of the body and does not change its attribute.
func patch[T any](m mergepatch.Member[T]) api.Patch[T] {
	if value, given := m.Get(); given {
		return api.Set(value)
	}
	if m.IsNull() {
		return api.Reset[T]()
	}
	return api.Patch[T]{}
}

// returned collects the faults of read-only members that a client has sent back. It reports each attribute once.
type returned struct{ fault.Details }

// add adds a detail unless there is one about its attribute already.
func (f *returned) add(d fault.Detail) {
	if !f.Has(d.Attribute) {
		f.Add(d)
	}
}

// unchanged adds a fault of kind PropertyIsReadOnly if a read-only member was sent back with another value than current. A nil
// current is null.
func (f *returned) unchanged(attribute string, m anything, current any) {
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

// unchangedAt is unchanged for a time. The client may send the time in another zone and with more or fewer digits, because
// many date libraries do so, but it must be the same millisecond. The zero time is null.
func (f *returned) unchangedAt(attribute string, m anything, current time.Time) {
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

// same reports whether raw is the JSON of the value, in any spelling. An escape makes a byte at most six times as long, so a
// longer text cannot be the same and need not be read.
func same(raw json.RawMessage, value any) bool {
	text, err := json.Marshal(value)
	if err != nil || len(raw) > len(`\u0000`)*len(text) {
		return false
	}
	var sent, wanted any
	return json.Unmarshal(raw, &sent) == nil && json.Unmarshal(text, &wanted) == nil && reflect.DeepEqual(sent, wanted)
}

// firstVersion checks the version in a request for a new thing. It accepts any version, because a client may create a copy of
// a thing by sending what it has read.
func (f *returned) firstVersion(m mergepatch.Member[int64]) {
	if version, given := m.Get(); given && version < 1 {
		f.add(fault.Detail{Attribute: "lockVersion", Message: "It is not a version. Versions begin at 1.", Hint: "Leave it out."})
	}
}

// ifMatch is the header with the versions that a change insists on (RFC 9110 §13.1.1).
type ifMatch struct {
	IfMatch string `header:"If-Match" doc:"The ETag of the version to change, a list of ETags, or *. If none of them is the current ETag, the answer is 409 UpdateConflict and nothing is written. A weak ETag (W/…) never matches." example:"\"3\""`
}

// noVersion is the member lockVersion of a request that has no body.
var noVersion mergepatch.Member[int64]

// weak begins a weak entity tag (RFC 9110 §8.8.3).
const weak = "W/"

var (
	entityTag  = regexp.MustCompile(`(?:W/)?"[^\x00-\x20"\x7f]*"`)
	entityTags = regexp.MustCompile(`^[ \t,]*` + entityTag.String() + `(?:[ \t]*,[ \t,]*` + entityTag.String() + `)*[ \t,]*$`)
)

// insistence returns the version that the header and the member lockVersion insist on. It returns a fault of kind
// InvalidQuery if the header is not a list of entity tags.
func (m ifMatch) insistence(lockVersion mergepatch.Member[int64]) (insists api.Insistence, err error) {
	if version, given := lockVersion.Get(); given {
		insists.LockVersion = &version
	}
	switch {
	case m.IfMatch == "" || strings.TrimSpace(m.IfMatch) == "*":
		return insists, nil
	case !entityTags.MatchString(m.IfMatch):
		return insists, fault.BadParameter("If-Match", "The header is not a list of entity tags.", `Send the ETag with its quotation marks, or *.`)
	}
	tags := entityTag.FindAllString(m.IfMatch, -1)
	insists.Check = func(lockVersion int64) error { return matches(tags, hal.ETag(lockVersion)) }
	return insists, nil
}

// matches returns a fault of kind UpdateConflict if the current entity tag is not one of tags.
func matches(tags []string, current string) error {
	if slices.Contains(tags, current) {
		return nil
	}
	isStrong := func(tag string) bool { return !strings.HasPrefix(tag, weak) }
	if slices.Contains(tags, weak+current) || !slices.ContainsFunc(tags, isStrong) {
		return fault.New(fault.UpdateConflict, "If-Match has a weak entity tag (W/…), which never matches (RFC 9110 §13.1.1). Nothing was written.").
			With("Send the ETag without W/, which a proxy has probably added.")
	}
	return api.Conflict()
}
