package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"nepenthes/events"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
	"nepenthes/shared/outbound"
	"nepenthes/shared/project"
	"nepenthes/shared/record"
	"nepenthes/shared/sqlite"
	"nepenthes/shared/store"
	"nepenthes/shared/vault"
	"nepenthes/shared/webhook"
)

// world is a pipeline with a database in memory, in virtual time, and the receiver of all its webhooks.
type world struct {
	t        *testing.T
	db       *sqlite.DB
	opener   *vault.Opener
	webhooks []webhook.Webhook

	mu    sync.Mutex
	posts map[string]map[string]int // by payload URL, then by webhook-id
	// answer answers a POST, the n-th of its delivery.
	answer func(url string, n int) outbound.Result
}

func newWorld(t *testing.T) *world {
	db, err := sqlite.Open("", sqlite.Options{Lanes: laneOptions()})
	check(t, err)
	keys, err := vault.OpenLocal("")
	check(t, err)
	opener := vault.NewOpener(vault.OpenerConfig{Pairs: db, Unwrapper: keys})
	return &world{t: t, db: db, opener: opener, posts: map[string]map[string]int{}, answer: func(string, int) outbound.Result { return outbound.Result{} }}
}

// Post acts as the receiver of every webhook.
func (w *world) Post(_ context.Context, r outbound.Request) outbound.Result {
	w.mu.Lock()
	if w.posts[r.URL] == nil {
		w.posts[r.URL] = map[string]int{}
	}
	delivery := sent(r.Header, "webhook-id")
	w.posts[r.URL][delivery]++
	n := w.posts[r.URL][delivery]
	w.mu.Unlock()
	return w.answer(r.URL, n)
}

// sent returns a header of a request. Header names have the spelling in which they are sent.
func sent(h http.Header, name string) string { return h[name][0] }

func (w *world) webhook(url string, s webhook.Subscription) {
	w.t.Helper()
	h := webhook.Webhook{
		ID: id.New(id.Webhook, time.Now()), PayloadURL: url, Name: url, Enabled: true, Subscription: s,
		PayloadFormat: webhook.FormatNepenthes, Timeout: limits.ExchangeTimeout, RetrySchedule: webhook.ScheduleShort,
	}
	check(w.t, w.db.PutWebhook(w.t.Context(), &h))
	w.webhooks = append(w.webhooks, h)
}

// run runs a pipeline with the store and the lanes for a while.
func (w *world) run(s ledger, lanes func(lane.Name) ends, twice bool, during time.Duration) {
	ctx, cancel := context.WithTimeout(w.t.Context(), during)
	defer cancel()
	newPipeline(parts{store: s, lane: lanes, opener: w.opener, client: w, twice: twice, logger: slog.New(slog.DiscardHandler)}).run(ctx)
}

func (w *world) lane(n lane.Name) ends { return w.db.Lane(n) }

// push sends an event to its lane.
func (w *world) push(kind, project, eventID string) {
	w.t.Helper()
	body := fmt.Sprintf(`{"id":%q,"type":%q,"occurredAt":"2026-01-02T11:00:00Z","project":{"id":%q},"data":1}`, eventID, kind, project)
	check(w.t, w.db.Lane(lane.Events).Send(w.t.Context(), lane.Message{Body: []byte(body)}))
}

// changePause pauses a webhook, or resumes it. The pipeline may change the webhook at the same time.
func (w *world) changePause(webhookID string, change func(*webhook.Webhook)) {
	w.t.Helper()
	for {
		h, err := w.db.Webhook(w.t.Context(), webhookID)
		check(w.t, err)
		change(&h)
		err = w.db.PutWebhook(w.t.Context(), &h)
		if fault.Is(err, fault.UpdateConflict) {
			continue
		}
		check(w.t, err)
		return
	}
}

// arrived returns how many requests a URL got.
func (w *world) arrived(url string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, each := range w.posts[url] {
		n += each
	}
	return n
}

// checkAll compares the arrived deliveries with the pushed events, which are given by id with type and project.
func (w *world) checkAll(pushed map[string][2]string, most int) {
	w.t.Helper()
	for _, h := range w.webhooks {
		got := w.posts[h.PayloadURL]
		want := 0
		for eventID, about := range pushed {
			rec, err := w.db.Event(w.t.Context(), events.KeyOf(events.DefaultSource, eventID))
			check(w.t, err)
			n := got[rec.DeliveryKey(h.ID).ID()]
			if len(h.Refusals(about[0], about[1])) > 0 {
				if n != 0 {
					w.t.Fatalf("%s got %s, to which it is not subscribed", h.PayloadURL, eventID)
				}
				continue
			}
			want++
			if n == 0 || n > most {
				w.t.Fatalf("%s got %s %d times, want 1 to %d", h.PayloadURL, eventID, n, most)
			}
		}
		if len(got) != want {
			w.t.Fatalf("%s got %d deliveries, want %d", h.PayloadURL, len(got), want)
		}
	}
}

var (
	someTypes    = []string{"work_package:updated", "work_package:created", "time_entry:created", "user:deleted", "work_package_comment:internal_comment"}
	someProjects = []string{"1", "2", "3"}
	someHooks    = []webhook.Subscription{
		{Events: []string{"*"}, Projects: webhook.Projects{All: true}},
		{Events: []string{"work_package:*"}, Projects: webhook.Projects{All: true}},
		{Events: []string{"time_entry:created", "user:*"}, Projects: webhook.Projects{IDs: []string{"1", "3"}}},
		{Events: []string{"work_package_comment:internal_comment"}, Projects: webhook.Projects{IDs: []string{"2"}}},
		{Events: []string{"wiki_page:*"}, Projects: webhook.Projects{All: true}},
	}
)

// TestEachEventOnce pushes ten thousand events in virtual time. Each webhook must get each event of its subscription
// exactly once and no other event, even if every message is delivered twice.
func TestEachEventOnce(t *testing.T) {
	for _, twice := range []bool{false, true} {
		t.Run(fmt.Sprint("twice=", twice), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				for i, s := range someHooks {
					w.webhook(fmt.Sprint("https://receiver.example/", i), s)
				}
				pushed := map[string][2]string{}
				for i := range 10_000 {
					eventID := fmt.Sprint("e", i)
					about := [2]string{someTypes[i%len(someTypes)], someProjects[i%len(someProjects)]}
					pushed[eventID] = about
					w.push(about[0], about[1], eventID)
				}
				w.run(w.db, w.lane, twice, time.Minute)
				w.checkAll(pushed, 1)
				check(t, w.db.Close())
			})
		})
	}
}

// TestAPauseLosesNothing pauses a webhook under load and resumes it. While it is paused nothing arrives; in the end each
// event has arrived exactly once. Another webhook notices nothing. In half of the cases calls of the store and of the lanes
// fail; then an event may arrive more than once.
func TestAPauseLosesNothing(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { pauseUnderLoad(t, seed) })
		})
	}
}

func pauseUnderLoad(t *testing.T, seed uint64) {
	w := newWorld(t)
	w.webhook("https://receiver.example/paused", someHooks[0])
	w.webhook("https://receiver.example/other", someHooks[0])
	paused := w.webhooks[0]
	pushed, most := map[string][2]string{}, 1
	for i := range 1000 {
		pushed[fmt.Sprint("e", i)] = [2]string{someTypes[0], someProjects[0]}
	}
	trouble := &trouble{dice: rand.New(rand.NewPCG(seed, 1))}
	if seed%2 == 0 {
		trouble.over.Store(true)
	} else {
		most = 20
		time.AfterFunc(4*limits.Visibility(limits.SenderTimeout), func() { trouble.over.Store(true) })
	}
	var others sync.WaitGroup
	for producer := range 4 {
		others.Go(func() {
			for i := producer; i < len(pushed); i += 4 {
				time.Sleep(80 * time.Millisecond) // 20 s in all
				w.push(someTypes[0], someProjects[0], fmt.Sprint("e", i))
			}
		})
	}
	others.Go(func() {
		time.Sleep(5 * time.Second)
		w.changePause(paused.ID, func(h *webhook.Webhook) { h.Pause(time.Now()) })
		time.Sleep(time.Second) // attempts that had begun end
		before := w.arrived(paused.PayloadURL)
		time.Sleep(9 * time.Second)
		if got := w.arrived(paused.PayloadURL); got != before {
			t.Errorf("%d requests arrived during the pause", got-before)
		}
		w.changePause(paused.ID, func(h *webhook.Webhook) { h.Resume(webhook.Release{PerSecond: 100}, time.Now()) })
	})
	lanes := func(n lane.Name) ends { return brokenLane{w.db.Lane(n), trouble} }
	w.run(broken{w.db, trouble}, lanes, seed%4 > 1, 6*time.Hour)
	others.Wait()
	w.checkAll(pushed, most)
	if jobs, err := w.db.ReleaseJobs(t.Context()); err != nil || len(jobs) > 0 {
		t.Errorf("got %d release jobs, %v; want none", len(jobs), err)
	}
	check(t, w.db.Close())
}

// TestRetriesInVirtualTime checks that a receiver that fails three times gets each delivery four times, at the times of
// the schedule.
func TestRetriesInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var mu sync.Mutex
		var at []time.Duration
		begun := time.Now()
		w.answer = func(_ string, n int) outbound.Result {
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Since(begun))
			if n < 5 {
				return outbound.Result{Class: delivery.ErrConnect}
			}
			return outbound.Result{}
		}
		w.webhook("https://receiver.example/", someHooks[0])
		w.push("user:deleted", "1", "e1")
		w.run(w.db, w.lane, false, 3*time.Hour)
		want := []time.Duration{0, 5 * time.Second, time.Minute, 10 * time.Minute, 50 * time.Minute}
		if len(at) != len(want) {
			t.Fatalf("got %d attempts at %v, want %d", len(at), at, len(want))
		}
		for i := 1; i < len(want); i++ {
			wait, slack := at[i]-at[i-1], want[i]/10
			if wait < want[i]-slack || wait > want[i]+slack+5*time.Second {
				t.Errorf("attempt %d came %v after the one before, want %v ± 10 %% and at most 5 s late", i+1, wait, want[i])
			}
		}
		check(t, w.db.Close())
	})
}

// trouble makes calls fail or panic, either before or after they have done their work.
type trouble struct {
	dice *rand.Rand
	mu   sync.Mutex // protects dice
	over atomic.Bool
}

var errInjected = errors.New("injected")

func (f *trouble) happens() (kind int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over.Load() || f.dice.IntN(12) != 0 {
		return 0
	}
	return 1 + f.dice.IntN(4)
}

// around makes a call that trouble may interrupt.
func around[T any](f *trouble, call func() (T, error)) (T, error) {
	kind := f.happens()
	var nothing T
	switch kind {
	case 1:
		return nothing, errInjected
	case 2:
		panic(errInjected)
	}
	answer, err := call()
	switch kind {
	case 3:
		return nothing, errInjected
	case 4:
		panic(errInjected)
	}
	return answer, err
}

// broken is a store with trouble.
type broken struct {
	*sqlite.DB
	*trouble
}

type recordedAnswer struct {
	stored  record.Event
	plan    []string
	created bool
}

func (b broken) PutEvent(ctx context.Context, r record.Event, plan []string) (record.Event, []string, bool, error) {
	a, err := around(b.trouble, func() (a recordedAnswer, err error) {
		a.stored, a.plan, a.created, err = b.DB.PutEvent(ctx, r, plan)
		return a, err
	})
	return a.stored, a.plan, a.created, err
}

type putAnswer struct {
	now delivery.Delivery
	won bool
}

func (b broken) PutDelivery(ctx context.Context, d delivery.Delivery, ended *delivery.Attempt) (delivery.Delivery, bool, error) {
	a, err := around(b.trouble, func() (a putAnswer, err error) {
		a.now, a.won, err = b.DB.PutDelivery(ctx, d, ended)
		return a, err
	})
	return a.now, a.won, err
}

func (b broken) Event(ctx context.Context, key events.Key) (record.Event, error) {
	return around(b.trouble, func() (record.Event, error) { return b.DB.Event(ctx, key) })
}

func (b broken) Delivery(ctx context.Context, key delivery.Key) (delivery.Delivery, error) {
	return around(b.trouble, func() (delivery.Delivery, error) { return b.DB.Delivery(ctx, key) })
}

func (b broken) Due(ctx context.Context, until time.Time, limit int) ([]delivery.Key, error) {
	kind := b.happens()
	if kind > 0 { // the adapter that recovers panics does not run the sweeper
		return nil, errInjected
	}
	return b.DB.Due(ctx, until, limit)
}

func (b broken) Held(ctx context.Context, webhookID string, after delivery.Key, limit int) ([]delivery.Delivery, delivery.Key, error) {
	if b.happens() > 0 {
		return nil, delivery.Key{}, errInjected
	}
	return b.DB.Held(ctx, webhookID, after, limit)
}

func (b broken) PutReleaseJob(ctx context.Context, j *delivery.ReleaseJob) error {
	_, err := around(b.trouble, func() (struct{}, error) { return struct{}{}, b.DB.PutReleaseJob(ctx, j) })
	return err
}

func (b broken) CatalogueVersion(ctx context.Context) (int64, error) {
	return around(b.trouble, func() (int64, error) { return b.DB.CatalogueVersion(ctx) })
}

func (b broken) ProjectsByID(ctx context.Context, ids ...string) ([]project.Project, error) {
	return around(b.trouble, func() ([]project.Project, error) { return b.DB.ProjectsByID(ctx, ids...) })
}

// brokenLane is a lane with trouble.
type brokenLane struct {
	ends
	*trouble
}

func (l brokenLane) Send(ctx context.Context, messages ...lane.Message) error {
	_, err := around(l.trouble, func() (struct{}, error) { return struct{}{}, l.ends.Send(ctx, messages...) })
	return err
}

func (l brokenLane) Delete(ctx context.Context, ids ...string) error {
	if l.happens() > 0 {
		return errInjected
	}
	return l.ends.Delete(ctx, ids...)
}

// TestNothingIsLost makes calls of the store and the lanes fail or panic, before or after they have done their work.
// Every event must arrive at every webhook that is subscribed to it and at no other, and there must be no dead letter.
func TestNothingIsLost(t *testing.T) {
	for seed := range uint64(25) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { loseNothing(t, seed) })
		})
	}
}

func loseNothing(t *testing.T, seed uint64) {
	w := newWorld(t)
	for i, s := range someHooks {
		w.webhook(fmt.Sprint("https://receiver.example/", i), s)
	}
	w.answer = func(_ string, n int) outbound.Result {
		if n == 1 {
			return outbound.Result{Class: delivery.ErrTimeout}
		}
		return outbound.Result{}
	}
	pushed := map[string][2]string{}
	for i := range 40 {
		about := [2]string{someTypes[i%len(someTypes)], someProjects[i%len(someProjects)]}
		pushed[fmt.Sprint("e", i)] = about
		w.push(about[0], about[1], fmt.Sprint("e", i))
	}
	trouble := &trouble{dice: rand.New(rand.NewPCG(seed, 1))}
	// A message that fails comes back when its visibility timeout ends. Trouble lasts for a few such rounds. After ten
	// rounds a message would rightly become a dead letter.
	time.AfterFunc(4*limits.Visibility(limits.SenderTimeout), func() { trouble.over.Store(true) })
	lanes := func(n lane.Name) ends { return brokenLane{w.db.Lane(n), trouble} }
	w.run(broken{w.db, trouble}, lanes, seed%2 == 1, 6*time.Hour)
	const most = 20 // after our own failures the same webhook-id may arrive several times; no limit is promised, but it must not be a storm
	w.checkAll(pushed, most)
	for _, h := range w.webhooks {
		page, err := w.db.Deliveries(t.Context(), store.Query{Webhook: h.ID, Limit: 1000})
		check(t, err)
		for _, d := range page.Deliveries {
			if d.State != delivery.Delivered {
				t.Errorf("%s to %s: got state %s, reason %s, want delivered", d.EventID, h.PayloadURL, d.State, d.Reason)
			}
		}
	}
	for _, name := range lane.Names() {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		if dead, _ := w.db.Lane(name.DeadLetters()).Receive(ctx, 10); len(dead) > 0 {
			t.Errorf("got %d dead letters of %s, want none", len(dead), name)
		}
		cancel()
	}
	check(t, w.db.Close())
}
