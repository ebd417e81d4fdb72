package fault

import (
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"
)

// These limits keep an answer about a fault below 64 KiB, both as JSON and on a page. Bytes are counted as an answer
// contains them; see escapedSize.
const (
	// DetailsMax is the largest number of details in one fault. If there are more, another entry says how many.
	DetailsMax = 100
	// detailsBytes is the limit for the texts of all details together.
	detailsBytes = 40 << 10
	// textMax is the limit in bytes for one message or hint.
	textMax = 2 << 10
	// attributeMax is the limit in bytes for the path of an attribute.
	attributeMax = 512
	// operationMax is the limit in bytes for the text that Wrap adds.
	operationMax = 512
	// quotedMax is the number of characters of a client's text that Quote shows.
	quotedMax = 80
)

// Detail says what is wrong with one attribute and how to correct it.
type Detail struct {
	// Kind is PropertyConstraintViolation or PropertyIsReadOnly. The zero Kind means PropertyConstraintViolation.
	Kind Kind `json:"-"`
	// Attribute is the path of the member, such as "payloadUrl" or "projects.ids". It is empty if the detail is about
	// the request as a whole.
	Attribute string `json:"attribute"`
	// Message says what is wrong with the attribute.
	Message string `json:"message"`
	// Hint says what to do next; it may be empty.
	Hint string `json:"hint,omitempty"`
}

// Details collects everything that is wrong with one request, so that the client sees all of it at once. Its memory is
// bounded: it keeps the first DetailsMax details and counts the others. The zero Details is empty and ready to use.
// Adding to a copy does not change the original.
type Details struct {
	list    []Detail
	bytes   int // size of list as escapedSize counts it
	omitted int
}

// Add adds details and cuts their texts to the limits.
func (d *Details) Add(details ...Detail) {
	for _, detail := range details {
		d.add(detail)
	}
}

func (d *Details) add(detail Detail) {
	if d.omitted > 0 || len(d.list) == DetailsMax {
		d.omitted++
		return
	}
	detail.Attribute = cut(detail.Attribute, attributeMax)
	detail.Message, detail.Hint = cut(detail.Message, textMax), cut(detail.Hint, textMax)
	size := escapedSize(detail.Attribute) + escapedSize(detail.Message) + escapedSize(detail.Hint)
	if d.bytes+size > detailsBytes {
		d.omitted++
		return
	}
	d.list, d.bytes = append(d.list, detail), d.bytes+size
}

// Join adds the details of others about attributes that have no detail yet: an attribute that is not a string need not
// also be too short. If others has several details about one attribute, such as the lines of a list, Join adds all of
// them.
func (d *Details) Join(others Details) {
	before := *d
	for _, detail := range others.list {
		if !before.Has(detail.Attribute) {
			d.add(detail)
		}
	}
	d.omitted += others.omitted
}

// Omit counts n further details whose texts are not known.
func (d *Details) Omit(n int) { d.omitted += n }

// Has reports whether there is a detail about the attribute. It does not see the omitted details.
func (d Details) Has(attribute string) bool {
	for i := range d.list {
		if d.list[i].Attribute == attribute {
			return true
		}
	}
	return false
}

// Len returns the number of details, the omitted ones included.
func (d Details) Len() int { return len(d.list) + d.omitted }

// List returns the details without the omitted ones, in the order in which they were added.
func (d Details) List() []Detail { return d.list }

// Err returns a fault with the details. A single detail decides the kind of the fault; several make MultipleErrors. Err
// returns nil if there are no details, so that a validator can return its result.
func (d Details) Err() error {
	if d.Len() == 0 {
		return nil
	}
	if len(d.list) == 1 && d.omitted == 0 {
		only := d.list[0]
		if only.Kind == Internal {
			only.Kind = PropertyConstraintViolation
		}
		return &Fault{Kind: only.Kind, Message: only.Message, Hint: only.Hint, Details: d.list}
	}
	f := &Fault{
		Kind:    MultipleErrors,
		Message: fmt.Sprintf("%d attributes are not acceptable.", d.Len()),
		Hint:    "Each entry of errors names one attribute. Correct all of them and send the request again.",
		Details: slices.Clip(d.list),
		Omitted: d.omitted,
	}
	if d.omitted > 0 {
		f.Details = append(f.Details, Detail{Message: more(d.omitted), Hint: "Correct the listed attributes first. The next answer lists the others."})
	}
	return f
}

func more(n int) string {
	if n == 1 {
		return "There is 1 more."
	}
	return fmt.Sprintf("There are %d more.", n)
}

// Quote returns a client's text in quotation marks, cut after 80 characters. Control characters are escaped.
func Quote(text string) string {
	shown := 0
	for i := range text {
		if shown == quotedMax {
			return strconv.Quote(text[:i] + "…")
		}
		shown++
	}
	return strconv.Quote(text)
}

// cut returns the beginning of text that takes at most the given number of bytes in an answer. It does not read the
// rest, which may be a megabyte.
func cut(text string, limit int) string {
	size := 0
	for i, r := range text {
		if size += escapedRune(r); size > limit {
			return text[:i] + "…"
		}
	}
	return text
}

// escapedSize returns the largest number of bytes that a text can take in an answer.
func escapedSize(text string) (size int) {
	for _, r := range text {
		size += escapedRune(r)
	}
	return size
}

// escapedRune returns the largest number of bytes that a character can take: in JSON, as encoding/json escapes it, or
// on a page, as html/template does. A byte that is not UTF-8 becomes a replacement character, which JSON escapes.
func escapedRune(r rune) int {
	const escape = len(`\u0000`)
	switch r {
	case '"', '\\', '\'', '<', '>', '&', '+', 0x7f, '\u2028', '\u2029', utf8.RuneError:
		return escape
	}
	if r < ' ' {
		return escape
	}
	return utf8.RuneLen(r)
}
