// Package form reads the forms of the console. It keeps the input as it was typed, and makes the inputs of the operations
// of package api from it. The operations check their inputs. Package form only reports values that an input cannot hold, such
// as a text in place of a number.
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

// Values are the fields of a form that was sent.
type Values struct{ url.Values }

// text returns the value of a field with "\n" as the line end. Browsers send "\r\n" (HTML standard, "newline
// normalization").
func (v Values) text(name string) string { return clean(v.Get(name)) }

func clean(text string) string {
	return strings.ReplaceAll(text, "\r\n", "\n")
}

// list returns all values of a field.
func (v Values) list(name string) []string {
	var all []string
	for _, value := range v.Values[name] {
		all = append(all, clean(value))
	}
	return all
}

// ticked reports whether a check box was ticked.
func (v Values) ticked(name string) bool { return v.Has(name) }

// problems collects the fields whose text an input cannot hold.
type problems struct{ fault.Details }

func (p *problems) note(attribute, message string) {
	p.Add(fault.Detail{Attribute: attribute, Message: message})
}

// wholeNumber parses a whole number for the attribute. It returns an empty Patch if the text is not one.
func (p *problems) wholeNumber(attribute, text string) api.Patch[int] {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		p.note(attribute, "It must be a whole number.")
		return api.Patch[int]{}
	}
	return api.Set(n)
}

// filledFrom returns the insistence on the version that the form was filled from. A text that is not a version matches no
// version, so that a form that somebody manipulated overwrites nothing.
func filledFrom(text string) api.Insistence {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		n = -1
	}
	return api.OnVersion(n)
}

// lines returns the lines of a text area.
func lines(text string) []string {
	if text == "" {
		return []string{}
	}
	return strings.Split(text, "\n")
}

// sorted returns a sorted copy of the list, so that lists can be compared like sets.
func sorted(list []string) []string {
	return slices.Sorted(slices.Values(list))
}

// Cleared returns a copy of the fields in which all values of the secret fields are empty. The number of values stays the
// same, so that the rows of a table stay together. A header whose new value is cleared no longer keeps its old value, so
// the user must enter a value.
func Cleared(values url.Values, secrets []string) Values {
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

// Names returns the names of the fields in alphabetical order.
func (v Values) Names() []string { return slices.Sorted(maps.Keys(v.Values)) }

// WholeNumber parses a whole number for the attribute. If the text is not a whole number, the details have a fault.
func WholeNumber(attribute, text string) (api.Patch[int], fault.Details) {
	var found problems
	n := found.wholeNumber(attribute, text)
	return n, found.Details
}
