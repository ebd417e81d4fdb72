package rest

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"nepenthes/events"
	"nepenthes/shared/fault"
	"nepenthes/shared/instant"
)

// jsonBody is a JSON body of a request, such as body.
type jsonBody interface{ ReadJSON(text []byte) error }

// input describes how to read a request into a struct. The tags path, query and header of a field name a parameter. The
// field of the body either can read JSON, or has the tag body and holds bytes.
type input struct {
	fields  []inputField
	queries bool                // whether there is a parameter in the query or a header
	body    []int               // the index of the body's field; nil if there is no body
	field   reflect.StructField // the body's field
	event   string              // the tag body of that field, which names the kind of event in the body
}

// inputField is a field for a parameter: where the parameter is, and its name there.
type inputField struct {
	reflect.StructField
	index    []int
	in, name string
}

// fieldKinds are the places of parameters. Each is also the name of its tag.
var fieldKinds = []string{"path", "query", "header"}

// inputOf finds the fields of a struct and of its embedded structs. It runs once for each route, because reflection over tags
// is too slow for each request.
func inputOf(t reflect.Type) *input {
	in := &input{}
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous {
			continue
		}
		if _, isBody := reflect.New(f.Type).Interface().(jsonBody); isBody {
			in.body, in.field = f.Index, f
		}
		if name, isEvent := f.Tag.Lookup("body"); isEvent {
			in.body, in.field, in.event = f.Index, f, name
		}
		for _, kind := range fieldKinds {
			if name, ok := f.Tag.Lookup(kind); ok {
				in.fields = append(in.fields, inputField{f, f.Index, kind, name})
				in.queries = in.queries || kind == "query" || kind == "header"
			}
		}
	}
	return in
}

// read reads the request and its body into v, a struct. It checks the body before the query, as docs/api.md describes.
func (in *input) read(x *exchange, body []byte, v reflect.Value) error {
	if in.body != nil {
		if err := in.readBody(body, v.FieldByIndex(in.body)); err != nil {
			return err
		}
	}
	var query url.Values
	if x.r.URL.RawQuery != "" {
		var err error
		// A semicolon is an ordinary character (WHATWG URL, "application/x-www-form-urlencoded parsing"), but package
		// url refuses it.
		if query, err = url.ParseQuery(strings.ReplaceAll(x.r.URL.RawQuery, ";", "%3B")); err != nil {
			return fault.BadParameter("query", "It is not percent-encoded.", "Encode names and values.")
		}
	}
	for i := range in.fields {
		f := &in.fields[i]
		switch f.in {
		case "path":
			v.FieldByIndex(f.index).SetString(x.r.PathValue(f.name))
		case "header":
			v.FieldByIndex(f.index).SetString(strings.Join(x.r.Header.Values(f.name), ", "))
		case "query":
			if err := f.readQuery(query[f.name], v.FieldByIndex(f.index)); err != nil {
				return err
			}
		}
	}
	return nil
}

// readBody reads the body into its field, either as bytes or as JSON.
func (in *input) readBody(text []byte, v reflect.Value) error {
	switch to := v.Addr().Interface().(type) {
	case *[]byte:
		*to = text
	case jsonBody:
		if len(text) > 0 { // readBody of the route refuses an empty body unless the body is optional
			return to.ReadJSON(text)
		}
	}
	return nil
}

// readQuery reads a parameter of the query. An empty value is refused unless any text is acceptable: a client that builds a
// query from an unset variable should notice it.
func (f *inputField) readQuery(values []string, v reflect.Value) error {
	switch len(values) {
	case 0:
		return nil
	case 1:
	default:
		return fault.BadParameter(f.name, "It is given more than once.", "Give it only once.")
	}
	text := values[0]
	if text == "" && !f.takesEmpty() {
		return fault.BadParameter(f.name, "It is empty.", "Give it a value, or leave it out.")
	}
	switch to := v.Addr().Interface().(type) {
	case *string:
		*to = text
	case **int:
		n, err := strconv.Atoi(text)
		// Atoi accepts a plus sign, but integers in JSON do not have one. If the number is out of range, n is the nearest
		// int, which the operation clamps.
		if strings.HasPrefix(text, "+") || err != nil && !errors.Is(err, strconv.ErrRange) {
			return fault.BadParameter(f.name, "It is not an integer.", "")
		}
		*to = &n
	case *time.Time:
		// A plus sign that was not encoded arrives as a space.
		t, ok := events.ParseTime(strings.Replace(text, " ", "+", 1))
		if !ok {
			return fault.BadParameter(f.name, "It is not an RFC 3339 time.", "Write it like 2026-01-02T11:00:00.000Z.")
		}
		// Links contain the time in UTC, and RFC 3339 has only these years.
		if year := t.UTC().Year(); year < 1 || year > 9999 {
			return fault.BadParameter(f.name, "In UTC it is not within the years 1 to 9999.", "Leave it out, or give a time within these years.")
		}
		if t = instant.Cut(t); t.IsZero() { // the zero time means an absent parameter
			t = t.Add(time.Nanosecond)
		}
		*to = t
	}
	return nil
}

// takesEmpty reports whether any text is acceptable for the parameter.
func (f *inputField) takesEmpty() bool {
	return f.Type.Kind() == reflect.String && f.Tag.Get("enum") == "" && f.Tag.Get("minLength") == ""
}

// readText reads the body of a request, which may have at most limit bytes. It allocates the announced size only after it has
// compared it with the limit.
func readText(r *http.Request, limit int) ([]byte, error) {
	if r.ContentLength > int64(limit) {
		return nil, tooLarge(limit)
	}
	if r.ContentLength == 0 || r.Body == nil {
		return nil, nil
	}
	var text []byte
	var err error
	if r.ContentLength > 0 {
		text = make([]byte, r.ContentLength)
		_, err = io.ReadFull(r.Body, text)
	} else {
		text, err = io.ReadAll(io.LimitReader(r.Body, int64(limit)+1))
	}
	if err != nil {
		return nil, fault.New(fault.InvalidRequestBody, "The body ended early.").With("Send the request again.").Because(err)
	}
	if len(text) > limit {
		return nil, tooLarge(limit)
	}
	return text, nil
}

// tooLarge returns the fault of a body that is larger than limit bytes.
func tooLarge(limit int) error {
	return fault.New(fault.PayloadTooLarge, "The body has more than %d bytes.", limit).With("Send less data in one request.")
}
