package mergepatch

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// Member is a member of a JSON object. It distinguishes absent, null and given values, as a merge patch requires. T is
// string, bool, an integer, a list of strings, a map of strings, json.RawMessage, or a struct of Members. The zero Member
// is absent.
type Member[T any] struct {
	value T
	state state
}

type state uint8

const (
	absent state = iota
	null
	given
	misread // the value is not a T; it is among the problems of the body
)

// Of returns a Member with a value.
func Of[T any](value T) Member[T] { return Member[T]{value: value, state: given} }

// Null returns a Member that is null.
func Null[T any]() Member[T] { return Member[T]{state: null} }

// Get returns the value, and whether there is one.
func (m Member[T]) Get() (T, bool) { return m.value, m.state == given }

// IsNull reports whether the member is present and null.
func (m Member[T]) IsNull() bool { return m.state == null }

// IsAbsent reports whether the object has no such member.
func (m Member[T]) IsAbsent() bool { return m.state == absent }

// Schema returns the schema of T for the document of the API.
func (m Member[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}

// readable is implemented by every Member, whatever its T.
type readable interface {
	read(r *reader, path string, raw json.RawMessage)
}

func (m *Member[T]) read(r *reader, path string, raw json.RawMessage) {
	if bytes.Equal(raw, []byte("null")) {
		m.state = null
		return
	}
	m.state = misread
	if want := decode(r, path, raw, &m.value); want != "" {
		r.add(path, "It must be "+want+".", "")
		return
	}
	m.state = given
}

// decode reads raw into the value that into points to. If raw has another type, decode returns the type that it should have.
// Faults inside an object are reported for the members of that object.
func decode(r *reader, path string, raw json.RawMessage, into any) (want string) {
	switch into := into.(type) {
	case *json.RawMessage:
		*into = raw
	case *string:
		return expect(raw, into, "a string")
	case *bool:
		return expect(raw, into, "true or false")
	case *int:
		return decodeInteger(raw, into)
	case *int64:
		return decodeInteger(raw, into)
	case *[]string:
		return decodeList(raw, into)
	case *map[string]string:
		return decodeMap(raw, into)
	default:
		if raw[0] != '{' {
			return "an object"
		}
		r.object(path+".", raw, reflect.ValueOf(into).Elem())
	}
	return ""
}

func expect(raw json.RawMessage, into any, want string) string {
	if json.Unmarshal(raw, into) != nil {
		return want
	}
	return ""
}

// decodeInteger reads an integer. It also accepts 3.0 and 1e3, which are integers in JSON Schema.
func decodeInteger[I int | int64](raw json.RawMessage, into *I) string {
	if json.Unmarshal(raw, into) == nil {
		return ""
	}
	const exact = 1 << 53 // a float64 cannot represent every integer above it
	var f float64
	if json.Unmarshal(raw, &f) != nil || f != math.Trunc(f) || math.Abs(f) >= exact {
		return "an integer"
	}
	*into = I(f)
	return ""
}

// decodeList reads a list of strings. It refuses null, which package json would read as "".
func decodeList(raw json.RawMessage, into *[]string) string {
	const want = "a list of strings"
	var list []*string
	if raw[0] != '[' || json.Unmarshal(raw, &list) != nil {
		return want
	}
	*into = make([]string, 0, len(list))
	for _, entry := range list {
		if entry == nil {
			return want
		}
		*into = append(*into, *entry)
	}
	return ""
}

func decodeMap(raw json.RawMessage, into *map[string]string) string {
	const want = "an object whose members are strings"
	var members map[string]*string
	if raw[0] != '{' || json.Unmarshal(raw, &members) != nil {
		return want
	}
	*into = make(map[string]string, len(members))
	for name, value := range members {
		if value == nil {
			return want
		}
		(*into)[name] = *value
	}
	return ""
}
