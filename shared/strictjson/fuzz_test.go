package strictjson_test

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"nepenthes/shared/strictjson"
)

// FuzzCheckIJSON compares CheckIJSON and Object with package encoding/json, which knows the grammar, and with simple tests
// of the other rules.
func FuzzCheckIJSON(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":1,"a":2}`, `{"a":{"b":[{}]},"c":"\ud83d\ude00"}`, `{"a":"\ud83d"}`, `[`, "{\"\xff\":1}", `{"size":1e400}`, `{"":0,"\u0000":1}`,
		strings.Repeat(`{"a":`, 1001) + "1" + strings.Repeat("}", 1001),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		isObject := json.Valid(text) && utf8.Valid(text) && bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) && depth(text) <= strictjson.MaxDepth
		if err := strictjson.Object(text, nil); (err == nil) != isObject {
			t.Errorf("Object: got %v, want an object: %v: %q", err, isObject, text)
		}
		want := isObject && !hasHalf(text) && !repeats(text)
		err := strictjson.CheckIJSON(text)
		if (err == nil) != want {
			t.Errorf("CheckIJSON: got %v, want I-JSON: %v: %q", err, want, text)
		}
		if err != nil && (err.Line < 1 || err.Column < 1 || err.Line > 1+bytes.Count(text, []byte("\n"))) {
			t.Errorf("got an error at a place that %q does not have: %v", text, err)
		}
	})
}

// depth returns how deep a valid text is nested.
func depth(text []byte) (deepest int) {
	var now int
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		d.UseNumber()
		token, err := d.Token()
		if err != nil {
			return deepest
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			now++
		case json.Delim('}'), json.Delim(']'):
			now--
		}
		deepest = max(deepest, now)
	}
}

var (
	escapes = regexp.MustCompile(`\\(?:u[0-9a-fA-F]{4}|.)`)
	pairs   = regexp.MustCompile(`(?i)\\ud[89ab]..\\ud[c-f]..`)
	halves  = regexp.MustCompile(`(?i)\\ud[89a-f]..`)
)

// hasHalf reports whether a valid text has an escape that is half of a surrogate pair.
func hasHalf(text []byte) bool {
	short := escapes.ReplaceAllFunc(text, func(escape []byte) []byte {
		if escape[1] == 'u' {
			return escape
		}
		return []byte(".")
	})
	return halves.Match(pairs.ReplaceAll(short, []byte("..")))
}

// repeats reports whether an object in a valid text has a name twice.
func repeats(text []byte) bool {
	var value json.RawMessage
	d := json.NewDecoder(bytes.NewReader(text))
	return d.Decode(&value) == nil && repeatsIn(value)
}

func repeatsIn(value json.RawMessage) bool {
	d := json.NewDecoder(bytes.NewReader(value))
	open, err := d.Token()
	if err != nil || open != json.Delim('{') && open != json.Delim('[') {
		return false
	}
	for seen := map[string]bool{}; d.More(); {
		if open == json.Delim('{') {
			name, err := d.Token()
			if err == io.EOF || seen[name.(string)] {
				return true
			}
			seen[name.(string)] = true
		}
		var inner json.RawMessage
		if d.Decode(&inner) != nil || repeatsIn(inner) {
			return true
		}
	}
	return false
}
