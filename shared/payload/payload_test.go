package payload_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nepenthes/events"
	"nepenthes/shared/delivery"
	"nepenthes/shared/payload"
	"nepenthes/shared/record"
	"nepenthes/shared/webhook"
)

// strange is data that would change if it were decoded and encoded again.
const strange = "{ \"_type\":\"WorkPackage\",\"id\":9007199254740993, \"z\":1,\"a\":1.0e+2,\"a\":2,\n\t\"s\":\"\\ud800 é <&> \u2028\" }"

// event returns an event with all members.
func event() events.Event {
	return events.Event{
		ID: "evt_1", Source: "urn:nepenthes", Type: "work_package:updated", OccurredAt: "2026-01-02T11:00:00.50+01:00",
		Project: &events.Project{ID: "7", Identifier: "plant", Name: "Plant"},
		Actor:   &events.Actor{ID: "3", Name: "Ada"},
		Data:    json.RawMessage(strange),
	}
}

func TestBody(t *testing.T) {
	full, bare := event(), event()
	bare.Project, bare.Actor = nil, nil
	comment := bare
	comment.Type = "work_package_comment:comment"
	operational := bare
	operational.Type = "webhook:ping"
	for name, c := range map[string]struct {
		format webhook.Format
		event  events.Event
		want   string
	}{
		"nepenthes":                          {webhook.FormatNepenthes, full, `{"action":"work_package:updated","work_package":` + strange + `,"actor":{"id":"3","name":"Ada"}}`},
		"nepenthes without actor":            {webhook.FormatNepenthes, bare, `{"action":"work_package:updated","work_package":` + strange + `}`},
		"nepenthes for a comment":            {webhook.FormatNepenthes, comment, `{"action":"work_package_comment:comment","activity":` + strange + `}`},
		"nepenthes for a ping":               {webhook.FormatNepenthes, operational, `{"action":"webhook:ping","webhook":` + strange + `}`},
		"standard":                           {webhook.FormatStandard, full, `{"type":"work_package.updated","timestamp":"2026-01-02T11:00:00.50+01:00","data":` + strange + `,"id":"evt_1","project":{"id":"7","identifier":"plant","name":"Plant"},"actor":{"id":"3","name":"Ada"}}`},
		"standard, required members only":    {webhook.FormatStandard, bare, `{"type":"work_package.updated","timestamp":"2026-01-02T11:00:00.50+01:00","data":` + strange + `,"id":"evt_1"}`},
		"cloudevents":                        {webhook.FormatCloudEvents, full, `{"specversion":"1.0","id":"evt_1","source":"urn:nepenthes","type":"work_package:updated","time":"2026-01-02T11:00:00.50+01:00","datacontenttype":"application/json","projectid":"7","data":` + strange + `}`},
		"cloudevents, required members only": {webhook.FormatCloudEvents, bare, `{"specversion":"1.0","id":"evt_1","source":"urn:nepenthes","type":"work_package:updated","time":"2026-01-02T11:00:00.50+01:00","datacontenttype":"application/json","data":` + strange + `}`},
		"an unknown format":                  {"", bare, `{"action":"work_package:updated","work_package":` + strange + `}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := string(payload.Body(c.format, c.event))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if !json.Valid([]byte(got)) {
				t.Error("got a body that is not valid JSON")
			}
		})
	}
}

func TestBodyOfEveryExample(t *testing.T) {
	for _, kind := range events.Types() {
		e, ok := events.Example(kind.Name)
		if !ok {
			t.Fatalf("%s has no example", kind.Name)
		}
		for _, format := range webhook.Formats() {
			if body := payload.Body(format, e); !json.Valid(body) || !strings.Contains(string(body), string(e.Data)) {
				t.Errorf("%s as %s: got %s, want JSON with the data unchanged", kind.Name, format, body)
			}
		}
	}
}

func TestRequest(t *testing.T) {
	r := record.Event{Event: event(), ReceivedAt: time.UnixMilli(1767351600000), TraceID: strings.Repeat("ab", 16)}
	key := r.DeliveryKey("wh_01JGK0000000000000000000AA")
	a := delivery.Attempt{
		ID: "att_01JGK0000000000000000000AA", Number: 3, StartedAt: time.Unix(1767351605, 7), Format: webhook.FormatCloudEvents,
		Signed: true, Legacy: true, HeaderNames: []string{"X-Team"},
	}
	request := payload.Requests(&r, key, []delivery.Attempt{a}, true)[0]
	got := request.Headers
	const trace = "traceparent"
	span := got[trace]
	if !strings.HasPrefix(span, "00-"+r.TraceID+"-") || !strings.HasSuffix(span, "-01") || len(span) != 55 {
		t.Errorf("got traceparent %q, want the trace of the event and a span", span)
	}
	delete(got, trace)
	want := map[string]string{
		"Content-Type": "application/cloudevents+json", "Accept": "application/json", "User-Agent": "Nepenthes-Webhooks/1.0",
		"webhook-id": key.ID(), "webhook-timestamp": "1767351605", "webhook-signature": "***", "X-OP-Signature": "***",
		"X-Nepenthes-Event": "work_package:updated", "X-Nepenthes-Attempt": "3", "X-Team": "***",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(string(payload.Body(webhook.FormatCloudEvents, r.Event)), *request.Body); diff != "" {
		t.Error(diff)
	}
}

func TestDerivedTrace(t *testing.T) {
	r := record.Event{Event: event()}
	other := r
	other.ID = "evt_2"
	again := r
	if r.Trace() != again.Trace() || r.Trace() == other.Trace() || len(r.Trace()) != 32 {
		t.Errorf("got traces %s, %s and %s, want the same twice and another for another event", r.Trace(), again.Trace(), other.Trace())
	}
}
