// Package form reads what people type into the forms of the console, keeps it as they typed it, and turns it into the
// inputs of the operations of package api. The operations check it. Package form only reports what an input cannot
// hold, such as a text that should be a number.
package form

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"nepenthes/shared/api"
	"nepenthes/shared/fault"
)

// Values are the fields that came.
type Values struct{ url.Values }

// text is a field with line ends as we write them; browsers send others (HTML standard, "newline
// normalization").
func (v Values) text(name string) string { return clean(v.Get(name)) }

func clean(text string) string {
	return strings.ReplaceAll(text, "\r\n", "\n")
}

// list is every value of a field.
func (v Values) list(name string) []string {
	var all []string
	for _, value := range v.Values[name] {
		all = append(all, clean(value))
	}
	return all
}

// ticked reports whether a check box was.
func (v Values) ticked(name string) bool { return v.Has(name) }

// problems collects what an input cannot hold.
type problems struct{ fault.Details }

func (p *problems) note(attribute, message string) {
	p.Add(fault.Detail{Attribute: attribute, Message: message})
}

// wholeNumber reads a whole number for the attribute. The Patch says nothing if there is none.
func (p *problems) wholeNumber(attribute, text string) api.Patch[int] {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		p.note(attribute, "It must be a whole number.")
		return api.Patch[int]{}
	}
	return api.Set(n)
}

// filledFrom returns the insistence on the version that the form was filled from. A text that is not a version matches
// no version, so that a form that somebody tampered with overwrites nothing.
func filledFrom(text string) api.Insistence {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		n = -1
	}
	return api.OnVersion(n)
}

// lines splits a text area.
func lines(text string) []string {
	if text == "" {
		return []string{}
	}
	return strings.Split(text, "\n")
}

// sorted is a copy in order, to compare lists that are sets.
func sorted(list []string) []string {
	return slices.Sorted(slices.Values(list))
}

// Forget is a copy of the fields in which those that must not be shown again are empty. They keep their number: rows
// of a table stay rows. A header whose value is forgotten is no longer kept, so that the value is asked for.
func Forget(values url.Values, secrets []string) Values {
	v := Values{url.Values{}}
	for name := range values {
		v.Values[name] = Values{values}.list(name)
	}
	for i, value := range v.Values["header_value"] {
		if kept := v.Values["header_kept"]; value != "" && i < len(kept) {
			kept[i] = ""
		}
	}
	for _, name := range secrets {
		for i := range v.Values[name] {
			v.Values[name][i] = ""
		}
	}
	return v
}

// Names lists the fields in alphabetical order.
func (v Values) Names() []string { return slices.Sorted(maps.Keys(v.Values)) }

// WholeNumber reads a whole number for the attribute. The problems say if the text is not a number.
func WholeNumber(attribute, text string) (api.Patch[int], fault.Details) {
	var found problems
	n := found.wholeNumber(attribute, text)
	return n, found.Details
}
