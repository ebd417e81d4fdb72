package fault

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// What is told about faults, so that no answer about them is longer than 64 KiB, neither as JSON nor on a page. Bytes
// are counted as an answer has them, see escapedSize.
const (
	// DetailsMax is how many details are told of one request; one more says how many there are besides.
	DetailsMax = 100
	// detailsBytes bounds the texts of all details that are told.
	detailsBytes = 40 << 10
	// textMax bounds one message or hint, attributeMax the path of an attribute, operationMax what Wrap says.
	textMax      = 2 << 10
	attributeMax = 512
	operationMax = 512
	// quotedMax is how many characters of what a client wrote are shown.
	quotedMax = 80
)

// Detail names one attribute that is wrong, says why, and what to do about it.
type Detail struct {
	// Kind is PropertyConstraintViolation or PropertyIsReadOnly; zero means the former.
	Kind Kind `json:"-"`
	// Attribute is the path of the member, such as "payloadUrl" or "projects.ids"; empty for what is about the whole.
	Attribute string `json:"attribute"`
	// Message says what is wrong with it.
	Message string `json:"message"`
	// Hint says what to do next; it may be empty.
	Hint string `json:"hint,omitempty"`
}

// Details gathers what is wrong with one request, so that its sender hears of everything at once. However much is
// wrong, its memory is bounded: it keeps the first DetailsMax details and counts the others. The zero Details is empty
// and ready for use. A copy goes its own way.
type Details struct {
	told   []Detail
	bytes  int // of told, as escapedSize counts
	untold int
}

// Add notes details. Texts that are too long are cut.
func (d *Details) Add(details ...Detail) {
	for _, detail := range details {
		d.add(detail)
	}
}

func (d *Details) add(detail Detail) {
	if d.untold > 0 || len(d.told) == DetailsMax {
		d.untold++
		return
	}
	detail.Attribute = cut(detail.Attribute, attributeMax)
	detail.Message, detail.Hint = cut(detail.Message, textMax), cut(detail.Hint, textMax)
	size := escapedSize(detail.Attribute) + escapedSize(detail.Message) + escapedSize(detail.Hint)
	if d.bytes+size > detailsBytes {
		d.untold++
		return
	}
	d.told, d.bytes = append(d.told, detail), d.bytes+size
}

// Join notes what somebody else found about attributes of which nothing is told yet: what is not a string need not be
// told to be too short as well. Several details of others about one attribute, such as the lines of a list, are all
// noted.
func (d *Details) Join(others Details) {
	before := *d
	for _, detail := range others.told {
		if !before.Has(detail.Attribute) {
			d.add(detail)
		}
	}
	d.untold += others.untold
}

// Omit notes n details of which nothing is known but that they are there.
func (d *Details) Omit(n int) { d.untold += n }

// Has reports whether a detail about the attribute is told. Of details beyond the limits it knows nothing.
func (d Details) Has(attribute string) bool {
	for i := range d.told {
		if d.told[i].Attribute == attribute {
			return true
		}
	}
	return false
}

// Len is how many details were noted, those included that will not be told.
func (d Details) Len() int { return len(d.told) + d.untold }

// Told lists the details that will be told, in the order in which they were noted.
func (d Details) Told() []Detail { return d.told }

// Err makes the fault of the details: of the kind of the only one, MultipleErrors for several, and nil for none, so
// that a validator can end with it.
func (d Details) Err() error {
	if d.Len() == 0 {
		return nil
	}
	if len(d.told) == 1 && d.untold == 0 {
		only := d.told[0]
		if only.Kind == Internal {
			only.Kind = PropertyConstraintViolation
		}
		return &Fault{Kind: only.Kind, Message: only.Message, Hint: only.Hint, Details: d.told}
	}
	f := &Fault{
		Kind:    MultipleErrors,
		Message: fmt.Sprintf("%d attributes are not acceptable.", d.Len()),
		Hint:    "Every entry of errors names one attribute: mend them all and send the request again.",
		Details: d.told[:len(d.told):len(d.told)],
		Untold:  d.untold,
	}
	if d.untold > 0 {
		f.Details = append(f.Details, Detail{Message: more(d.untold), Hint: "Mend those that are named, and the others will be told."})
	}
	return f
}

func more(n int) string {
	if n == 1 {
		return "There is 1 more."
	}
	return fmt.Sprintf("There are %d more.", n)
}

// Quote shows a client what it wrote: in quotation marks, and cut where nobody would read on.
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

// cut shortens a text that takes more than most bytes in an answer. It reads no more of the text than it keeps.
func cut(text string, most int) string {
	size := 0
	for i, r := range text {
		if size += escapedRune(r); size > most {
			return text[:i] + "…"
		}
	}
	return text
}

// escapedSize is how many bytes a text takes in an answer at most.
func escapedSize(text string) (size int) {
	for _, r := range text {
		size += escapedRune(r)
	}
	return size
}

// escapedRune is how many bytes a character takes at most: in JSON as package json escapes it, and on a page as package
// html/template does. A byte that is not UTF-8 comes as a replacement character, which JSON escapes.
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
