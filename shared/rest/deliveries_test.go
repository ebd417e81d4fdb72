package rest_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"nepenthes/events"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/lane"
	"nepenthes/shared/record"
	"nepenthes/shared/rest/hal"
	"nepenthes/shared/webhook"
)

var received = time.Now().UTC().Truncate(time.Millisecond).Add(-time.Hour)

// record stores an event with its plan. The event was received at the given time after the first one.
func (s *service) record(t testing.TB, eventID string, after time.Duration, data string, plan ...string) record.Event {
	t.Helper()
	r := record.Event{
		Event:      events.Event{ID: eventID, Source: events.DefaultSource, Type: "work_package:updated", OccurredAt: "2026-01-02T11:00:00Z", Data: []byte(data)},
		ReceivedAt: received.Add(after), ExpiresAt: received.Add(30 * 24 * time.Hour), Trigger: delivery.TriggerSchedule,
	}
	stored, _, created, err := s.DB.PutEvent(context.Background(), r, plan)
	if err != nil || !created {
		t.Fatal(created, err)
	}
	return stored
}

// failed returns an attempt with the answer 503.
func failed(number int) *delivery.Attempt {
	at := received.Add(time.Duration(number) * time.Second)
	return &delivery.Attempt{
		ID: id.New(id.Attempt, at), Number: number, Trigger: delivery.TriggerSchedule, Outcome: delivery.OutcomeFailed, StartedAt: at,
		URL: hooks, Format: webhook.FormatNepenthes, Signed: true, HeaderNames: []string{"X-Team"},
		Timing:     delivery.Timing{DNS: delivery.NoPhase, Connect: delivery.NoPhase, TLS: delivery.NoPhase, FirstByte: 1500 * time.Microsecond, Total: 2 * time.Millisecond},
		Response:   &delivery.Response{Status: 503, Headers: http.Header{"Retry-After": {"1"}, "X-Two": {"a", "b"}}, Body: []byte("busy")},
		ErrorClass: delivery.ErrStatus, ErrorMessage: "The receiver answered 503.",
	}
}

// deliver stores attempts of a delivery, each with the answer 503, as the sender does.
func (s *service) deliver(t testing.TB, r record.Event, webhookID string, attempts int) delivery.Delivery {
	t.Helper()
	d := r.Delivery(webhookID)
	for n := 1; n <= attempts; n++ {
		a := failed(n)
		trigger := delivery.TriggerSchedule
		if n > 1 {
			trigger = delivery.TriggerManual
			d.Extra = &delivery.Extra{Trigger: trigger, At: a.StartedAt}
			a.Trigger = trigger
		}
		if err := d.Claim(a.ID, trigger, a.StartedAt); err != nil {
			t.Fatal(err)
		}
		if err := d.Record(a, delivery.Rules{Schedule: webhook.ScheduleNone}, a.StartedAt); err != nil {
			t.Fatal(err)
		}
		var won bool
		var err error
		if d, won, err = s.DB.PutDelivery(context.Background(), d, a); err != nil || !won {
			t.Fatal(won, err)
		}
	}
	return d
}

func TestADeliveryShowsItsAttempts(t *testing.T) {
	s := newService(t)
	w := s.webhook(t, s.token(t), "w")
	r := s.record(t, "e1", 0, `{"n":9007199254740993, "a":"<&>"}`, w)
	d := s.deliver(t, r, w, 2)
	var shown hal.Delivery
	s.do(t, s.token(t, "deliveries:read", "events:read"), "GET", "/api/v3/deliveries/"+d.ID(), "").want(t, 200, &shown)
	if shown.State != "dead" || *shown.Reason != "exhausted" || shown.AttemptCount != 2 || shown.EventID != "e1" || shown.WebhookID != w {
		t.Errorf("got %+v", shown)
	}
	if last := shown.LastAttempt; last == nil || last.Number != 2 || *last.Status != 503 || *last.ErrorClass != "status" || last.TotalMs != 2 {
		t.Errorf("got last attempt %+v", last)
	}
	attempts := shown.Embedded.Attempts
	if len(attempts) != 2 || attempts[0].Number != 1 || attempts[0].Trigger != "schedule" || attempts[1].Trigger != "manual" {
		t.Fatalf("got attempts %+v, want two, oldest first", attempts)
	}
	a := attempts[0]
	if want := `{"action":"work_package:updated","work_package":{"n":9007199254740993, "a":"<&>"}}`; a.Request.Body == nil || *a.Request.Body != want {
		t.Errorf("got body %v, want %s", a.Request.Body, want)
	}
	for name, want := range map[string]string{"webhook-id": d.ID(), "webhook-signature": "***", "X-Team": "***", "X-Nepenthes-Attempt": "1", "Content-Type": "application/json"} {
		if got := a.Request.Headers[name]; got != want {
			t.Errorf("got request header %s: %q, want %q", name, got, want)
		}
	}
	if a.Response.Body != "busy" || a.Response.BodyEncoding != "utf-8" || a.Response.Headers["X-Two"] != "a, b" || a.Error.Class != "status" {
		t.Errorf("got response %+v, error %+v", a.Response, a.Error)
	}
	if a.Timing.DNS != nil || *a.Timing.FirstByte != 1.5 {
		t.Errorf("got timing %+v, want no DNS and 1.5 ms to the first byte", a.Timing)
	}
}

func TestBodiesOfRequestsNeedTheirOwnScope(t *testing.T) {
	s := newService(t)
	w := s.webhook(t, s.token(t), "w")
	d := s.deliver(t, s.record(t, "e1", 0, `{"private":"payload"}`, w), w, 1)
	reader := s.token(t, "deliveries:read")
	for _, path := range []string{"/api/v3/deliveries/" + d.ID(), "/api/v3/webhooks/" + w + "/deliveries", "/api/v3/deliveries?state=dead"} {
		if got := s.do(t, reader, "GET", path, "").want(t, 200, nil); strings.Contains(got.text, "private") {
			t.Errorf("%s: got the payload: %s", path, got.text)
		}
	}
	var shown hal.Delivery
	s.do(t, reader, "GET", "/api/v3/deliveries/"+d.ID(), "").want(t, 200, &shown)
	attempt := "/api/v3/deliveries/" + d.ID() + "/attempts/" + shown.Embedded.Attempts[0].ID
	if got := s.do(t, reader, "GET", attempt, "").want(t, 200, nil); strings.Contains(got.text, "private") || !strings.Contains(got.text, `"webhook-id"`) {
		t.Errorf("got %s, want headers without the payload", got.text)
	}
	if got := s.do(t, s.token(t), "GET", attempt, "").want(t, 200, nil); !strings.Contains(got.text, "private") {
		t.Errorf("got %s, want the payload with events:read", got.text)
	}
	s.do(t, reader, "GET", attempt+"x", "").wantKind(t, fault.NotFound)
}

func TestALargeDeliveryLeavesOutOlderBodies(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	w := s.webhook(t, token, "w")
	r := s.record(t, "e1", 0, `"`+strings.Repeat(`\u0001`, 40_000)+`"`, w) // 240 KB that grow to twice that as JSON
	d := s.deliver(t, r, w, 20)
	var shown hal.Delivery
	got := s.do(t, token, "GET", "/api/v3/deliveries/"+d.ID(), "").want(t, 200, &shown)
	if len(got.text) > 4<<20 {
		t.Errorf("got %d bytes, want at most 4 MB", len(got.text))
	}
	attempts := shown.Embedded.Attempts
	if len(attempts) != 20 || attempts[19].Request.Body == nil || attempts[0].Request.Body != nil || !attempts[0].Request.Truncated {
		t.Fatal("the newest bodies are missing")
	}
	for i := 1; i < len(attempts); i++ {
		if attempts[i-1].Request.Body != nil && attempts[i].Request.Body == nil {
			t.Errorf("got the body of attempt %d but not the body of the newer attempt %d", i, i+1)
		}
	}
	var single hal.Attempt
	s.do(t, token, "GET", "/api/v3/deliveries/"+d.ID()+"/attempts/"+attempts[0].ID, "").want(t, 200, &single)
	if single.Request.Body == nil || len(*single.Request.Body) < 240_000 {
		t.Error("got the single attempt without its body")
	}
}

func TestADeliveryThatWasNotClaimedIsPending(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	planned, other := s.webhook(t, token, "planned"), s.webhook(t, token, "other")
	r := s.record(t, "e1", 0, `1`, planned)
	key := r.DeliveryKey(planned)
	var shown hal.Delivery
	s.do(t, token, "GET", "/api/v3/deliveries/"+key.ID(), "").want(t, 200, &shown)
	if shown.State != "pending" || shown.AttemptCount != 0 || !shown.CreatedAt.Equal(r.ReceivedAt) {
		t.Errorf("got %+v, want state pending", shown)
	}
	s.do(t, token, "GET", "/api/v3/deliveries/"+r.DeliveryKey(other).ID(), "").wantKind(t, fault.NotFound)
	key.ReceivedMs++
	s.do(t, token, "GET", "/api/v3/deliveries/"+key.ID(), "").wantKind(t, fault.NotFound)
	var list hal.CursorCollection[hal.Delivery]
	s.do(t, token, "GET", "/api/v3/webhooks/"+planned+"/deliveries", "").want(t, 200, &list)
	if list.Count != 0 {
		t.Errorf("got %d deliveries in the webhook's list, want none before an attempt", list.Count)
	}
	s.do(t, token, "POST", "/api/v3/deliveries/"+r.DeliveryKey(planned).ID()+"/retries", "").wantKind(t, fault.InvalidState)
}

func TestAnEventListsItsPlan(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	var plan []string
	for i := range 5 {
		plan = append(plan, s.webhook(t, token, fmt.Sprint("w", i)))
	}
	slices.Reverse(plan) // the order of the plan is not that of ids
	r := s.record(t, "e1", 0, `1`, plan...)
	s.deliver(t, r, plan[3], 1)
	s.record(t, "none", 0, `1`)
	var got, states []string
	path := "/api/v3/events/e1/deliveries?pageSize=2"
	for path != "" {
		var page hal.Collection[hal.Delivery]
		s.do(t, token, "GET", path, "").want(t, 200, &page)
		if page.Total != 5 {
			t.Errorf("got total %d, want 5", page.Total)
		}
		for _, d := range page.Embedded.Elements {
			got, states = append(got, d.WebhookID), append(states, d.State)
		}
		if path = ""; page.Links.Next != nil {
			path = page.Links.Next.Href
		}
	}
	if !slices.Equal(got, plan) || !slices.Equal(states, []string{"pending", "pending", "pending", "dead", "pending"}) {
		t.Errorf("got %q in states %q, want the plan %q", got, states, plan)
	}
	var event hal.Event
	s.do(t, token, "GET", "/api/v3/events/none", "").want(t, 200, &event)
	if event.MatchCount != 0 {
		t.Errorf("got %d matches, want none", event.MatchCount)
	}
	s.do(t, token, "GET", "/api/v3/events/none/deliveries", "").want(t, 200, nil)
}

// walk follows one kind of link through a list and returns the ids on its pages.
func (s *service) walk(t *testing.T, token, path string, follow func(hal.CursorLinks) *hal.Link) (ids []string, last string) {
	t.Helper()
	for range 100 {
		var page hal.CursorCollection[hal.Delivery]
		s.do(t, token, "GET", path, "").want(t, 200, &page)
		pageIDs := make([]string, 0, page.Count)
		for _, d := range page.Embedded.Elements {
			pageIDs = append(pageIDs, d.ID)
		}
		ids, last = append(ids, pageIDs...), path
		link := follow(page.Links)
		if link == nil {
			return ids, last
		}
		path = link.Href
	}
	t.Fatal("the list has no end")
	return nil, ""
}

func next(l hal.CursorLinks) *hal.Link     { return l.Next }
func previous(l hal.CursorLinks) *hal.Link { return l.Previous }

func TestDeliveriesAreListedNewestFirst(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	w, other := s.webhook(t, token, "w"), s.webhook(t, token, "other")
	var want []string
	for i := range 23 {
		r := s.record(t, fmt.Sprint("e", i), time.Duration(i/3)*time.Second, `1`, w, other)
		want = append(want, s.deliver(t, r, w, 1).ID())
		s.deliver(t, r, other, 1)
	}
	slices.SortStableFunc(want, func(a, b string) int { return strings.Compare(sortKey(t, b), sortKey(t, a)) })
	path := "/api/v3/webhooks/" + w + "/deliveries?pageSize=5"
	got, last := s.walk(t, token, path, next)
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	back, _ := s.walk(t, token, last, previous)
	slices.Sort(back)
	all := slices.Sorted(slices.Values(want))
	if !slices.Equal(back, all) {
		t.Errorf("got %d deliveries going back from the end, want each of the %d once", len(back), len(all))
	}
	if dead, _ := s.walk(t, token, "/api/v3/deliveries?state=dead&pageSize=7", next); len(dead) != 46 {
		t.Errorf("got %d dead deliveries of all webhooks, want 46", len(dead))
	}
	since, until := received.Add(2*time.Second).Format(time.RFC3339Nano), received.Add(4*time.Second).Format(time.RFC3339Nano)
	if some, _ := s.walk(t, token, path+"&since="+since+"&until="+until, next); len(some) != 6 {
		t.Errorf("got %d deliveries in two seconds, want 6, with the first and without the last", len(some))
	}
	for query, count := range map[string]int{"&state=dead": 23, "&state=delivered": 0, "&event=work_package:updated": 23, "&event=project:created": 0} {
		if some, _ := s.walk(t, token, path+query, next); len(some) != count {
			t.Errorf("%s: got %d deliveries, want %d", query, len(some), count)
		}
	}
}

// sortKey returns the key by which the table sorts the deliveries of a webhook.
func sortKey(t *testing.T, deliveryID string) string {
	t.Helper()
	key := must[delivery.Key](t)(delivery.ParseKey(deliveryID))
	return fmt.Sprintf("%020d%x", key.ReceivedMs, key.Event)
}

func TestACursorIsValidOnlyForItsList(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	w, other := s.webhook(t, token, "w"), s.webhook(t, token, "other")
	for i := range 4 {
		s.deliver(t, s.record(t, fmt.Sprint("e", i), 0, `1`, w), w, 1)
	}
	var page hal.CursorCollection[hal.Delivery]
	s.do(t, token, "GET", "/api/v3/webhooks/"+w+"/deliveries?pageSize=2&state=dead", "").want(t, 200, &page)
	cursor := page.Links.Next.Href[strings.Index(page.Links.Next.Href, "cursor=")+len("cursor="):]
	cursor, _, _ = strings.Cut(cursor, "&")
	good := "/api/v3/webhooks/" + w + "/deliveries?state=dead&cursor="
	s.do(t, token, "GET", good+cursor, "").want(t, 200, nil)
	s.do(t, token, "GET", good+cursor+"&pageSize=1", "").want(t, 200, nil)
	for _, path := range []string{
		"/api/v3/webhooks/" + w + "/deliveries?cursor=" + cursor,
		"/api/v3/webhooks/" + w + "/deliveries?state=delivered&cursor=" + cursor,
		"/api/v3/webhooks/" + other + "/deliveries?state=dead&cursor=" + cursor,
		"/api/v3/deliveries?state=dead&cursor=" + cursor,
		good + "x", good + cursor[1:], good + cursor + "A", good + cursor + "%3D",
	} {
		s.do(t, token, "GET", path, "").wantKind(t, fault.InvalidQuery)
	}
	for i := range cursor { // no character can be changed
		altered := []byte(cursor)
		altered[i] ^= 1
		if got := s.do(t, token, "GET", good+strings.ReplaceAll(string(altered), "%", "%25"), ""); got.StatusCode != 400 {
			t.Errorf("got %d for a cursor that was changed at %d, want 400", got.StatusCode, i)
		}
	}
}

func TestRetryAddsOneAttempt(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	w := s.webhook(t, token, "w")
	d := s.deliver(t, s.record(t, "e1", 0, `1`, w), w, 1)
	writer := s.token(t, "deliveries:write")
	path := "/api/v3/deliveries/" + d.ID() + "/retries"
	var shown hal.Delivery
	s.do(t, writer, "POST", path, "").want(t, 202, &shown)
	if shown.ID != d.ID() || shown.State != "dead" || len(shown.Embedded.Attempts) != 1 {
		t.Errorf("got %+v, want the delivery with its attempt", shown)
	}
	s.do(t, writer, "POST", path, "").want(t, 202, nil)
	messages := must[[]lane.Message](t)(s.DB.Lane(lane.Retries).Receive(t.Context(), 10))
	if len(messages) != 1 || messages[0].Group != w {
		t.Fatalf("got %d messages, want one in the webhook's group", len(messages))
	}
	if called, err := lane.Called(messages[0]); err != nil || called != d.ID() {
		t.Errorf("got a doorbell for %q, %v, want %q", called, err, d.ID())
	}
	stored := must[delivery.Delivery](t)(s.DB.Delivery(t.Context(), d.Key))
	if stored.Extra == nil || stored.Extra.Trigger != delivery.TriggerManual || stored.SweepAt.IsZero() {
		t.Errorf("got %+v, want a manual attempt that the sweeper will find", stored)
	}
}

func TestRetryIsRefusedWhenNoAttemptCouldBeMade(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	for name, change := range map[string]func(t *testing.T, w string){
		"the webhook is disabled": func(t *testing.T, w string) {
			s.do(t, token, "PATCH", "/api/v3/webhooks/"+w, `{"enabled":false}`).want(t, 200, nil)
		},
		"the webhook was deleted": func(t *testing.T, w string) { s.do(t, token, "DELETE", "/api/v3/webhooks/"+w, "").want(t, 204, nil) },
		"the webhook wants other events": func(t *testing.T, w string) {
			s.do(t, token, "PATCH", "/api/v3/webhooks/"+w, `{"events":["project:*"]}`).want(t, 200, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := s.webhook(t, token, name)
			d := s.deliver(t, s.record(t, id.New(id.Event, received), 0, `1`, w), w, 1)
			change(t, w)
			got := s.do(t, token, "POST", "/api/v3/deliveries/"+d.ID()+"/retries", "")
			got.wantKind(t, fault.InvalidState)
			s.do(t, token, "GET", "/api/v3/deliveries/"+d.ID(), "").want(t, 200, nil)
		})
	}
	if messages, err := atOnce(s.DB.Lane(lane.Retries)); err == nil {
		t.Errorf("got %d messages on the lane of retries, want none", len(messages))
	}
}

// atOnce returns the messages that a lane has now. If there are none, it returns an error.
func atOnce(l interface {
	Receive(ctx context.Context, max int) ([]lane.Message, error)
},
) ([]lane.Message, error) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return l.Receive(ctx, 10)
}
