package page

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"nepenthes/shared/fault"
)

// Field is a control of a form with everything that is said about it.
type Field struct {
	ID, Name, Label, Hint string
	Value                 string
	Checked               bool
	// Type, Min, Max, Rows, Width and Autocomplete shape the control; empty is the ordinary one.
	Type, Min, Max, Width, Autocomplete string
	Rows                                int
	Options                             []Option
	// Fixed controls cannot be changed.
	Fixed bool
	// Focus is where the page begins.
	Focus  bool
	Faults []fault.Detail
	// Theirs is what somebody else saved meanwhile.
	Theirs string
}

// Option is one choice of a list.
type Option struct {
	Value, Label string
	Chosen       bool
}

// Choice is one radio button.
type Choice struct {
	Value, Label, Note string
	Checked            bool
}

// Box is a check box of a list.
type Box struct {
	ID, Name, Value, Label string
	Code, Note             string
	Checked, Fixed         bool
}

// CodeHead is the code up to its colon, after which a line may break.
func (b Box) CodeHead() string { return b.Code[:strings.Index(b.Code, ":")+1] }

// CodeTail is the rest of the code.
func (b Box) CodeTail() string { return b.Code[strings.Index(b.Code, ":")+1:] }

// options makes a list; chosen is the value of the one that is.
func options(chosen string, pairs ...string) []Option {
	var list []Option
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, Option{Value: pairs[i], Label: pairs[i+1], Chosen: pairs[i] == chosen})
	}
	return list
}

// optionsOf returns the options for the values of a closed list, labelled by label.
func optionsOf[S ~string](chosen string, all []S, label func(S) string) []Option {
	var list []Option
	for _, value := range all {
		list = append(list, Option{Value: string(value), Label: label(value), Chosen: string(value) == chosen})
	}
	return list
}

// Summary lists what was wrong with a form, above it.
type Summary struct {
	Title, Text string
	Entries     []SummaryEntry
}

// SummaryEntry is one fault; Field is the control at fault, empty when it is about the whole.
type SummaryEntry struct{ Text, Field string }

// SummaryOf lists the faults that err carries, nil for none.
func SummaryOf(err error, fields []*Field) *Summary {
	if err == nil {
		return nil
	}
	f := fault.From(err)
	if len(f.Details) == 0 {
		return &Summary{Title: f.Message, Text: f.Hint}
	}
	return summary(shown(f), f.Count(), fields)
}

// faultsShown is how many faults a page tells; one more says how many there are besides. Whoever mends those sees the
// others, and each stands on the page twice: in the summary and at its field.
const faultsShown = 20

// shown are the details of f that a page tells.
func shown(f *fault.Fault) []fault.Detail {
	if f.Count() <= faultsShown {
		return f.Details
	}
	first := f.Details[:faultsShown:faultsShown]
	return append(first, fault.Detail{Message: "There are " + strconv.Itoa(f.Count()-faultsShown) + " more."})
}

// summary lists the details: those that stand at a field first, in the order of the page, then those about what the
// form does not have. count is how many there are, those included that are not told.
func summary(details []fault.Detail, count int, fields []*Field) *Summary {
	s := &Summary{Title: "This needs a correction"}
	if count > 1 {
		s.Title = fmt.Sprintf("%d things need a correction", count)
	}
	for _, field := range fields {
		for _, d := range field.Faults {
			s.Entries = append(s.Entries, SummaryEntry{Text: field.Label + ": " + d.Message, Field: field.ID})
		}
	}
	for _, d := range details {
		if !slices.ContainsFunc(fields, func(f *Field) bool { return slices.Contains(f.Faults, d) }) {
			s.Entries = append(s.Entries, SummaryEntry{Text: d.Message})
		}
	}
	return s
}

// Blame gives each field the faults that err has about its attribute; attributes[i] belongs to fields[i].
func Blame(err error, attributes []string, fields []*Field) {
	if err == nil {
		return
	}
	for _, d := range shown(fault.From(err)) {
		for i, attribute := range attributes {
			if d.Attribute == attribute || strings.HasPrefix(d.Attribute, attribute+".") {
				fields[i].Faults = append(fields[i].Faults, d)
				break
			}
		}
	}
}

// Compare notes at each field that differs what somebody else saved meanwhile; mine[i] and theirs[i] are the values
// of fields[i], as they are shown.
func Compare(mine, theirs []string, fields []*Field) {
	for i := range fields {
		if mine[i] == theirs[i] {
			continue
		}
		fields[i].Theirs = theirs[i]
		if theirs[i] == "" {
			fields[i].Theirs = "(nothing)"
		}
	}
}

// Conflict is the summary of a form that somebody else was faster with.
func Conflict() *Summary {
	return &Summary{
		Title: "Somebody else saved meanwhile",
		Text:  "Nothing of yours is lost. Where the two differ, what they saved stands below what you typed. Press Save again and yours counts.",
	}
}

// faultsOf are the faults that err has, the one of the whole when it names no attribute.
func faultsOf(f *fault.Fault) []fault.Detail {
	if len(f.Details) > 0 {
		return shown(f)
	}
	return []fault.Detail{{Message: f.Message, Hint: f.Hint}}
}
