package rest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"nepenthes/shared/api"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/record"
	"nepenthes/shared/rest"
	"nepenthes/shared/rest/hal"
	"nepenthes/shared/webhook"
)

// hold stores a delivery that is held because its webhook is paused, as the sender does.
func (s *service) hold(t testing.TB, r record.Event, webhookID string) delivery.Delivery {
	t.Helper()
	d := r.Delivery(webhookID)
	if err := d.Hold(delivery.Paused, r.ReceivedAt); err != nil {
		t.Fatal(err)
	}
	stored, won, err := s.DB.PutDelivery(context.Background(), d, nil)
	if err != nil || !won {
		t.Fatal(won, err)
	}
	return stored
}

// pausedWebhook returns the id of a webhook that is paused.
func (s *service) pausedWebhook(t testing.TB, token string) string {
	t.Helper()
	w := s.webhook(t, token, "paused")
	s.do(t, token, "POST", "/api/v3/webhooks/"+w+"/pause", "").want(t, 200, nil)
	return w
}

func TestHeldDeliveriesAreShownAndListed(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	w := s.pausedWebhook(t, token)
	r := s.record(t, "e1", 0, `1`, w)
	held, dead := s.hold(t, r, w), s.deliver(t, s.record(t, "e2", time.Second, `1`, w), w, 1)
	var shown hal.Delivery
	s.do(t, token, "GET", "/api/v3/deliveries/"+held.ID(), "").want(t, 200, &shown)
	if shown.State != "held" || *shown.Reason != "paused" || shown.NextAttemptAt != nil || shown.FinishedAt != nil || shown.AttemptCount != 0 {
		t.Errorf("got %+v, want a delivery that is held and for which nothing is due", shown)
	}
	list := "/api/v3/webhooks/" + w + "/deliveries"
	for path, want := range map[string]string{list: dead.ID() + " " + held.ID(), list + "?state=held": held.ID(), list + "?state=dead": dead.ID(), list + "?state=pending": ""} {
		if ids, _ := s.walk(t, token, path, next); strings.Join(ids, " ") != want {
			t.Errorf("%s: got %q, want %q", path, ids, want)
		}
	}
	if ids, _ := s.walk(t, token, "/api/v3/deliveries?state=dead", next); len(ids) != 1 {
		t.Errorf("got %q among the deliveries that need a person, want only the dead one", ids)
	}
}

func TestHeldDeliveriesAreCounted(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	w := s.pausedWebhook(t, token)
	path := "/api/v3/webhooks/" + w
	for i := range 3 {
		s.hold(t, s.record(t, fmt.Sprint("e", i), 0, `1`, w), w)
	}
	for _, request := range []struct{ method, path, body string }{
		{"GET", path, ``},
		{"PATCH", path, `{}`},
		{"PATCH", path, `{"description":"d"}`},
		{"POST", path + "/pause", ``},
		{"POST", path + "/resume", `{"held":"release"}`},
		{"GET", path, ``},
		{"POST", path + "/pause", ``},
		{"PATCH", path, `{"enabled":false}`},
	} {
		var shown hal.Webhook
		s.do(t, token, request.method, request.path, request.body).want(t, 200, &shown)
		if held := shown.Status.Held; held == nil || *held != 3 {
			t.Errorf("%s %s %s: got %v, want 3 held deliveries", request.method, request.path, request.body, held)
		}
	}
	var list hal.Collection[hal.Webhook]
	s.do(t, token, "GET", "/api/v3/webhooks", "").want(t, 200, &list)
	if got := list.Embedded.Elements[0].Status.Held; got != nil {
		t.Errorf("got %d held deliveries in the list, want no number", *got)
	}
}

// uncounted is a store that can count for no webhook.
type uncounted struct{ api.Store }

func (uncounted) CountHeld(context.Context, string, int) (int, error) {
	return 0, errors.New("the index is away")
}

// A client must be able to trust that a request which failed has written nothing.
func TestNothingIsWrittenIfHeldDeliveriesCannotBeCounted(t *testing.T) {
	s := newService(t, func(_ *rest.Config, c *api.Config) { c.Store = uncounted{c.Store} })
	token := s.token(t)
	id := s.webhook(t, token, "never paused")
	path := "/api/v3/webhooks/" + id
	s.do(t, token, "GET", path, "").want(t, 200, nil)
	s.do(t, token, "PATCH", path, `{"description":"d"}`).want(t, 200, nil)
	s.do(t, token, "POST", path+"/pause", "").want(t, 200, nil) // nothing can be held yet
	before := must[webhook.Webhook](t)(s.DB.Webhook(t.Context(), id))
	for _, request := range []struct{ method, path, body string }{
		{"GET", path, ``}, {"PATCH", path, `{"description":"e"}`}, {"POST", path + "/pause", ``}, {"POST", path + "/resume", `{"held":"drop"}`},
	} {
		s.do(t, token, request.method, request.path, request.body).wantKind(t, fault.Internal)
	}
	if after := must[webhook.Webhook](t)(s.DB.Webhook(t.Context(), id)); after.LockVersion != before.LockVersion {
		t.Errorf("got version %d, want %d as before", after.LockVersion, before.LockVersion)
	}
}

func TestAHeldDeliveryWhoseEventHasExpiredIsShownAsExpired(t *testing.T) {
	now := received
	s := newService(t, func(_ *rest.Config, c *api.Config) { c.Now = func() time.Time { return now } })
	token := s.token(t)
	w := s.pausedWebhook(t, token)
	r := s.record(t, "e1", 0, `1`, w)
	held := s.hold(t, r, w)
	list := "/api/v3/webhooks/" + w + "/deliveries"
	for _, moment := range []struct {
		now           time.Time
		state, reason string
		listed        int
	}{
		{r.ExpiresAt.Add(-time.Millisecond), "held", "paused", 1},
		{r.ExpiresAt, "dead", "expired", 0},
	} {
		now = moment.now
		var shown hal.Delivery
		s.do(t, token, "GET", "/api/v3/deliveries/"+held.ID(), "").want(t, 200, &shown)
		var page hal.CursorCollection[hal.Delivery]
		s.do(t, token, "GET", list, "").want(t, 200, &page)
		var ofEvent hal.Collection[hal.Delivery]
		s.do(t, token, "GET", "/api/v3/events/e1/deliveries", "").want(t, 200, &ofEvent)
		for where, d := range map[string]hal.Delivery{"the delivery": shown, "the list": page.Embedded.Elements[0], "the list of the event": ofEvent.Embedded.Elements[0]} {
			if d.State != moment.state || *d.Reason != moment.reason {
				t.Errorf("%s at %s: got %s (%s), want %s (%s)", where, now, d.State, *d.Reason, moment.state, moment.reason)
			}
		}
		if ids, _ := s.walk(t, token, list+"?state=held", next); len(ids) != moment.listed {
			t.Errorf("at %s: got %d held deliveries in the list, want %d", now, len(ids), moment.listed)
		}
	}
	if stored := must[delivery.Delivery](t)(s.DB.Delivery(t.Context(), held.Key)); stored.State != delivery.Held {
		t.Errorf("got %s in the store, want the row as it was", stored.State)
	}
}

func TestAHeldDeliveryIsNotRetried(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	w := s.pausedWebhook(t, token)
	held := s.hold(t, s.record(t, "e1", 0, `1`, w), w)
	got := s.do(t, token, "POST", "/api/v3/deliveries/"+held.ID()+"/retries", "")
	got.wantKind(t, fault.InvalidState)
	for _, want := range []string{"it is held", "Resume its webhook", "wait"} {
		if !strings.Contains(got.text, want) {
			t.Errorf("got %s, want it to say %q", got.text, want)
		}
	}
	if stored := must[delivery.Delivery](t)(s.DB.Delivery(t.Context(), held.Key)); stored.Extra != nil || stored.Version != held.Version {
		t.Errorf("got %+v, want the row as it was", stored)
	}
	// A pause does not keep a person from trying a delivery that has ended.
	dead := s.deliver(t, s.record(t, "e2", 0, `1`, w), w, 1)
	s.do(t, token, "POST", "/api/v3/deliveries/"+dead.ID()+"/retries", "").want(t, 202, nil)
	if messages := must[[]lane.Message](t)(s.DB.Lane(lane.Retries).Receive(t.Context(), 10)); len(messages) != 1 {
		t.Errorf("got %d messages on the lane of retries, want 1", len(messages))
	}
}

// Each of several clients pauses and resumes until it has won. No change is lost.
func TestPausesAtTheSameTime(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	path := "/api/v3/webhooks/" + s.webhook(t, token, "w")
	const clients = 8
	answers := make(chan int, 3*clients)
	for i := range clients {
		go func() {
			answers <- s.do(t, token, "POST", path+"/pause", "").StatusCode
			answers <- s.do(t, token, "PATCH", path, fmt.Sprintf(`{"headers":{"X-%d":"v"}}`, i)).StatusCode
			answers <- s.do(t, token, "POST", path+"/pause", "").StatusCode
		}()
	}
	for range 3 * clients {
		if got := <-answers; got != 200 {
			t.Errorf("got %d, want 200", got)
		}
	}
	var shown hal.Webhook
	s.do(t, token, "GET", path, "").want(t, 200, &shown)
	if shown.Status.State != "paused" || shown.LockVersion != clients+2 {
		t.Errorf("got %s in version %d, want one pause and %d other changes", shown.Status.State, shown.LockVersion, clients)
	}
	stored := must[webhook.Webhook](t)(s.DB.Webhook(t.Context(), shown.ID))
	if stored.Release != (webhook.Release{}) {
		t.Errorf("got %+v, want no decision about what is held before a resume", stored.Release)
	}
}

func TestAResumeIsStored(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	w := s.webhook(t, token, "w")
	for body, want := range map[string]webhook.Release{
		`{"held":"release"}`:                    {PerSecond: 50},
		`{"held":"drop"}`:                       {Drop: true, PerSecond: 50},
		`{"held":"release","ratePerSecond":7}`:  {PerSecond: 7},
		`{"held":"drop","ratePerSecond":100.0}`: {Drop: true, PerSecond: 100},
	} {
		s.do(t, token, "POST", "/api/v3/webhooks/"+w+"/pause", "").want(t, 200, nil)
		s.do(t, token, "POST", "/api/v3/webhooks/"+w+"/resume", body).want(t, 200, nil)
		if got := must[webhook.Webhook](t)(s.DB.Webhook(t.Context(), w)); got.Release != want || got.Paused {
			t.Errorf("%s: got paused %v and %+v, want %+v", body, got.Paused, got.Release, want)
		}
	}
}
