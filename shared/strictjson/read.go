// Package strictjson reads the bodies of requests. It refuses what package encoding/json lets pass: members that
// are unknown, misspelt in their case or given twice, null where there can be none, and bytes that are no UTF-8.
// What it finds wrong comes in two kinds: text that is no JSON object is a fault with its line and column; members
// that are unknown or of the wrong type are problems, each with its attribute, so that a client hears of all of
// them, and of the rules that others break, at once.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"nepenthes/shared/fault"
)

// Read reads body, one JSON object, into the struct of Members that into points to. err is a fault of kind
// InvalidRequestBody when the text cannot be read; problems lists the members that do not fit.
func Read(body []byte, into any) (problems fault.Details, err error) {
	if err := Check(body); err != nil {
		return fault.Details{}, err
	}
	r := &reader{}
	r.object("", body, reflect.ValueOf(into).Elem())
	return r.problems, nil
}

// Check looks whether body is one JSON object in UTF-8, escapes included, in which no member comes twice. Its fault is of kind
// InvalidRequestBody and says where reading ended.
func Check(body []byte) error {
	if at := invalidUTF8(body); at >= 0 {
		return refuse(body, at, "The body is not UTF-8")
	}
	var whole json.RawMessage
	if syntax, ok := errors.AsType[*json.SyntaxError](json.Unmarshal(body, &whole)); ok {
		return refuseSyntax(body, syntax)
	}
	if start := bytes.TrimLeft(body, " \t\r\n"); start[0] != '{' {
		return refuse(body, len(body)-len(start), "The body is not a JSON object")
	}
	if at := halfPair(body); at >= 0 {
		return refuse(body, at, "An escape stands for half a character (a lone surrogate)")
	}
	if at := repeated(body); at >= 0 {
		return refuse(body, at, "A member comes twice in one object of the body")
	}
	return nil
}

func refuseSyntax(body []byte, syntax *json.SyntaxError) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return refuse(body, 0, "The body is empty where a JSON object is expected")
	}
	// The offset counts the bytes read: the last of them is the one that does not fit, unless all were fine.
	if at := int(syntax.Offset) - 1; at >= 0 && at < len(body) && !strings.HasPrefix(syntax.Error(), "unexpected end") {
		return refuse(body, at, "The body is not JSON: it goes wrong")
	}
	return refuse(body, len(body), "The body is not JSON: it ends too early")
}

// refuse makes the fault about the byte at. Lines and columns count from 1, columns in characters.
func refuse(body []byte, at int, what string) error {
	before := body[:at]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	return fault.New(fault.InvalidRequestBody, "%s at line %d, column %d.", what, line, column).
		With("Send one JSON object in UTF-8, in which no member comes twice.")
}

// invalidUTF8 is where the first byte stands that is no UTF-8, -1 when there is none.
func invalidUTF8(body []byte) int {
	if utf8.Valid(body) {
		return -1
	}
	for at := 0; ; {
		r, size := utf8.DecodeRune(body[at:])
		if r == utf8.RuneError && size <= 1 {
			return at
		}
		at += size
	}
}

// halfPair is where the first escape stands that is half of a surrogate pair without the other, -1 when there is none.
// Such a text has no UTF-8 (RFC 7493 §2.1); package json would change it silently. body is JSON.
func halfPair(body []byte) int {
	unit := func(at int) rune {
		if !bytes.HasPrefix(body[at:], []byte(`\u`)) {
			return -1
		}
		n, _ := strconv.ParseUint(string(body[at+2:at+6]), 16, 16)
		return rune(n)
	}
	for at := 0; at < len(body); at++ {
		if body[at] != '\\' {
			continue
		}
		first := unit(at)
		switch {
		case first < 0:
			at++ // a short escape
		case !utf16.IsSurrogate(first):
			at += len(`u0000`)
		case utf16.DecodeRune(first, unit(at+len(`\u0000`))) == utf8.RuneError:
			return at
		default:
			at += len(`u0000\u0000`)
		}
	}
	return -1
}

// repeated is where the first member begins whose name its object had before, -1 when there is none. body is JSON.
func repeated(body []byte) int {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber() // a number beyond float64 is no fault of syntax
	var open []names
	for {
		from := int(decoder.InputOffset())
		token, err := decoder.Token()
		if err != nil { // io.EOF: the text was checked before
			return -1
		}
		switch token {
		case json.Delim('{'):
			open = append(open, names{isObject: true})
			continue
		case json.Delim('['):
			open = append(open, names{})
			continue
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
			if len(open) > 0 {
				open[len(open)-1].valueRead()
			}
			continue
		}
		if len(open) > 0 && open[len(open)-1].again(token) {
			return from + bytes.IndexByte(body[from:], '"')
		}
	}
}

// names are those of one open object; an open list has none.
type names struct {
	isObject bool
	seen     map[string]bool // made at the first name: most of the memory of many empty objects would be their maps
	value    bool            // the next token is a member's value
}

func (n *names) valueRead() { n.value = false }

// again takes a token that opens and closes nothing, and reports whether it is a name that was there before.
func (n *names) again(token json.Token) bool {
	if !n.isObject {
		return false
	}
	if n.value {
		n.value = false
		return false
	}
	name := token.(string)
	was := n.seen[name]
	if n.seen == nil {
		n.seen = map[string]bool{}
	}
	n.seen[name], n.value = true, true
	return was
}

// reader gathers what does not fit in one body.
type reader struct{ problems fault.Details }

func (r *reader) add(attribute, message, hint string) {
	r.problems.Add(fault.Detail{Attribute: attribute, Message: message, Hint: hint})
}

// object reads the members of raw, an object, into the Members of a struct, in the order of the text.
func (r *reader) object(path string, raw json.RawMessage, into reflect.Value) {
	fields := fieldsOf(into)
	decoder := json.NewDecoder(bytes.NewReader(raw))
	mustToken(decoder)
	for decoder.More() {
		name := mustToken(decoder).(string)
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			panic(fmt.Sprintf("strictjson: checked text cannot be read: %v", err))
		}
		if member, known := fields[name]; known {
			member.read(r, path+name, value)
			continue
		}
		r.add(path+quotable(name), "There is no such member.", "Leave it out, or correct its name: names are exact.")
	}
}

// mustToken reads a token of text that was checked before.
func mustToken(decoder *json.Decoder) json.Token {
	token, err := decoder.Token()
	if err != nil && err != io.EOF {
		panic(fmt.Sprintf("strictjson: checked text cannot be read: %v", err))
	}
	return token
}

// quotable cuts a name that a client made up.
func quotable(name string) string {
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

// fieldsOf finds the Members of a struct by their names in JSON, those of embedded structs included.
func fieldsOf(v reflect.Value) map[string]reads {
	fields := map[string]reads{}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Anonymous && field.Type.Kind() == reflect.Struct {
			for name, member := range fieldsOf(v.Field(i)) {
				fields[name] = member
			}
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if member, ok := v.Field(i).Addr().Interface().(reads); ok && name != "" && name != "-" {
			fields[name] = member
		}
	}
	return fields
}
