package storetest

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/store"
	"nepenthes/shared/webhook"
)

var heldCases = []storeCase{
	{"are listed for their webhook, oldest first", (*storeTest).heldInOrder},
	{"are listed in pages, each place once", (*storeTest).heldInPages},
	{"leave the list when they are not held any more", (*storeTest).heldReleased},
	{"leave the list when they expire", (*storeTest).heldExpired},
	{"leave no place for a webhook that does not exist", (*storeTest).heldUnknown},
	{"are counted up to a limit", (*storeTest).heldCounted},
	{"are not in the list of dead deliveries after they are dropped", (*storeTest).heldDropped},
}

var releaseJobCases = []storeCase{
	{"are stored with a paused webhook, and only with a paused webhook", (*storeTest).jobWithPause},
	{"are stored with a webhook that is created paused", (*storeTest).jobWithNewWebhook},
	{"are replaced when the webhook is paused again", (*storeTest).jobReplaced},
	{"are not stored when the webhook is not", (*storeTest).jobWithRefusedPause},
	{"are not replaced by a repeated write of the webhook", (*storeTest).jobWithRepeatedPause},
	{"stay when the webhook is changed or deleted", (*storeTest).jobStays},
	{"are read as they were written", (*storeTest).jobRoundTrip},
	{"are not changed or deleted if the version differs", (*storeTest).jobVersion},
	{"are not found before they exist, and after they are deleted", (*storeTest).jobUnknown},
	{"are changed by one of several concurrent writers", (*storeTest).jobAtOnce},
	{"have a version above those of all earlier jobs", (*storeTest).jobAnew},
}

// heldAt stores a delivery that is held, of an event that was received some time after epoch.
func (t *storeTest) heldAt(webhookID, eventID string, after time.Duration) delivery.Delivery {
	t.Helper()
	e := smallEvent(eventID)
	e.ReceivedAt = received.Add(after)
	d := e.Delivery(webhookID)
	d.State, d.Reason = delivery.Held, delivery.Paused
	return t.put(d, nil)
}

// heldInOrder stores deliveries of two webhooks, some of them of the same millisecond, and others that are not held.
func (t *storeTest) heldInOrder() {
	hook, other := newID(id.Webhook), newID(id.Webhook)
	var want []delivery.Delivery
	for _, i := range []int{3, 1, 4, 0, 2} {
		after := time.Duration(i/2) * time.Millisecond
		want = append(want, t.heldAt(hook, "evt_"+strconv.Itoa(i), after))
		t.heldAt(other, "evt_"+strconv.Itoa(i), after)
	}
	for _, state := range delivery.States() {
		d := newDelivery(hook, "evt_"+string(state))
		if d.State = state; state != delivery.Held {
			t.put(d, nil)
		}
	}
	slices.SortFunc(want, func(a, b delivery.Delivery) int { return compareKeys(a.Key, b.Key) })
	t.heldIs(hook, want...)
}

func (t *storeTest) heldInPages() {
	hook := newID(id.Webhook)
	var want []delivery.Delivery
	for i := range 7 {
		want = append(want, t.heldAt(hook, fmt.Sprintf("evt_%d", i), time.Duration(i)*time.Second))
	}
	for limit := 1; limit <= 8; limit++ {
		var got []delivery.Delivery
		var after delivery.Key
		for page := 0; page == 0 || after != (delivery.Key{}); page++ {
			held, last, err := t.Held(t.Context(), hook, after, limit)
			t.ok(err)
			if len(held) > limit || page > len(want)/limit {
				t.Fatalf("limit %d, page %d: got %d deliveries", limit, page, len(held))
			}
			got, after = append(got, held...), last
		}
		same(t, fmt.Sprintf("the deliveries in pages of %d", limit), got, want)
	}
	held, last, err := t.Held(t.Context(), hook, want[6].Key, 10)
	t.ok(err)
	same(t, "the deliveries after the last one", held, nil)
	same(t, "the place after the last one", last, delivery.Key{})
}

// heldReleased also continues a list after a place that is gone.
func (t *storeTest) heldReleased() {
	hook := newID(id.Webhook)
	first, second, third := t.heldAt(hook, "evt_1", 0), t.heldAt(hook, "evt_2", time.Second), t.heldAt(hook, "evt_3", 2*time.Second)
	t.ok(second.Release(epoch.Add(time.Minute), epoch, delivery.Clock{}))
	second = t.put(second, nil)
	t.heldIs(hook, first, third)
	t.dueIs(never, second.Key)
	held, _, err := t.Held(t.Context(), hook, second.Key, 10)
	t.ok(err)
	same(t, "the deliveries after a place that is gone", held, []delivery.Delivery{third})

	second.State, second.Reason, second.SweepAt = delivery.Held, delivery.Paused, time.Time{}
	second = t.put(second, nil)
	t.heldIs(hook, first, second, third)
	t.dueIs(never)
}

// heldExpired checks that a list leaves out expired rows that the store has not removed yet.
func (t *storeTest) heldExpired() {
	hook := newID(id.Webhook)
	d := newDelivery(hook, "evt_1")
	d.State, d.Reason, d.ExpiresAt = delivery.Held, delivery.Paused, epoch.Add(time.Hour)
	d = t.put(d, nil)
	later := t.heldAt(hook, "evt_2", time.Second)
	t.clock.advance(30 * time.Minute)
	t.heldIs(hook, d, later)
	t.clock.advance(time.Hour)
	t.heldIs(hook, later)
}

func (t *storeTest) heldUnknown() {
	t.heldIs(newID(id.Webhook))
	t.heldIs("wh_unknown")
	t.heldCount("wh_unknown", 10, 0)
}

func (t *storeTest) heldCounted() {
	hook := newID(id.Webhook)
	t.heldCount(hook, 10, 0)
	var all []delivery.Delivery
	for i := range 5 {
		all = append(all, t.heldAt(hook, fmt.Sprintf("evt_%d", i), 0))
	}
	t.heldAt(newID(id.Webhook), "evt_other", 0)
	for limit, want := range map[int]int{1: 1, 4: 4, 5: 5, 6: 5, 1000: 5} {
		t.heldCount(hook, limit, want)
	}
	t.ok(all[2].Release(epoch, epoch, delivery.Clock{}))
	t.put(all[2], nil)
	t.heldCount(hook, 1000, 4)
}

func (t *storeTest) heldDropped() {
	hook := newID(id.Webhook)
	dropped, exhausted := t.heldAt(hook, "evt_1", 0), newDelivery(hook, "evt_2")
	t.ok(dropped.Drop(epoch))
	dropped = t.put(dropped, nil)
	exhausted.State, exhausted.Reason = delivery.Dead, delivery.Exhausted
	exhausted = t.put(exhausted, nil)
	t.heldIs(hook)
	same(t, "the list of dead deliveries", t.walk(t, store.Query{Limit: 10}), []delivery.Delivery{exhausted})
	same(t, "the list of the webhook", t.walk(t, store.Query{Webhook: hook, Limit: 10, State: delivery.Dead}),
		newestFirst([]delivery.Delivery{dropped, exhausted}))
}

// heldIs checks the list of what is held for a webhook.
func (t *storeTest) heldIs(webhookID string, want ...delivery.Delivery) {
	t.Helper()
	held, last, err := t.Held(t.Context(), webhookID, delivery.Key{}, 100)
	t.ok(err)
	same(t, "the held deliveries", held, want)
	same(t, "the place after the list", last, delivery.Key{})
}

func (t *storeTest) heldCount(webhookID string, limit, want int) {
	t.Helper()
	got, err := t.CountHeld(t.Context(), webhookID, limit)
	t.ok(err)
	same(t, fmt.Sprintf("the number of held deliveries, counted up to %d", limit), got, want)
}

func (t *storeTest) jobWithPause() {
	paused, other := t.unpaused("Billing"), t.unpaused("Other")
	t.jobsAre()
	paused.Pause(epoch)
	t.ok(t.PutWebhook(t.Context(), &paused))
	other.Description = "changed"
	t.ok(t.PutWebhook(t.Context(), &other))
	t.jobsAre(store.NewReleaseJob(&paused))
	t.catalogueIs(4)
}

func (t *storeTest) jobWithNewWebhook() {
	w := t.webhook("Billing")
	t.jobsAre(store.NewReleaseJob(&w))
}

func (t *storeTest) jobReplaced() {
	w := t.webhook("Billing")
	before := t.job()
	before.LeaseUntil, before.ReceivingSince = epoch.Add(time.Minute), epoch
	t.ok(t.PutReleaseJob(t.Context(), &before))
	t.jobsAre(before)

	w.Resume(webhook.Release{}, epoch)
	t.ok(t.PutWebhook(t.Context(), &w))
	t.jobsAre(before)
	w.Pause(epoch)
	t.ok(t.PutWebhook(t.Context(), &w))
	after := t.job()
	same(t, "the new job", after, delivery.ReleaseJob{Webhook: w.ID, Version: after.Version})
	if after.Version <= before.Version {
		t.Errorf("got version %d of the new job, want more than %d", after.Version, before.Version)
	}
	t.fails(t.PutReleaseJob(t.Context(), &before), fault.UpdateConflict)
	t.fails(t.DeleteReleaseJob(t.Context(), w.ID, before.Version), fault.UpdateConflict)
	t.jobsAre(after)
}

func (t *storeTest) jobWithRefusedPause() {
	w, taken := t.unpaused("Billing"), t.unpaused("Taken")
	late := w
	late.LockVersion = 0
	late.Pause(epoch)
	t.fails(t.PutWebhook(t.Context(), &late), fault.UpdateConflict)
	w.Name = taken.Name
	w.Pause(epoch)
	t.fails(t.PutWebhook(t.Context(), &w), fault.PropertyConstraintViolation)
	gone := taken
	t.ok(t.DeleteWebhook(t.Context(), taken.ID, 0))
	gone.Pause(epoch)
	t.fails(t.PutWebhook(t.Context(), &gone), fault.NotFound)
	t.jobsAre()
}

// jobWithRepeatedPause repeats a write as a caller does that has not received the answer. Meanwhile a sweeper has worked
// on the job.
func (t *storeTest) jobWithRepeatedPause() {
	w := t.unpaused("Billing")
	w.Pause(epoch)
	again := w
	t.ok(t.PutWebhook(t.Context(), &w))
	job := t.job()
	job.LeaseUntil = epoch.Add(time.Minute)
	t.ok(t.PutReleaseJob(t.Context(), &job))
	t.ok(t.PutWebhook(t.Context(), &again))
	t.jobsAre(job)
}

func (t *storeTest) jobStays() {
	w := t.webhook("Billing")
	job := t.job()
	w.Resume(webhook.Release{PerSecond: 7}, epoch)
	t.ok(t.PutWebhook(t.Context(), &w))
	t.ok(t.DeleteWebhook(t.Context(), w.ID, 0))
	t.jobsAre(job)
}

func (t *storeTest) jobRoundTrip() {
	w := t.webhook("Billing")
	want := delivery.ReleaseJob{Webhook: w.ID, Version: t.job().Version, LeaseUntil: epoch.Add(1), ReceivingSince: epoch.Add(2), PacedUntil: epoch.Add(3)}
	checkFilled(t, want)
	t.ok(t.PutReleaseJob(t.Context(), &want))
	t.jobsAre(want)
	want.LeaseUntil, want.ReceivingSince, want.PacedUntil = time.Time{}, time.Time{}, time.Time{}
	t.ok(t.PutReleaseJob(t.Context(), &want))
	t.jobsAre(want)
	t.catalogueIs(1)
}

func (t *storeTest) jobVersion() {
	t.webhook("Billing")
	stored := t.job()
	stored.LeaseUntil = epoch
	again := stored
	t.ok(t.PutReleaseJob(t.Context(), &stored))
	t.ok(t.PutReleaseJob(t.Context(), &again)) // the response was lost
	same(t, "the value that was put again", again, stored)
	for _, version := range []int64{0, 1, stored.Version - 1, stored.Version + 1} {
		late := stored
		late.Version, late.LeaseUntil = version, epoch.Add(time.Hour)
		t.fails(t.PutReleaseJob(t.Context(), &late), fault.UpdateConflict)
		same(t, "the version of the refused value", late.Version, version)
		t.fails(t.DeleteReleaseJob(t.Context(), stored.Webhook, version), fault.UpdateConflict)
	}
	t.jobsAre(stored)
	t.ok(t.DeleteReleaseJob(t.Context(), stored.Webhook, stored.Version))
	t.jobsAre()
}

func (t *storeTest) jobUnknown() {
	w := t.webhook("Billing")
	job := t.job()
	unknown := delivery.ReleaseJob{Webhook: newID(id.Webhook)}
	t.fails(t.PutReleaseJob(t.Context(), &unknown), fault.NotFound)
	t.fails(t.DeleteReleaseJob(t.Context(), unknown.Webhook, 0), fault.NotFound)
	t.ok(t.DeleteReleaseJob(t.Context(), w.ID, job.Version))
	for _, version := range []int64{0, job.Version} {
		late := job
		late.Version = version
		t.fails(t.PutReleaseJob(t.Context(), &late), fault.NotFound)
		t.fails(t.DeleteReleaseJob(t.Context(), w.ID, version), fault.NotFound)
	}
	t.jobsAre()
}

func (t *storeTest) jobAtOnce() {
	t.webhook("Billing")
	job := t.job()
	t.oneWins(fault.UpdateConflict, func(i int) error {
		mine := job
		mine.LeaseUntil = epoch.Add(time.Duration(i))
		return t.PutReleaseJob(t.Context(), &mine)
	})
}

// jobAnew deletes a job. A sweeper that read the deleted job must not be able to change or delete the next one.
func (t *storeTest) jobAnew() {
	w := t.webhook("Billing")
	old := t.job()
	for range 5 {
		t.ok(t.PutReleaseJob(t.Context(), &old))
	}
	t.ok(t.DeleteReleaseJob(t.Context(), w.ID, old.Version))
	t.ok(t.PutWebhook(t.Context(), &w))
	if job := t.job(); job.Version <= old.Version {
		t.Errorf("got version %d, want more than %d", job.Version, old.Version)
	}
}

// unpaused creates a webhook that is not paused and returns the stored webhook.
func (t *storeTest) unpaused(name string) webhook.Webhook {
	t.Helper()
	w := fullWebhook(name)
	w.LockVersion, w.Paused = 0, false
	t.ok(t.PutWebhook(t.Context(), &w))
	return w
}

// job returns the only release job.
func (t *storeTest) job() delivery.ReleaseJob {
	t.Helper()
	jobs, err := t.ReleaseJobs(t.Context())
	t.ok(err)
	if len(jobs) != 1 {
		t.Fatalf("got %d release jobs, want 1", len(jobs))
	}
	return jobs[0]
}

func (t *storeTest) jobsAre(want ...delivery.ReleaseJob) {
	t.Helper()
	jobs, err := t.ReleaseJobs(t.Context())
	t.ok(err)
	same(t, "the release jobs", jobs, want)
}
