package events_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/google/go-cmp/cmp"

	"nepenthes/events"
)

// message is the format of a valid message with any data.
const message = `{"id":"evt_1","type":"work_package:updated","occurredAt":"2026-01-02T11:00:00Z","data":%s}`

// with returns a valid message with additional members at the beginning.
func with(members string) string {
	return strings.Replace(fmt.Sprintf(message, "1"), "{", "{"+members+",", 1)
}

// without returns a valid message without the given member.
func without(t *testing.T, member string) string {
	t.Helper()
	var all map[string]json.RawMessage
	if err := json.Unmarshal(fmt.Appendf(nil, message, "1"), &all); err != nil {
		t.Fatal(err)
	}
	delete(all, member)
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// refused returns the error with which Decode must refuse the message.
func refused(t *testing.T, message string) *events.Error {
	t.Helper()
	event, err := events.Decode([]byte(message))
	var refusal *events.Error
	if !errors.As(err, &refusal) {
		t.Fatalf("got %v, want an *events.Error", err)
	}
	if !cmp.Equal(event, events.Event{}) {
		t.Errorf("got the event %+v with an error, want no event", event)
	}
	if len(refusal.Problems) == 0 {
		t.Error("the error has no problems")
	}
	return refusal
}

func attributes(e *events.Error) []string {
	var names []string
	for _, problem := range e.Problems {
		names = append(names, problem.Attribute)
	}
	slices.Sort(names)
	return names
}

func TestDecodeReadsEveryMember(t *testing.T) {
	got, err := events.Decode([]byte(` {"data":{"_type":"WorkPackage","id":42,"subject":"Fix pump"},
		"actor":{"name":"M\u00fcller \ud83d\ude00 \"x\"\/","id":"3"},
		"project":{"name":"Plant","identifier":"plant","id":"7"},
		"occurredAt":"2026-01-02T12:00:00.25+01:00","type":"work_package:updated","source":"https://erp.example.com/a?b=%20",
		"\u0069d":"evt_01J-x"}` + "\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := events.Event{
		ID: "evt_01J-x", Source: "https://erp.example.com/a?b=%20", Type: "work_package:updated",
		OccurredAt: "2026-01-02T12:00:00.25+01:00",
		Project:    &events.Project{ID: "7", Identifier: "plant", Name: "Plant"},
		Actor:      &events.Actor{ID: "3", Name: `Müller 😀 "x"/`},
		Data:       json.RawMessage(`{"_type":"WorkPackage","id":42,"subject":"Fix pump"}`),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if at := time.Date(2026, 1, 2, 11, 0, 0, 250e6, time.UTC); !got.Occurred().Equal(at) {
		t.Errorf("occurred at %v, want %v", got.Occurred(), at)
	}
}

func TestDecodeFillsInOptionalMembers(t *testing.T) {
	for name, text := range map[string]string{
		"absent": fmt.Sprintf(message, "1"),
		"null":   with(`"source":null,"project":null,"actor":null`),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := events.Decode([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if got.Source != "urn:nepenthes" || got.Project != nil || got.Actor != nil {
				t.Errorf("got source %q, project %v, actor %v", got.Source, got.Project, got.Actor)
			}
		})
	}
}

// hardData is data that most JSON libraries would change.
var hardData = map[string]string{
	"number above 2^53":     `{"n":9007199254740993,"m":1.0,"e":1E400,"z":-0}`,
	"lone surrogate":        `{"s":"\ud83d","t":"\uDE00x","\ud800":1}`,
	"repeated keys":         `{"a":1,"a":2,"\u0061":3}`,
	"key order":             `{"z":1,"a":2,"M":3}`,
	"white space":           "{ \"a\" :\t[ 1 ,\r\n 2 ] }",
	"not ASCII":             `"Tomás – 60 °C – 泵 – 😀 – ` + "\u2028\u2029\u007f" + `"`,
	"HTML":                  `"<p>a & b</p>"`,
	"escapes":               `"\/\u003c\u0000\b"`,
	"names of the envelope": `{"id":null,"id":7,"data":{"data":null},"project":{"x":1,"x":2}}`,
	"string":                `""`, "number": `0`, "true": `true`, "false": `false`,
	"empty object": `{}`, "empty array": `[]`, "nested null": `[null]`,
}

func TestDataKeepsItsBytes(t *testing.T) {
	for name, data := range hardData {
		t.Run(name, func(t *testing.T) {
			decoded, err := events.Decode(fmt.Appendf(nil, message, " \t\r\n"+data+"\n "))
			if err != nil {
				t.Fatal(err)
			}
			if string(decoded.Data) != data {
				t.Errorf("got %q, want %q", decoded.Data, data)
			}
			encoded, err := decoded.Encode()
			if err != nil {
				t.Fatal(err)
			}
			again, err := events.Decode(encoded)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(decoded, again); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	long := strings.Repeat("x", 129)
	tests := []struct {
		name, message string
		reason        events.Reason
		attribute     string
	}{
		{"no id", without(t, "id"), events.Invalid, "id"},
		{"null id", `{"id":null,"type":"user:created","occurredAt":"2026-01-02T11:00:00Z","data":1}`, events.Invalid, "id"},
		{"number as id", `{"id":1,"type":"user:created","occurredAt":"2026-01-02T11:00:00Z","data":1}`, events.Invalid, "id"},
		{"empty id", strings.Replace(with(`"x":1`), `"x":1,"id":"evt_1"`, `"id":""`, 1), events.Invalid, "id"},
		{"id with a space", strings.Replace(without(t, ""), "evt_1", "evt 1", 1), events.Invalid, "id"},
		{"id not ASCII", strings.Replace(without(t, ""), "evt_1", "évt", 1), events.Invalid, "id"},
		{"id too long", strings.Replace(without(t, ""), "evt_1", long, 1), events.Invalid, "id"},
		{"no type", without(t, "type"), events.Invalid, "type"},
		{"type in capitals", strings.Replace(without(t, ""), "work_package:updated", "Work_Package:updated", 1), events.UnknownType, "type"},
		{"pattern as type", strings.Replace(without(t, ""), "work_package:updated", "work_package:*", 1), events.UnknownType, "type"},
		{"type of the standard format", strings.Replace(without(t, ""), "work_package:updated", "work_package.updated", 1), events.UnknownType, "type"},
		{"operational type", strings.Replace(without(t, ""), "work_package:updated", "webhook:ping", 1), events.Invalid, "type"},
		{"operational source", with(`"source":"urn:nepenthes:webhooks"`), events.Invalid, "source"},
		{"empty source", with(`"source":""`), events.Invalid, "source"},
		{"source without scheme", with(`"source":"erp/orders"`), events.Invalid, "source"},
		{"source with a space", with(`"source":"urn:a b"`), events.Invalid, "source"},
		{"source with a bad escape", with(`"source":"urn:a%2"`), events.Invalid, "source"},
		{"source not ASCII", with(`"source":"urn:ä"`), events.Invalid, "source"},
		{"source that is only a scheme", with(`"source":"urn:"`), events.Invalid, "source"},
		{"source whose scheme is a number", with(`"source":"1:a"`), events.Invalid, "source"},
		{"source too long", with(`"source":"urn:` + strings.Repeat("a", 253) + `"`), events.Invalid, "source"},
		{"no time", without(t, "occurredAt"), events.Invalid, "occurredAt"},
		{"no data", without(t, "data"), events.Invalid, "data"},
		{"null data", fmt.Sprintf(message, "null"), events.Invalid, "data"},
		{"misspelt member", with(`"projects":{}`), events.Invalid, "projects"},
		{"member in other case", with(`"Source":"urn:x"`), events.Invalid, "Source"},
		{"member of CloudEvents", with(`"time":"2026-01-02T11:00:00Z"`), events.Invalid, "time"},
		{"projectid of CloudEvents", with(`"projectid":"7"`), events.Invalid, "projectid"},
		{"member without a name", with(`"":1`), events.Invalid, ""},
		{"project as a string", with(`"project":"7"`), events.Invalid, "project"},
		{"project without id", with(`"project":{"name":"Plant"}`), events.Invalid, "project.id"},
		{"number as project id", with(`"project":{"id":7}`), events.Invalid, "project.id"},
		{"project id with a slash", with(`"project":{"id":"a/b"}`), events.Invalid, "project.id"},
		{"project with an unknown member", with(`"project":{"id":"7","_type":"Project"}`), events.Invalid, "project._type"},
		{"project name too long", with(`"project":{"id":"7","name":"` + strings.Repeat("ü", 256) + `"}`), events.Invalid, "project.name"},
		{"project identifier too long", with(`"project":{"id":"7","identifier":"` + strings.Repeat("x", 256) + `"}`), events.Invalid, "project.identifier"},
		{"actor as a list", with(`"actor":[]`), events.Invalid, "actor"},
		{"actor without id", with(`"actor":{}`), events.Invalid, "actor.id"},
		{"actor with an unknown member", with(`"actor":{"id":"3","identifier":"m"}`), events.Invalid, "actor.identifier"},
		{"actor name too long", with(`"actor":{"id":"3","name":"` + strings.Repeat("😀", 256) + `"}`), events.Invalid, "actor.name"},
		{"half of a surrogate pair in a name", with(`"actor":{"id":"3","name":"x\ud83d"}`), events.Invalid, "actor.name"},
		{"halves in the wrong order", with(`"actor":{"id":"3","name":"\ude00\ud83d"}`), events.Invalid, "actor.name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := refused(t, tt.message)
			if got.Reason != tt.reason || !slices.Equal(attributes(got), []string{tt.attribute}) {
				t.Errorf("got %s %q, want %s %q", got.Reason, attributes(got), tt.reason, tt.attribute)
			}
			if got.Line != 0 || got.Column != 0 {
				t.Errorf("got line %d, column %d for a message that can be read", got.Line, got.Column)
			}
		})
	}
}

func TestDecodeAcceptsAtTheLimits(t *testing.T) {
	tests := map[string]string{
		"id of 128":                  strings.Replace(without(t, ""), "evt_1", strings.Repeat("-", 128), 1),
		"source of 256":              with(`"source":"urn:` + strings.Repeat("a", 252) + `"`),
		"source of another scheme":   with(`"source":"spiffe+x.y-z://plant.example/erp#1"`),
		"name of 255 characters":     with(`"project":{"id":"7","name":"` + strings.Repeat("😀", 255) + `"}`),
		"project with an id only":    with(`"project":{"id":"7"}`),
		"empty name":                 with(`"project":{"id":"7","name":"","identifier":null}`),
		"name with a surrogate pair": with(`"actor":{"id":"3","name":"\ud83d\ude00"}`),
		"999 levels in data":         fmt.Sprintf(message, strings.Repeat("[", 999)+strings.Repeat("]", 999)),
		"262,144 bytes":              fmt.Sprintf(message, `"`+strings.Repeat("x", events.MaxSize-len(message))+`"`),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := events.Decode([]byte(text)); err != nil {
				t.Error(err)
			}
		})
	}
	if got := len(tests["262,144 bytes"]); got != events.MaxSize {
		t.Errorf("the largest message has %d bytes, want %d", got, events.MaxSize)
	}
}

func TestDecodeDoesNotReadTooLargeMessages(t *testing.T) {
	for name, text := range map[string]string{
		"valid":   fmt.Sprintf(message, `"`+strings.Repeat("x", events.MaxSize-len(message)+1)+`"`),
		"garbage": strings.Repeat("\xff", events.MaxSize+1),
	} {
		t.Run(name, func(t *testing.T) {
			if got := refused(t, text); got.Reason != events.TooLarge || len(got.Problems) != 1 {
				t.Errorf("got %v, want %s", got, events.TooLarge)
			}
		})
	}
}

func TestDecodeReportsAllProblemsAtOnce(t *testing.T) {
	got := refused(t, `{"id":"a b","source":5,"tpye":"user:created","occurredAt":"yesterday",
		"project":{"id":7,"nmae":"x"},"actor":{"name":false},"data":null}`)
	want := []string{
		"actor.id", "actor.name", "data", "id", "occurredAt", "project.id", "project.nmae", "source", "tpye", "type",
	}
	if got.Reason != events.Invalid || !slices.Equal(attributes(got), want) {
		t.Errorf("got %s %q, want %s %q", got.Reason, attributes(got), events.Invalid, want)
	}
	t.Run("with an unknown type", func(t *testing.T) {
		got := refused(t, `{"id":"","type":"pump:broken","occurredAt":"2026-01-02T11:00:00Z","data":1}`)
		if want := []string{"id", "type"}; got.Reason != events.UnknownType || !slices.Equal(attributes(got), want) {
			t.Errorf("got %s %q, want %s %q", got.Reason, attributes(got), events.UnknownType, want)
		}
	})
	t.Run("but at most 100 problems", func(t *testing.T) {
		var members strings.Builder
		for i := range 20000 {
			fmt.Fprintf(&members, `"x%d":0,`, i)
		}
		got := refused(t, with(strings.TrimSuffix(members.String(), ",")))
		if len(got.Problems) != 100 {
			t.Errorf("got %d problems, want 100", len(got.Problems))
		}
		if got.Omitted != 20000-100 {
			t.Errorf("got %d omitted problems, want all others", got.Omitted)
		}
		if text := got.Error(); len(text) > 2000 || !strings.HasSuffix(text, " And 19990 more.") {
			t.Errorf("got %q, want the first ten problems and how many more there are", text)
		}
	})
}

func TestDecodeChecksTimes(t *testing.T) {
	for text, want := range map[string]string{
		"2026-01-02T11:00:00Z":                   "2026-01-02T11:00:00Z",
		"2026-01-02t11:00:00z":                   "2026-01-02T11:00:00Z",
		"2026-01-02T11:00:00.123456789Z":         "2026-01-02T11:00:00.123456789Z",
		"2026-01-02T11:00:00.1234567890123Z":     "2026-01-02T11:00:00.123456789Z",
		"2026-01-02T11:00:00-00:00":              "2026-01-02T11:00:00Z",
		"2026-01-02T11:00:00+23:59":              "2026-01-01T11:01:00Z",
		"2016-12-31T23:59:60Z":                   "2017-01-01T00:00:00Z",
		"2016-12-31T18:59:60.5-05:00":            "2017-01-01T00:00:00.5Z",
		"2024-02-29T00:00:00Z":                   "2024-02-29T00:00:00Z",
		"0000-01-01T00:00:00Z":                   "0000-01-01T00:00:00Z",
		"2026-01-02":                             "",
		"2026-01-02T11:00:00":                    "",
		"2026-01-02 11:00:00Z":                   "",
		"2026-01-02T11:00Z":                      "",
		"2026-01-02T1:00:00Z":                    "",
		"2026-01-02T11:00:00,5Z":                 "",
		"2026-01-02T11:00:00.Z":                  "",
		"2026-01-02T11:00:00+24:00":              "",
		"2026-01-02T11:00:00+00:60":              "",
		"2026-01-02T11:00:00+0100":               "",
		"2026-01-02T11:00:00Z ":                  "",
		" 2026-01-02T11:00:00Z":                  "",
		"2026-02-29T00:00:00Z":                   "",
		"2026-13-01T00:00:00Z":                   "",
		"2026-01-02T24:00:00Z":                   "",
		"2026-01-02T11:00:60Z":                   "",
		"2026-01-02T11:00:61Z":                   "",
		"+2026-01-02T11:00:00Z":                  "",
		"10000-01-01T00:00:00Z":                  "",
		"1767351600":                             "",
		"Fri, 02 Jan 2026 11:00:00 GMT":          "",
		"２026-01-02T11:00:00Z":                   "",
		"":                                       "",
		"2026-01-02T11:00:00." + zeros(43) + "Z": "2026-01-02T11:00:00Z",
		"2026-01-02T11:00:00." + zeros(44) + "Z": "",
	} {
		t.Run(text[:min(len(text), 40)], func(t *testing.T) {
			event, err := events.Decode([]byte(strings.Replace(without(t, ""), "2026-01-02T11:00:00Z", text, 1)))
			if want == "" {
				if err == nil {
					t.Errorf("accepted as %v", event.Occurred())
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if event.OccurredAt != text {
				t.Errorf("got the text %q, want it unchanged", event.OccurredAt)
			}
			if got := event.Occurred().UTC().Format(time.RFC3339Nano); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	if at := (events.Event{OccurredAt: "yesterday"}).Occurred(); !at.IsZero() {
		t.Errorf("got %v for yesterday, want the zero time", at)
	}
}

func zeros(n int) string { return strings.Repeat("0", n) }

func TestDecodeRefusesMalformed(t *testing.T) {
	data := 1 + strings.Index(message, "%s") // the column at which data begins
	tests := []struct {
		name, message string
		line, column  int
	}{
		{"nothing", "", 1, 1},
		{"white space", " \n ", 2, 2},
		{"not an object", "[]", 1, 1},
		{"null", "null", 1, 1},
		{"byte order mark", "\ufeff" + without(t, ""), 1, 1},
		{"single quotes", `{'id':'1'}`, 1, 2},
		{"no colon", `{"id" "1"}`, 1, 7},
		{"no value", `{"id":}`, 1, 7},
		{"no comma", `{"id":"1" "type":"x"}`, 1, 11},
		{"comma at the end", `{"id":"1",}`, 1, 11},
		{"comma in an array", `{"data":[1,]}`, 1, 12},
		{"missing comma in an array", `{"data":[1 2]}`, 1, 12},
		{"ends early", `{"id":"1"`, 1, 10},
		{"ends in a string", `{"id":"1`, 1, 9},
		{"ends in an escape", `{"id":"\`, 1, 9},
		{"line break in a string", "{\"id\":\"a\nb\"}", 1, 9},
		{"NUL in a string", "{\"id\":\"a\x00b\"}", 1, 9},
		{"NUL between members", "{\x00}", 1, 2},
		{"unknown escape", `{"id":"\x"}`, 1, 9},
		{"short escape", `{"id":"\u12g4"}`, 1, 12},
		{"number with a leading zero", `{"data":012}`, 1, 10},
		{"number with a plus", `{"data":+1}`, 1, 9},
		{"number ending in a point", `{"data":1.}`, 1, 11},
		{"number ending in an exponent", `{"data":1e+}`, 1, 12},
		{"lone minus", `{"data":-}`, 1, 10},
		{"NaN", `{"data":NaN}`, 1, 9},
		{"word in capitals", `{"data":True}`, 1, 9},
		{"word cut short", `{"data":tru`, 1, 9},
		{"comment", "{\n// x\n}", 2, 1},
		{"two values", without(t, "") + "{}", 1, 1 + len(without(t, ""))},
		{"text after the end", without(t, "") + "\n\n  x", 3, 3},
		{"not UTF-8 in data", "{\n\"data\":\"Tom\xe1s\"}", 2, 12},
		{"not UTF-8 after other characters", "{\"data\":\"ü😀\xff\"}", 1, 12},
		{"surrogate in UTF-8", "{\"data\":\"\xed\xa0\x80\"}", 1, 10},
		{"overlong UTF-8", "{\"data\":\"\xc0\x80\"}", 1, 10},
		{"repeated member", with(`"id":"evt_1"`), 1, 15},
		{"repeated member in another spelling", with(`"\u0069d":"evt_1"`), 1, 20},
		{"repeated unknown member", with(`"x":1,"x":2`), 1, 8},
		{"repeated null", with(`"actor":null,"actor":null`), 1, 15},
		{"repeated member of project", with(`"project":{"id":"7","id":"7"}`), 1, 22},
		{"repeated member of actor", with(`"actor":{"id":"7",` + "\n" + `"name":"a","name":"a"}`), 2, 12},
		{"repeated unknown member of actor", with(`"actor":{"x":"7","x":"a"}`), 1, 19},
		{"1000 levels in data", fmt.Sprintf(message, strings.Repeat("[", 1000)+strings.Repeat("]", 1000)), 1, data + 999},
		{"100,000 levels", fmt.Sprintf(message, strings.Repeat(`{"a":`, 40000)), 1, data + 999*5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := refused(t, tt.message)
			if got.Reason != events.Malformed || len(got.Problems) != 1 {
				t.Fatalf("got %v, want %s with one problem", got, events.Malformed)
			}
			if got.Line != tt.line || got.Column != tt.column {
				t.Errorf("got line %d, column %d, want %d, %d: %v", got.Line, got.Column, tt.line, tt.column, got)
			}
		})
	}
}

func TestErrorsContainNoValues(t *testing.T) {
	const secret = "s3cr3t"
	for name, text := range map[string]string{
		"invalid":   `{"id":"s3cr3t s3cr3t","source":"s3cr3t","type":"s3cr3t","occurredAt":"s3cr3t","project":{"id":"s3cr3t!","x":"s3cr3t"},"actor":"s3cr3t","data":null,"y":"s3cr3t"}`,
		"malformed": `{"data":"s3cr3t" "s3cr3t"}`,
		"escape":    `{"data":"s3cr3t\s3cr3t"}`,
		"CE":        `{"specversion":"s3cr3t","data_base64":"s3cr3t","time":"s3cr3t","projectid":"s3cr3t!"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if got := refused(t, text); strings.Contains(fmt.Sprintf("%v %+v", got, got.Problems), secret) {
				t.Errorf("the error contains a value: %v", got)
			}
		})
	}
	t.Run("names of members are short and printable", func(t *testing.T) {
		got := refused(t, with(`"`+strings.Repeat("n", 500)+`":1,"a\u000ab\u001b":1`))
		if text := got.Error(); len(text) > 600 || strings.ContainsAny(text, "\n\x1b") {
			t.Errorf("got %q", text)
		}
	})
}

func TestDecodeCloudEvents(t *testing.T) {
	sent := cloudevents.NewEvent()
	sent.SetID("order-1")
	sent.SetSource("https://erp.example.com/orders")
	sent.SetType("time_entry:created")
	sent.SetTime(time.Date(2026, 1, 2, 11, 0, 0, 0, time.UTC))
	sent.SetSubject("310")
	sent.SetDataSchema("https://erp.example.com/schemas/time_entry")
	sent.SetExtension("projectid", "7")
	sent.SetExtension("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if err := sent.SetData(cloudevents.ApplicationJSON, map[string]any{"hours": "PT1H30M"}); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(sent)
	if err != nil {
		t.Fatal(err)
	}
	got, err := events.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	want := events.Event{
		ID: "order-1", Source: "https://erp.example.com/orders", Type: "time_entry:created",
		OccurredAt: "2026-01-02T11:00:00Z", Project: &events.Project{ID: "7"}, Data: json.RawMessage(`{"hours":"PT1H30M"}`),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

const cloudEvent = `{"id":"1","source":"urn:erp","type":"user:created","time":"2026-01-02T11:00:00Z",%s"data":{ "n":9007199254740993 },"specversion":"1.0"}`

func TestDecodeCloudEventsStrictly(t *testing.T) {
	valid := fmt.Sprintf(cloudEvent, "")
	tests := []struct {
		name, message string
		reason        events.Reason
		attributes    []string
	}{
		{"plain", valid, "", nil},
		{"extensions", fmt.Sprintf(cloudEvent, `"ext1":true,"project":{"id":9,"id":8},"actor":3,`), "", nil},
		{"null attributes", fmt.Sprintf(cloudEvent, `"subject":null,"projectid":null,`), "", nil},
		{"other version", strings.Replace(valid, `"1.0"`, `"0.3"`, 1), events.Invalid, []string{"specversion"}},
		{"version as a number", strings.Replace(valid, `"1.0"`, `1.0`, 1), events.Invalid, []string{"specversion"}},
		{"null version", strings.Replace(valid, `"1.0"`, `null`, 1), events.Invalid, []string{"specversion"}},
		{"binary data", strings.Replace(valid, `"data"`, `"data_base64":"AA==","data"`, 1), events.Invalid, []string{"data_base64"}},
		{"no source", strings.Replace(valid, `"source":"urn:erp",`, "", 1), events.Invalid, []string{"source"}},
		{"operational source", strings.Replace(valid, "urn:erp", "urn:nepenthes:webhooks", 1), events.Invalid, []string{"source"}},
		{"operational source in capitals", strings.Replace(valid, "urn:erp", "URN:Nepenthes:webhooks", 1), events.Invalid, []string{"source"}},
		{"empty source", strings.Replace(valid, "urn:erp", "", 1), events.Invalid, []string{"source"}},
		{"number as source", strings.Replace(valid, `"urn:erp"`, "5", 1), events.Invalid, []string{"source"}},
		{"operational type", strings.Replace(valid, "user:created", "webhook:ping", 1), events.Invalid, []string{"type"}},
		{"unknown type", strings.Replace(valid, "user:created", "com.example.user", 1), events.UnknownType, []string{"type"}},
		{"no time", strings.Replace(valid, `"time":"2026-01-02T11:00:00Z",`, "", 1), events.Invalid, []string{"time"}},
		{"time as a number", strings.Replace(valid, `"2026-01-02T11:00:00Z"`, "5", 1), events.Invalid, []string{"time"}},
		{"time of the envelope", fmt.Sprintf(cloudEvent, `"occurredAt":"2026-01-02T11:00:00Z",`), events.Invalid, []string{"occurredAt"}},
		{"project id with a space", fmt.Sprintf(cloudEvent, `"projectid":"a b",`), events.Invalid, []string{"projectid"}},
		{"project id as a number", fmt.Sprintf(cloudEvent, `"projectid":7,`), events.Invalid, []string{"projectid"}},
		{"misspelt extension", fmt.Sprintf(cloudEvent, `"projectId":"7",`), events.Invalid, []string{"projectId"}},
		{"null data", strings.Replace(valid, `{ "n":9007199254740993 }`, "null", 1), events.Invalid, []string{"data"}},
		{"repeated extension", fmt.Sprintf(cloudEvent, `"ext":1,"ext":1,`), events.Malformed, []string{""}},
		{"repeated attribute", fmt.Sprintf(cloudEvent, `"id":"1",`), events.Malformed, []string{""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.reason == "" {
				event, err := events.Decode([]byte(tt.message))
				if err != nil {
					t.Fatal(err)
				}
				if string(event.Data) != `{ "n":9007199254740993 }` || event.Project != nil || event.Actor != nil {
					t.Errorf("got %+v", event)
				}
				return
			}
			got := refused(t, tt.message)
			if got.Reason != tt.reason || !slices.Equal(attributes(got), tt.attributes) {
				t.Errorf("got %s %q, want %s %q", got.Reason, attributes(got), tt.reason, tt.attributes)
			}
		})
	}
}

// CloudEvents 1.0 requires a URI reference that is not empty.
func TestDecodeCloudEventsSources(t *testing.T) {
	for source, want := range map[string]bool{
		"/app": true, "app": true, "../erp/7": true, "//plant.example/erp": true, "/sensors/tn-1234567/alerts": true,
		"?of=erp": true, "#7": true, "1-555-123-4567": true, "a%20b": true, "/a:b": true, "./a:b": true, "?a:b": true,
		"mailto:ops@example.com": true, "/" + strings.Repeat("a", 255): true,
		"1a:b": false, "a b:c": false, ":": false, "urn:": false, "/a b": false, "/a%2": false, "/ü": false, "/a\\\\b": false, "<a>": false,
		"/" + strings.Repeat("a", 256): false,
	} {
		t.Run(source[:min(len(source), 40)], func(t *testing.T) {
			message := strings.Replace(fmt.Sprintf(cloudEvent, ""), "urn:erp", source, 1)
			if !want {
				if got := refused(t, message); got.Reason != events.Invalid || !slices.Equal(attributes(got), []string{"source"}) {
					t.Errorf("got %s %q", got.Reason, attributes(got))
				}
				return
			}
			event, err := events.Decode([]byte(message))
			if err != nil || event.Source != source {
				t.Fatalf("got source %q, %v", event.Source, err)
			}
			envelope, err := event.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if again, err := events.Restore(envelope); err != nil || again.Source != source || again.Digest() != event.Digest() {
				t.Errorf("restored %+v, %v", again, err)
			}
		})
	}
	t.Run("but not in the envelope", func(t *testing.T) {
		if got := refused(t, with(`"source":"/app"`)); !slices.Equal(attributes(got), []string{"source"}) {
			t.Errorf("got %q", attributes(got))
		}
	})
}
