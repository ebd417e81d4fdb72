package strictjson

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// Member is a member of a JSON object that tells absent, null and given apart, as a merge patch needs it
// (RFC 7396). T is string, bool, an integer, a list or a map of strings, json.RawMessage, or a struct of Members.
// The zero Member is absent.
type Member[T any] struct {
	value T
	state state
}

type state uint8

const (
	absent state = iota
	null
	given
	misread // something stood there that is no T; it was told as a problem
)

// Of is a member that is given: for callers that build a value themselves instead of reading one.
func Of[T any](value T) Member[T] { return Member[T]{value: value, state: given} }

// Null is a member that is null.
func Null[T any]() Member[T] { return Member[T]{state: null} }

// Get is the value, and whether one was given.
func (m Member[T]) Get() (T, bool) { return m.value, m.state == given }

// IsNull reports whether the member is there and null.
func (m Member[T]) IsNull() bool { return m.state == null }

// IsAbsent reports whether the object has no such member.
func (m Member[T]) IsAbsent() bool { return m.state == absent }

// Take changes to as the member says: to the value given, to reset when it is null, not at all otherwise.
func (m Member[T]) Take(to *T, reset T) {
	switch m.state {
	case given:
		*to = m.value
	case null:
		*to = reset
	}
}

// Schema describes T, for the API's document.
func (m Member[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}

// reads is what every Member does, whatever its T.
type reads interface {
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

// decode reads raw into into. It returns what stands there instead should be, "" when it is right; what is wrong
// within an object is told by the object's own members.
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

// decodeInteger reads an integer, also one that is written like 3.0 or 1e3, as JSON Schema allows it.
func decodeInteger[I int | int64](raw json.RawMessage, into *I) string {
	if json.Unmarshal(raw, into) == nil {
		return ""
	}
	const exact = 1 << 53 // beyond it not every integer is a float64
	var f float64
	if json.Unmarshal(raw, &f) != nil || f != math.Trunc(f) || math.Abs(f) >= exact {
		return "an integer"
	}
	*into = I(f)
	return ""
}

// decodeList reads a list of strings; null is none, although package json would make "" of it.
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
