package events_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"nepenthes/events"
)

// FuzzDecode compares Decode with package encoding/json, which knows the same grammar but not the rules of events.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("examples/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		example, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(example)
	}
	for _, data := range hardData {
		f.Add(fmt.Appendf(nil, message, data))
	}
	f.Add(fmt.Appendf(nil, cloudEvent, `"ext":[1.5e-3,"\ud83d\ude00"],`))
	f.Add([]byte(`{"id":"1","id":"2"`))

	f.Fuzz(func(t *testing.T, message []byte) {
		original := bytes.Clone(message)
		event, err := events.Decode(message)
		if !bytes.Equal(message, original) {
			t.Fatal("Decode changed the message")
		}
		if err != nil {
			checkRefusal(t, message, err)
			return
		}
		if !json.Valid(message) || !utf8.Valid(message) || !bytes.Contains(message, event.Data) {
			t.Fatalf("accepted %q as %+v", message, event)
		}
		if err := event.Validate(); err != nil {
			t.Fatalf("Validate refuses the decoded event: %v", err)
		}
		encoded, err := event.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := events.Decode(encoded)
		if err != nil || !cmp.Equal(event, again) || event.Digest() != again.Digest() {
			t.Fatalf("%+v became %+v, %v", event, again, err)
		}
	})
}

// checkRefusal checks that a message is malformed if and only if it is not JSON or breaks one of the three rules of this
// package about its form.
func checkRefusal(t *testing.T, message []byte, err error) {
	t.Helper()
	var refusal *events.Error
	if !errors.As(err, &refusal) || len(refusal.Problems) == 0 || refusal.Error() == "" {
		t.Fatalf("got %#v", err)
	}
	switch valid := json.Valid(message) && utf8.Valid(message); refusal.Reason {
	case events.Malformed:
		if refusal.Line < 1 || refusal.Column < 1 || refusal.Line > 1+bytes.Count(message, []byte("\n")) {
			t.Fatalf("the message does not have the place of the error: %v", err)
		}
		if ownRule := map[string]bool{
			"A member is named twice.":                           true,
			"A JSON object is expected here.":                    true,
			"Objects and arrays are nested more than 1000 deep.": true,
		}[refusal.Problems[0].Message]; valid && !ownRule {
			t.Fatalf("got %v for valid JSON: %q", err, message)
		}
	case events.TooLarge:
		if len(message) <= events.MaxSize {
			t.Fatalf("got %v for a message of %d bytes", err, len(message))
		}
	case events.Invalid, events.UnknownType:
		if !valid {
			t.Fatalf("got %v for a message that is not JSON: %q", err, message)
		}
	default:
		t.Fatalf("got reason %q", refusal.Reason)
	}
}
