// Package mergepatch reads the bodies of requests as merge patches (RFC 7396) into structs of members.
//
// There are two kinds of faults. A body that is not one I-JSON object is a fault with a line and a column. Members that are
// unknown or have the wrong type are details, each with its attribute, so that a client sees all of them at once, together
// with the attributes that break other rules.
package mergepatch

import (
	"bytes"
	"reflect"
	"strings"

	"nepenthes/shared/fault"
	"nepenthes/shared/strictjson"
)

// Read reads body, one JSON object, into the struct of Members that into points to. The details are the members that do
// not fit. Read returns a fault of kind InvalidRequestBody if the body is not an I-JSON object.
func Read(body []byte, into any) (problems fault.Details, err error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return fault.Details{}, Missing()
	}
	if err := strictjson.CheckIJSON(body); err != nil {
		return fault.Details{}, fault.New(fault.InvalidRequestBody, "The body cannot be read at line %d, column %d. %s", err.Line, err.Column, err.Problem).
			With(hint)
	}
	r := &reader{}
	r.object("", body, reflect.ValueOf(into).Elem())
	return r.problems, nil
}

const hint = "Send one JSON object in UTF-8, without duplicate members."

// Missing returns the fault of an empty body. It names a position, as the other faults of bodies do, so that clients can
// parse all of them in the same way.
func Missing() error {
	return fault.New(fault.InvalidRequestBody, "The body is empty, but a JSON object is expected at line 1, column 1.").With(hint)
}

// reader collects the members of one body that do not fit.
type reader struct{ problems fault.Details }

func (r *reader) add(attribute, message, hint string) {
	r.problems.Add(fault.Detail{Attribute: attribute, Message: message, Hint: hint})
}

// object reads the members of raw, an object that has been checked, into the Members of a struct, in the order of the
// text.
func (r *reader) object(path string, raw []byte, into reflect.Value) {
	fields := membersOf(into)
	_ = strictjson.ObjectAt(raw, bytes.IndexByte(raw, '{'), func(name, value strictjson.Span) string {
		decoded, _ := strictjson.Unquote(raw[name.From:name.To])
		if member, known := fields[string(decoded)]; known {
			member.read(r, path+string(decoded), raw[value.From:value.To])
		} else {
			r.add(path+shortened(string(decoded)), "There is no such member.", "Leave it out, or correct its name. Names must match exactly.")
		}
		return ""
	})
}

// shortened returns a name that a client chose, cut to 100 characters.
func shortened(name string) string {
	const longest = 100
	shown := 0
	for i := range name {
		if shown == longest {
			return name[:i] + "…"
		}
		shown++
	}
	return name
}

// membersOf returns the Members of a struct, including those of embedded structs, by their names in JSON.
func membersOf(v reflect.Value) map[string]readable {
	all := map[string]readable{}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Anonymous && field.Type.Kind() == reflect.Struct {
			for name, member := range membersOf(v.Field(i)) {
				all[name] = member
			}
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if member, ok := v.Field(i).Addr().Interface().(readable); ok && name != "" && name != "-" {
			all[name] = member
		}
	}
	return all
}
