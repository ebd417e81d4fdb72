package fanout_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"nepenthes/events"
	"nepenthes/shared/catalogue"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fanout"
	"nepenthes/shared/id"
	"nepenthes/shared/lane"
	"nepenthes/shared/project"
	"nepenthes/shared/sqlite"
	"nepenthes/shared/webhook"
)

var start = time.Date(2026, 1, 2, 11, 0, 0, 0, time.UTC)

// rig is a fan-out with a store in memory and lanes that record their messages.
type rig struct {
	t      *testing.T
	store  *sqlite.DB
	fanout *fanout.Fanout
	bells  recordingLane
	dead   recordingLane
	logs   strings.Builder
}

// recordingLane is a lane that records its messages.
type recordingLane struct {
	mu       sync.Mutex
	messages []lane.Message
	err      error
}

func (l *recordingLane) Send(_ context.Context, messages ...lane.Message) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	l.messages = append(l.messages, messages...)
	return nil
}

func newRig(t *testing.T) *rig {
	t.Helper()
	now := func() time.Time { return start }
	store, err := sqlite.Open("", sqlite.Options{Now: now})
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	r := &rig{t: t, store: store}
	r.fanout = r.newFanout()
	return r
}

// newFanout returns another fan-out with the same store and lanes, as in a second process.
func (r *rig) newFanout() *fanout.Fanout {
	r.t.Helper()
	return fanout.New(fanout.Config{
		Matcher: catalogue.New(r.store), Recorder: r.store, Projects: r.store, Deliveries: &r.bells, DeadLetters: &r.dead,
		Now: func() time.Time { return start }, Logger: slog.New(slog.NewTextHandler(&r.logs, nil)),
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (r *rig) webhook(projects webhook.Projects, patterns ...string) string {
	r.t.Helper()
	w := webhook.Webhook{
		ID: id.New(id.Webhook, start), Enabled: true, PayloadURL: "https://receiver.example/",
		Subscription: webhook.Subscription{Events: patterns, Projects: projects},
	}
	w.Name = w.ID
	must(r.t, r.store.PutWebhook(r.t.Context(), &w))
	return w.ID
}

var all = webhook.Projects{All: true}

func message(body string) lane.Message {
	return lane.Message{ID: "m1", Body: []byte(body), SentAt: start, ReceiveCount: 1}
}

const updated = `{"id":"evt_1","type":"work_package:updated","occurredAt":"2026-01-02T10:59:59Z","project":{"id":"7","name":"Plant"},"data":{"id":9007199254740993}}`

// rung returns the webhooks of the doorbells that were sent, in order.
func (r *rig) rung() []string {
	var ids []string
	for _, m := range r.bells.messages {
		ids = append(ids, m.Group)
	}
	return ids
}

func TestAnEventBecomesDeliveries(t *testing.T) {
	r := newRig(t)
	a := r.webhook(all, "work_package:*")
	r.webhook(all, "time_entry:created")
	r.webhook(webhook.Projects{IDs: []string{"8"}}, "*")
	b := r.webhook(webhook.Projects{IDs: []string{"7"}}, "*")
	must(t, r.fanout.Handle(t.Context(), message(updated)))
	if diff := cmp.Diff([]string{a, b}, r.rung()); diff != "" {
		t.Error(diff)
	}
	key := events.KeyOf(events.DefaultSource, "evt_1")
	stored, err := r.store.Event(t.Context(), key)
	must(t, err)
	if string(stored.Data) != `{"id":9007199254740993}` || stored.MatchCount != 2 || !stored.ReceivedAt.Equal(start) {
		t.Errorf("got data %s, %d matches, received at %v; want the data as sent, 2 matches and %v", stored.Data, stored.MatchCount, stored.ReceivedAt, start)
	}
	plan, err := r.store.Plan(t.Context(), key, 0, 10)
	must(t, err)
	if diff := cmp.Diff([]string{a, b}, plan); diff != "" {
		t.Error(diff)
	}
	name, err := lane.Called(r.bells.messages[0])
	must(t, err)
	if want := stored.DeliveryKey(a).ID(); name != want {
		t.Errorf("got a doorbell for %s, want %s", name, want)
	}
}

func TestTheSameEventTwice(t *testing.T) {
	t.Run("sends the doorbells of the first plan again", func(t *testing.T) {
		r := newRig(t)
		a := r.webhook(all, "*")
		must(t, r.fanout.Handle(t.Context(), message(updated)))
		r.webhook(all, "*") // is not in the plan of this event
		must(t, r.newFanout().Handle(t.Context(), message(updated)))
		if diff := cmp.Diff([]string{a, a}, r.rung()); diff != "" {
			t.Error(diff)
		}
		if got, again := r.bells.messages[0].Body, r.bells.messages[1].Body; string(got) != string(again) {
			t.Errorf("got a second doorbell %s, want the same as the first, %s", again, got)
		}
	})
	t.Run("with other data becomes a dead letter", func(t *testing.T) {
		r := newRig(t)
		r.webhook(all, "*")
		must(t, r.fanout.Handle(t.Context(), message(updated)))
		must(t, r.fanout.Handle(t.Context(), message(strings.Replace(updated, "0993", "0994", 1))))
		if len(r.bells.messages) != 1 || len(r.dead.messages) != 1 || r.dead.messages[0].Attributes[lane.Reason] != "id_conflict" {
			t.Errorf("got %d doorbells and dead letters %v, want 1 doorbell and an id_conflict", len(r.bells.messages), r.dead.messages)
		}
	})
	t.Run("from another source is another event", func(t *testing.T) {
		r := newRig(t)
		r.webhook(all, "*")
		must(t, r.fanout.Handle(t.Context(), message(updated)))
		must(t, r.fanout.Handle(t.Context(), message(strings.Replace(updated, `"type"`, `"source":"urn:other","type"`, 1))))
		if len(r.bells.messages) != 2 || len(r.dead.messages) != 0 {
			t.Errorf("got %d doorbells and %d dead letters, want 2 and 0", len(r.bells.messages), len(r.dead.messages))
		}
	})
}

// TestReencodedEvents sends the same event in other encodings, because a message may be encoded again on its way. Other
// encodings of the envelope are the same event. The bytes of data are passed on as received, so other bytes are another
// event.
func TestReencodedEvents(t *testing.T) {
	const sameData = `{"id":9007199254740993}`
	for name, c := range map[string]struct {
		body, data string
		conflicts  bool // whether updated conflicts with this encoding
	}{
		"white space":         {" {\n\t\"id\" : \"evt_1\", \"type\": \"work_package:updated\", \"occurredAt\": \"2026-01-02T10:59:59Z\", \"project\": {\"id\": \"7\", \"name\": \"Plant\"}, \"data\": " + sameData + " } \r\n", sameData, false},
		"another order":       {`{"data":` + sameData + `,"project":{"name":"Plant","id":"7"},"occurredAt":"2026-01-02T10:59:59Z","type":"work_package:updated","id":"evt_1"}`, sameData, false},
		"escapes":             {`{"\u0069d":"evt\u005f1","type":"work\u005fpackage\u003aupdated","occurredAt":"2026\u002d01-02T10:59:59Z","project":{"id":"\u0037","name":"\u0050lant"},"data":` + sameData + `}`, sameData, false},
		"null members":        {`{"id":"evt_1","type":"work_package:updated","occurredAt":"2026-01-02T10:59:59Z","actor":null,"source":"urn:nepenthes","project":{"id":"7","identifier":null,"name":"Plant"},"data":` + sameData + `}`, sameData, false},
		"white space in data": {strings.Replace(updated, sameData, `{ "id": 9007199254740993 }`, 1), `{ "id": 9007199254740993 }`, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			w := r.webhook(webhook.Projects{IDs: []string{"7"}}, "work_package:*")
			must(t, r.fanout.Handle(t.Context(), message(c.body)))
			stored, err := r.store.Event(t.Context(), events.KeyOf(events.DefaultSource, "evt_1"))
			must(t, err)
			if string(stored.Data) != c.data || len(r.rung()) != 1 || r.rung()[0] != w {
				t.Fatalf("got data %s and doorbells for %v, want %s and %s", stored.Data, r.rung(), c.data, w)
			}
			must(t, r.fanout.Handle(t.Context(), message(c.body)))
			if len(r.dead.messages) != 0 {
				t.Errorf("the repeated message became a dead letter: %v", r.dead.messages[0].Attributes)
			}
			must(t, r.fanout.Handle(t.Context(), message(updated)))
			if conflicts := len(r.dead.messages) != 0; conflicts != c.conflicts {
				t.Errorf("the first encoding conflicts: got %v, want %v", conflicts, c.conflicts)
			}
		})
	}
}

func TestDeadLetters(t *testing.T) {
	secret := "whsec_do-not-log-me"
	for name, c := range map[string]struct{ body, reason string }{
		"not JSON":            {`{"id":` + secret, "malformed"},
		"a repeated member":   {`{"id":"a","id":"b","type":"user:created","occurredAt":"2026-01-02T11:00:00Z","data":1}`, "malformed"},
		"an unknown type":     {strings.Replace(updated, "updated", "exploded", 1), "unknown_type"},
		"a missing id":        {strings.Replace(updated, `"id":"evt_1",`, "", 1), "invalid"},
		"an unknown member":   {strings.Replace(updated, `"data"`, `"Data":1,"data"`, 1), "invalid"},
		"an operational type": {strings.Replace(updated, "work_package:updated", "webhook:ping", 1), "invalid"},
		"too large":           {strings.Replace(updated, "Plant", strings.Repeat("x", events.MaxSize), 1), "too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.webhook(all, "*", "webhook:*")
			m := message(c.body)
			m.Attributes = map[string]string{lane.Traceparent: "kept"}
			must(t, r.fanout.Handle(t.Context(), m))
			if len(r.dead.messages) != 1 || len(r.bells.messages) != 0 {
				t.Fatalf("got %d dead letters and %d doorbells, want 1 and 0", len(r.dead.messages), len(r.bells.messages))
			}
			dead := r.dead.messages[0]
			if string(dead.Body) != c.body || dead.Attributes[lane.Reason] != c.reason || dead.Attributes[lane.Detail] == "" || dead.Attributes[lane.Traceparent] != "kept" {
				t.Errorf("got %d bytes with the attributes %v, want the body as sent, the reason %s, a detail and the trace context", len(dead.Body), dead.Attributes, c.reason)
			}
			if strings.Contains(r.logs.String(), secret) || strings.Contains(dead.Attributes[lane.Detail], secret) {
				t.Error("the log or the detail contains the body")
			}
		})
	}
	t.Run("a body that leaves no room for the reason is cut", func(t *testing.T) {
		r := newRig(t)
		must(t, r.fanout.Handle(t.Context(), message(strings.Repeat("x", 1<<20))))
		dead := r.dead.messages[0]
		if len(dead.Body) != 1_000_000 || dead.Attributes[lane.Truncated] != "true" {
			t.Errorf("got %d bytes and attributes %v, want 1000000 bytes marked as truncated", len(dead.Body), dead.Attributes)
		}
	})
	t.Run("a body is cut between characters", func(t *testing.T) {
		r := newRig(t)
		must(t, r.fanout.Handle(t.Context(), message("xx"+strings.Repeat("😀", 260_000))))
		dead := r.dead.messages[0]
		if len(dead.Body) != 999_998 || !utf8.Valid(dead.Body) {
			t.Errorf("got %d bytes, valid UTF-8: %v; want 999998 valid bytes", len(dead.Body), utf8.Valid(dead.Body))
		}
	})
	t.Run("a message comes again if the dead-letter lane fails", func(t *testing.T) {
		r := newRig(t)
		r.dead.err = errors.New("no")
		if err := r.fanout.Handle(t.Context(), message("x")); err == nil {
			t.Error("got no error, so the message would be acknowledged")
		}
	})
}

func TestAFailedSendIsNotAcknowledged(t *testing.T) {
	r := newRig(t)
	w := r.webhook(all, "*")
	r.bells.err = errors.New("no")
	if err := r.fanout.Handle(t.Context(), message(updated)); err == nil {
		t.Fatal("got no error, so the message would be acknowledged")
	}
	r.bells.err = nil
	must(t, r.fanout.Handle(t.Context(), message(updated)))
	if diff := cmp.Diff([]string{w}, r.rung()); diff != "" {
		t.Error(diff)
	}
}

func TestProjectsLearnFromEvents(t *testing.T) {
	event := func(id, kind, at, project string) lane.Message {
		if len(at) == len("10:00") {
			at = "2026-01-02T" + at + ":00Z"
		}
		return message(fmt.Sprintf(`{"id":%q,"type":%q,"occurredAt":%q,"project":%s,"data":1}`, id, kind, at, project))
	}
	// received returns the message as the lane accepted it at the given time.
	received := func(at string, m lane.Message) lane.Message {
		m.SentAt = clock("2026-01-02T" + at + ":00Z")
		return m
	}
	for name, c := range map[string]struct {
		messages []lane.Message
		want     project.Project
	}{
		"the first event creates the project": {
			[]lane.Message{event("1", "user:created", "10:00", `{"id":"7","identifier":"plant","name":"Plant"}`)},
			project.Project{ID: "7", Identifier: "plant", Name: "Plant"},
		},
		"an absent name erases nothing": {
			[]lane.Message{
				event("1", "user:created", "10:00", `{"id":"7","identifier":"plant","name":"Plant"}`),
				event("2", "user:created", "10:01", `{"id":"7"}`),
			},
			project.Project{ID: "7", Identifier: "plant", Name: "Plant"},
		},
		"newer news wins": {
			[]lane.Message{
				event("1", "user:created", "10:00", `{"id":"7","name":"Plant"}`),
				event("2", "user:created", "10:01", `{"id":"7","name":"Works"}`),
			},
			project.Project{ID: "7", Name: "Works"},
		},
		"older news that arrives late loses": {
			[]lane.Message{
				event("1", "user:created", "10:01", `{"id":"7","name":"Works"}`),
				event("2", "user:created", "10:00", `{"id":"7","name":"Plant"}`),
			},
			project.Project{ID: "7", Name: "Works"},
		},
		"news without changes counts": {
			[]lane.Message{
				event("1", "user:created", "10:00", `{"id":"7","name":"Works"}`),
				event("2", "user:created", "10:05", `{"id":"7","name":"Works"}`),
				event("3", "user:created", "10:03", `{"id":"7","name":"Plant"}`),
			},
			project.Project{ID: "7", Name: "Works"},
		},
		"a deleted project is gone": {
			[]lane.Message{
				event("1", "user:created", "10:00", `{"id":"7","name":"Plant"}`),
				event("2", "project:deleted", "10:01", `{"id":"7"}`),
				event("3", "user:created", "10:00", `{"id":"7"}`),
			},
			project.Project{ID: "7", Name: "Plant", Gone: true},
		},
		"news from the future counts from the time of its receipt": {
			[]lane.Message{
				received("10:00", event("1", "user:created", "2062-01-02T10:00:00Z", `{"id":"7","name":"Plant"}`)),
				received("10:01", event("2", "user:created", "10:01", `{"id":"7","name":"Works"}`)),
			},
			project.Project{ID: "7", Name: "Works"},
		},
		"news that occurred before news from the future was received loses": {
			[]lane.Message{
				received("10:05", event("1", "user:created", "2062-01-02T10:00:00Z", `{"id":"7","name":"Plant"}`)),
				received("10:06", event("2", "user:created", "10:04", `{"id":"7","name":"Works"}`)),
			},
			project.Project{ID: "7", Name: "Plant"},
		},
		"a deletion after news from the future": {
			[]lane.Message{
				received("10:00", event("1", "user:created", "9999-12-31T23:59:60Z", `{"id":"7","name":"Plant"}`)),
				received("10:01", event("2", "project:deleted", "10:01", `{"id":"7"}`)),
			},
			project.Project{ID: "7", Name: "Plant", Gone: true},
		},
		"news after a deletion from the future": {
			[]lane.Message{
				received("10:00", event("1", "project:deleted", "9999-12-31T23:59:59-23:59", `{"id":"7"}`)),
				received("10:01", event("2", "project:created", "10:01", `{"id":"7","name":"Plant"}`)),
			},
			project.Project{ID: "7", Name: "Plant"},
		},
		"before the zero time": {
			[]lane.Message{event("1", "user:created", "0001-01-01T00:00:00+01:00", `{"id":"7","name":"Plant"}`)},
			project.Project{ID: "7", Name: "Plant"},
		},
		"at the zero time": {
			[]lane.Message{event("1", "user:created", "0001-01-01T00:00:00Z", `{"id":"7","name":"Plant"}`)},
			project.Project{ID: "7", Name: "Plant"},
		},
		"before the year 0": {
			[]lane.Message{
				event("1", "user:created", "0000-01-01T00:00:00+23:59", `{"id":"7","name":"Plant"}`),
				event("2", "user:created", "0001-01-01T00:00:00+01:00", `{"id":"7","name":"Works"}`),
				event("3", "user:created", "0000-12-31T00:00:00Z", `{"id":"7","name":"Pit"}`),
			},
			project.Project{ID: "7", Name: "Works"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			for _, m := range c.messages {
				must(t, r.fanout.Handle(t.Context(), m))
			}
			got, err := r.store.ProjectsByID(t.Context(), "7")
			must(t, err)
			p := got[0]
			if p.ID != c.want.ID || p.Identifier != c.want.Identifier || p.Name != c.want.Name || p.Gone != c.want.Gone {
				t.Errorf("got %+v, want %+v", p, c.want)
			}
		})
	}
	t.Run("a stored time in the future counts as the present", func(t *testing.T) {
		for name, p := range map[string]project.Project{
			"of a name":     {ID: "7", Name: "Works", NewsAt: clock("2062-01-02T10:00:00Z")},
			"of a deletion": {ID: "7", Name: "Works", Gone: true, NewsAt: clock("9999-12-31T23:59:59-23:59")},
		} {
			t.Run(name, func(t *testing.T) {
				r := newRig(t)
				must(t, r.store.PutProject(t.Context(), &p))
				// First an event from before the present time, then a newer event in another process.
				must(t, r.fanout.Handle(t.Context(), event("1", "user:created", "10:00", `{"id":"7","name":"Pit"}`)))
				got, err := r.store.ProjectsByID(t.Context(), "7")
				must(t, err)
				if got[0].Name != "Works" || got[0].Gone != p.Gone || !got[0].NewsAt.Equal(start) {
					t.Errorf("got %+v, want the stored name with the present time", got[0])
				}
				later := event("2", "user:created", "11:01", `{"id":"7","name":"Plant"}`)
				must(t, r.newFanout().Handle(t.Context(), received("11:01", later)))
				got, err = r.store.ProjectsByID(t.Context(), "7")
				must(t, err)
				if got[0].Name != "Plant" || got[0].Gone {
					t.Errorf("got %+v, want the newest name", got[0])
				}
			})
		}
	})
	t.Run("a project is not written again without news", func(t *testing.T) {
		r := newRig(t)
		for i := range 5 {
			must(t, r.fanout.Handle(t.Context(), event(fmt.Sprint(i), "user:created", "10:00", `{"id":"7","name":"Plant"}`)))
		}
		got, err := r.store.ProjectsByID(t.Context(), "7")
		must(t, err)
		if got[0].Version != 1 {
			t.Errorf("the project was written %d times, want once", got[0].Version)
		}
	})
	t.Run("concurrent processes keep the newest name", func(t *testing.T) {
		r := newRig(t)
		var wg sync.WaitGroup
		for i := range 8 {
			f := r.newFanout()
			wg.Go(func() {
				for j := range 10 {
					if err := f.Handle(t.Context(), event(fmt.Sprintf("%d-%d", i, j), "user:created", fmt.Sprintf("10:%02d", 10*j/2+i/2), fmt.Sprintf(`{"id":"7","name":"n%02d"}`, 10*j/2+i/2))); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		got, err := r.store.ProjectsByID(t.Context(), "7")
		must(t, err)
		if got[0].Name != "n48" {
			t.Errorf("got name %q, want n48, the newest", got[0].Name)
		}
	})
}

// clock parses an RFC 3339 time.
func clock(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return at
}

func TestOperate(t *testing.T) {
	r := newRig(t)
	w := r.webhook(all, "time_entry:created")
	e := events.Event{ID: id.New(id.Event, start), Source: events.OperationalSource, Type: "webhook:ping", OccurredAt: "2026-01-02T11:00:00Z", Data: json.RawMessage(`{}`), Project: &events.Project{ID: "9"}}
	operator := fanout.NewOperator(fanout.OperatorConfig{Recorder: r.store, Deliveries: &r.bells, Now: func() time.Time { return start }})
	rec, err := operator.Operate(t.Context(), e, delivery.TriggerPing, w)
	must(t, err)
	if !slices.Equal(r.rung(), []string{w}) || rec.Trigger != delivery.TriggerPing || rec.MatchCount != 1 {
		t.Errorf("got doorbells for %v and record %+v, want one match, %s, by a ping", r.rung(), rec, w)
	}
	if found, err := r.store.ProjectsByID(t.Context(), "9"); err != nil || len(found) != 0 {
		t.Errorf("got projects %v and error %v after an operational event, want neither", found, err)
	}
}

func TestTraceContext(t *testing.T) {
	for header, want := range map[string]string{
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01": "4bf92f3577b34da6a3ce929d0e0e4736",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01": "",
		"junk": "",
		"":     "",
	} {
		r := newRig(t)
		m := message(updated)
		m.Attributes = map[string]string{lane.Traceparent: header}
		must(t, r.fanout.Handle(t.Context(), m))
		stored, err := r.store.Event(t.Context(), events.KeyOf(events.DefaultSource, "evt_1"))
		must(t, err)
		if stored.TraceID != want {
			t.Errorf("%q: got %q, want %q", header, stored.TraceID, want)
		}
	}
}
