package events_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"nepenthes/events"
)

// anyEvent returns a random valid event.
func anyEvent(t *rapid.T) events.Event {
	producers := slices.DeleteFunc(events.Types(), func(t events.Type) bool { return t.Operational })
	id := rapid.StringMatching(`[A-Za-z0-9_-]{1,128}`)
	name := rapid.StringN(0, 255, -1)
	e := events.Event{
		ID:         id.Draw(t, "id"),
		Source:     rapid.SampledFrom([]string{"urn:nepenthes", "https://erp.example.com/a?b=c#d", "a:%41"}).Draw(t, "source"),
		Type:       rapid.SampledFrom(producers).Draw(t, "type").Name,
		OccurredAt: rapid.SampledFrom([]string{"2026-01-02T11:00:00Z", "2026-01-02t11:00:00.5+01:00"}).Draw(t, "occurredAt"),
		Data:       json.RawMessage(anyJSON(3).Draw(t, "data")),
	}
	if rapid.Bool().Draw(t, "has project") {
		e.Project = &events.Project{
			ID: id.Draw(t, "project"), Identifier: name.Draw(t, "identifier"), Name: name.Draw(t, "project name"),
		}
	}
	if rapid.Bool().Draw(t, "has actor") {
		e.Actor = &events.Actor{ID: id.Draw(t, "actor"), Name: name.Draw(t, "actor name")}
	}
	return e
}

// anyJSON returns a generator of JSON values other than null, with white space in unusual places.
func anyJSON(depth int) *rapid.Generator[string] {
	scalars := rapid.SampledFrom([]string{
		`"x"`, `"\ud83d"`, `"\u0000ü😀"`, `9007199254740993`, `-0.0e-5`, `true`, `false`, `{}`, `[ ]`, `"<&>"`, "\"\u2028\"",
	})
	if depth == 0 {
		return scalars
	}
	space := rapid.SampledFrom([]string{"", " ", "\n\t", "\r\n"})
	return rapid.Custom(func(t *rapid.T) string {
		inner := rapid.SliceOfN(anyJSON(depth-1), 0, 3).Draw(t, "values")
		switch rapid.IntRange(0, 2).Draw(t, "shape") {
		case 0:
			return scalars.Draw(t, "scalar")
		case 1:
			return "[" + strings.Join(inner, space.Draw(t, "space")+",") + space.Draw(t, "space") + "]"
		}
		for i, value := range inner {
			inner[i] = space.Draw(t, "space") + `"key":` + value
		}
		return "{" + strings.Join(inner, ",") + space.Draw(t, "space") + "}"
	})
}

func TestDecodeReturnsEncodedEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		event := anyEvent(t)
		if err := event.Validate(); err != nil {
			t.Fatal(err)
		}
		encoded, err := event.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(encoded) {
			t.Fatalf("not JSON: %q", encoded)
		}
		decoded, err := events.Decode(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(event, decoded); diff != "" {
			t.Fatal(diff)
		}
		restored, err := events.Restore(encoded)
		if err != nil || !cmp.Equal(event, restored) {
			t.Fatalf("restored %+v, %v", restored, err)
		}
		if event.Digest() != decoded.Digest() {
			t.Fatal("the digest changed")
		}
	})
}

func TestEncodeFillsInTheSourceAndTrimsData(t *testing.T) {
	event, _ := events.Example("user:created")
	event.Source, event.Actor = "", nil
	event.Data = json.RawMessage(" {\"a\":1}\n")
	got, err := event.Encode()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"` + event.ID + `","source":"urn:nepenthes","type":"user:created","occurredAt":"2026-01-05T06:40:00Z","data":{"a":1}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEncodeEscapesCharactersThatSQSRefuses(t *testing.T) {
	event, _ := events.Example("user:created")
	event.Actor = &events.Actor{ID: "1", Name: "\x00\x1f\"\\\ufffe\uffff<é>"}
	got, err := event.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if want := `"name":"\u0000\u001f\"\\\ufffe\uffff<é>"`; !bytes.Contains(got, []byte(want)) {
		t.Errorf("got %s, want it to contain %s", got, want)
	}
}

func TestValidateAppliesTheRulesOfDecode(t *testing.T) {
	valid, _ := events.Example("work_package:updated")
	tests := []struct {
		name       string
		change     func(*events.Event)
		reason     events.Reason
		attributes []string
	}{
		{"no change", func(*events.Event) {}, "", nil},
		{"default source", func(e *events.Event) { e.Source = "" }, "", nil},
		{"no project, no actor", func(e *events.Event) { e.Project, e.Actor = nil, nil }, "", nil},
		{"data of a json.Encoder", func(e *events.Event) { e.Data = append(e.Data, '\n') }, "", nil},
		{"zero value", func(e *events.Event) { *e = events.Event{} }, events.Invalid, []string{"data", "id", "occurredAt", "type"}},
		{"empty project and actor", func(e *events.Event) { e.Project, e.Actor = &events.Project{}, &events.Actor{} }, events.Invalid, []string{"actor.id", "project.id"}},
		{"unknown type", func(e *events.Event) { e.Type = "pump:broken" }, events.UnknownType, []string{"type"}},
		{"operational type", func(e *events.Event) { e.Type = "webhook:ping" }, events.Invalid, []string{"type"}},
		{"operational source", func(e *events.Event) { e.Source = events.OperationalSource }, events.Invalid, []string{"source"}},
		{"null data", func(e *events.Event) { e.Data = json.RawMessage(" null ") }, events.Invalid, []string{"data"}},
		{"broken data", func(e *events.Event) { e.Data = json.RawMessage(`{"a":`) }, events.Invalid, []string{"data"}},
		{"two values as data", func(e *events.Event) { e.Data = json.RawMessage(`1,"x":2`) }, events.Invalid, []string{"data"}},
		{"data not UTF-8", func(e *events.Event) { e.Data = json.RawMessage("\"\xff\"") }, events.Invalid, []string{"data"}},
		{"deep data", func(e *events.Event) { e.Data = json.RawMessage(strings.Repeat("[", 1000) + strings.Repeat("]", 1000)) }, events.Invalid, []string{"data"}},
		{"names not UTF-8", func(e *events.Event) { e.Project.Name, e.Actor.Name = "\xff", "a\xc3" }, events.Invalid, []string{"actor.name", "project.name"}},
		{"long name", func(e *events.Event) { e.Actor.Name = strings.Repeat("x", 256) }, events.Invalid, []string{"actor.name"}},
		{"too large", func(e *events.Event) { e.Data = json.RawMessage(`"` + strings.Repeat("x", events.MaxSize) + `"`) }, events.TooLarge, []string{""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			event, _ := events.Example(valid.Type)
			tt.change(&event)
			err := event.Validate()
			if tt.reason == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var got *events.Error
			if !errors.As(err, &got) || got.Reason != tt.reason || !slices.Equal(attributes(got), tt.attributes) {
				t.Errorf("got %v, want %s %q", err, tt.reason, tt.attributes)
			}
		})
	}
}

func TestValidateCountsTheEnvelope(t *testing.T) {
	event, _ := events.Example("user:created")
	event.Data = json.RawMessage(`""`)
	encoded, err := event.Encode()
	if err != nil {
		t.Fatal(err)
	}
	room := events.MaxSize - len(encoded)
	event.Data = json.RawMessage(`"` + strings.Repeat("x", room) + `"`)
	if err := event.Validate(); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	event.Data = json.RawMessage(`"` + strings.Repeat("x", room+1) + `"`)
	if err := event.Validate(); err == nil {
		t.Error("one byte above the limit: got no error")
	}
}

func TestEncodeRefusesOnlyTextThatIsNotJSON(t *testing.T) {
	example, _ := events.Example("webhook:ping")
	if _, err := example.Encode(); err != nil {
		t.Errorf("an operational event: %v", err)
	}
	for name, change := range map[string]func(*events.Event){
		"data missing":              func(e *events.Event) { e.Data = nil },
		"data cut short":            func(e *events.Event) { e.Data = e.Data[:len(e.Data)-1] },
		"data with a second member": func(e *events.Event) { e.Data = json.RawMessage(`1},{"id":"2"`) },
		"id not UTF-8":              func(e *events.Event) { e.ID = "\xff" },
	} {
		t.Run(name, func(t *testing.T) {
			event := example
			change(&event)
			var refusal *events.Error
			if encoded, err := event.Encode(); !errors.As(err, &refusal) || refusal.Reason != events.Invalid {
				t.Errorf("got %q, %v, want %s", encoded, err, events.Invalid)
			}
		})
	}
}

func TestRestoreAcceptsEventsThatProducersCannotSend(t *testing.T) {
	for name, change := range map[string]func(*events.Event){
		"operational":                     func(*events.Event) {},
		"type no longer in the catalogue": func(e *events.Event) { e.Type = "pump:broken" },
		"larger than a message":           func(e *events.Event) { e.Data = json.RawMessage(`"` + strings.Repeat("x", events.MaxSize) + `"`) },
	} {
		t.Run(name, func(t *testing.T) {
			event, _ := events.Example("webhook:ping")
			change(&event)
			encoded, err := event.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := events.Decode(encoded); err == nil {
				t.Error("Decode accepts the event from a producer")
			}
			restored, err := events.Restore(encoded)
			if err != nil || !cmp.Equal(restored, event) {
				t.Errorf("got %+v, %v", restored, err)
			}
		})
	}
	t.Run("but not a malformed envelope", func(t *testing.T) {
		if _, err := events.Restore([]byte(`{"id":"1","id":"2"}`)); err == nil {
			t.Error("got no error for a repeated member")
		}
	})
}

func TestDigestDistinguishesEvents(t *testing.T) {
	original, _ := events.Example("work_package:updated")
	for name, change := range map[string]func(*events.Event){
		"id":                             func(e *events.Event) { e.ID += "x" },
		"source":                         func(e *events.Event) { e.Source = "urn:erp" },
		"type":                           func(e *events.Event) { e.Type = "work_package:created" },
		"time, the same moment":          func(e *events.Event) { e.OccurredAt = "2026-01-02T12:00:00+01:00" },
		"project":                        func(e *events.Event) { e.Project = nil },
		"project id":                     func(e *events.Event) { e.Project.ID = "8" },
		"letter moved to another member": func(e *events.Event) { e.Project.Identifier, e.Project.Name = "plan", "tPlant" },
		"actor":                          func(e *events.Event) { e.Actor = nil },
		"actor name":                     func(e *events.Event) { e.Actor.Name = "" },
		"white space within data":        func(e *events.Event) { e.Data = append(json.RawMessage("{ "), e.Data[1:]...) },
		"escape within data":             func(e *events.Event) { e.Data = bytes.Replace(e.Data, []byte("P"), []byte(`\u0050`), 1) },
		"one digit of a long number":     func(e *events.Event) { e.Data = json.RawMessage(`9007199254740993`) },
	} {
		t.Run(name, func(t *testing.T) {
			event, _ := events.Example(original.Type)
			change(&event)
			if event.Digest() == original.Digest() {
				t.Error("the digest is the same")
			}
		})
	}
	for name, text := range map[string]string{
		"order and white space of the envelope": "{\n\"data\":{\"a\":[1 ,2]},\"occurredAt\":\"2026-01-02T11:00:00Z\", \"type\":\"user:created\",\"id\":\"\\u0031\"}",
		"spelling of the default source":        `{"id":"1","source":"urn:nepenthes","type":"user:created","occurredAt":"2026-01-02T11:00:00Z","data":{"a":[1 ,2]}}`,
		"format (CloudEvents)":                  `{"specversion":"1.0","id":"1","source":"urn:nepenthes","type":"user:created","time":"2026-01-02T11:00:00Z","data":{"a":[1 ,2]},"ext":1}`,
	} {
		t.Run("same for another "+name, func(t *testing.T) {
			event, err := events.Decode([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			want := events.Event{ID: "1", Type: "user:created", OccurredAt: "2026-01-02T11:00:00Z", Data: json.RawMessage("{\"a\":[1 ,2]}\n")}
			if event.Digest() != want.Digest() {
				t.Error("the digest differs")
			}
		})
	}
	t.Run("never changes", func(t *testing.T) {
		event := events.Event{ID: "1", Type: "user:created", OccurredAt: "2026-01-02T11:00:00Z", Data: json.RawMessage("1")}
		digest := event.Digest()
		const want = "38031f1b2a6ac64d40231ca5022c8a933aef075719f1f120175aac8454326f1e"
		if got := hex.EncodeToString(digest[:]); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestKeyIsTheBeginningOfSHA256(t *testing.T) {
	sum := sha256.Sum256([]byte("urn:erp\x00evt_1"))
	if got := events.KeyOf("urn:erp", "evt_1"); !bytes.Equal(got[:], sum[:12]) {
		t.Errorf("got %x, want %x", got, sum[:12])
	}
	if events.KeyOf("", "evt_1") != events.KeyOf("urn:nepenthes", "evt_1") {
		t.Error("an empty source has another key than the default source")
	}
	if events.KeyOf("urn:a", "b") == events.KeyOf("urn:", "ab") {
		t.Error("a letter moved from the source to the id does not change the key")
	}
}
