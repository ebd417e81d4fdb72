package page

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"nepenthes/shared/fault"
)

// Field is a control of a form with its texts.
type Field struct {
	ID, Name, Label, Hint string
	Value                 string
	Checked               bool
	// Type, Min, Max, Rows, Width and Autocomplete describe the control. Empty values mean the defaults of its template.
	Type, Min, Max, Width, Autocomplete string
	Rows                                int
	Options                             []Option
	// Fixed reports whether the control cannot be changed.
	Fixed bool
	// Focus reports whether the control has the focus when the page opens.
	Focus  bool
	Faults []fault.Detail
	// Theirs is the value that somebody else saved meanwhile.
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

// CodeHead returns the code up to its colon, after which a line may break.
func (b Box) CodeHead() string { return b.Code[:strings.Index(b.Code, ":")+1] }

// CodeTail returns the rest of the code.
func (b Box) CodeTail() string { return b.Code[strings.Index(b.Code, ":")+1:] }

// options returns the options for pairs of a value and a label. chosen is the value of the chosen option.
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

// Summary lists the faults of a form, above the form.
type Summary struct {
	Title, Text string
	Entries     []SummaryEntry
}

// SummaryEntry is a fault. Field is the id of its control, or empty if the fault is not about a single control.
type SummaryEntry struct{ Text, Field string }

// SummaryOf returns a summary of the faults of err, or nil if err is nil.
func SummaryOf(err error, fields []*Field) *Summary {
	if err == nil {
		return nil
	}
	f := fault.From(err)
	if len(f.Details) == 0 {
		return &Summary{Title: f.Message, Text: f.Hint}
	}
	return summary(shownDetails(f), f.Count(), fields)
}

// faultsShown is the largest number of faults on a page. An additional entry counts the others, which are shown once these
// are corrected. Each fault is on the page twice: in the summary and at its field.
const faultsShown = 20

// shownDetails returns the details of f that a page shows.
func shownDetails(f *fault.Fault) []fault.Detail {
	if f.Count() <= faultsShown {
		return f.Details
	}
	first := f.Details[:faultsShown:faultsShown]
	return append(first, fault.Detail{Message: "There are " + strconv.Itoa(f.Count()-faultsShown) + " more."})
}

// summary returns a summary of the details. The details of fields come first, in the order of the page. The details of members
// that the form does not have follow. count is the number of all faults, including those that are not shown.
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

// AssignFaults adds to each field the faults of err about its attribute. attributes[i] is the attribute of fields[i].
func AssignFaults(err error, attributes []string, fields []*Field) {
	if err == nil {
		return
	}
	for _, d := range shownDetails(fault.From(err)) {
		for i, attribute := range attributes {
			if d.Attribute == attribute || strings.HasPrefix(d.Attribute, attribute+".") {
				fields[i].Faults = append(fields[i].Faults, d)
				break
			}
		}
	}
}

// Compare sets Theirs of each field whose values differ. mine[i] and theirs[i] are the values of fields[i] as they are
// shown.
func Compare(mine, theirs []string, fields []*Field) {
	for i := range fields {
		if mine[i] == theirs[i] {
			continue
		}
		fields[i].Theirs = theirs[i]
		if theirs[i] == "" {
			fields[i].Theirs = "(empty)"
		}
	}
}

// Conflict returns the summary for a form that somebody else saved meanwhile.
func Conflict() *Summary {
	return &Summary{
		Title: "Somebody else saved meanwhile",
		Text:  "Your input is kept. Where it differs, the saved value is shown below yours. Press Save again to overwrite the saved values.",
	}
}

// faultsOf returns the details of f, or f itself as a detail if it has none.
func faultsOf(f *fault.Fault) []fault.Detail {
	if len(f.Details) > 0 {
		return shownDetails(f)
	}
	return []fault.Detail{{Message: f.Message, Hint: f.Hint}}
}
