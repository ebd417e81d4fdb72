package storetest

import (
	"cmp"
	"slices"
	"strconv"

	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/webhook"
)

var webhookCases = []storeCase{
	{"are read as they were written", (*storeTest).webhookRoundTrip},
	{"can have empty members", (*storeTest).webhookEmpty},
	{"are all listed, whatever the order of creation", (*storeTest).webhooksInOrder},
	{"are not found before they are created", (*storeTest).webhookUnknown},
	{"are not created twice with the same id", (*storeTest).webhookMadeTwice},
	{"are not changed if the version differs", (*storeTest).webhookVersion},
	{"accept a repeated write", (*storeTest).webhookTwice},
	{"are deleted if the version is equal or 0", (*storeTest).webhookDeleted},
	{"are not changed after they are deleted", (*storeTest).webhookChangedTooLate},
	{"are changed by one of several concurrent writers", (*storeTest).webhookAtOnce},
	{"can be created by a hundred concurrent writers", (*storeTest).webhooksAtOnce},
}

func (t *storeTest) webhookRoundTrip() {
	want := fullWebhook("Billing")
	checkFilled(t, want)
	w := want
	w.LockVersion = 0
	t.ok(t.PutWebhook(t.Context(), &w))
	same(t, "the value that was put", w, want)
	t.webhookIs(want)
	t.webhooksAre(want)
}

// webhookEmpty replaces a webhook that has all members, so that members of the old webhook would show.
func (t *storeTest) webhookEmpty() {
	full := t.webhook("Billing")
	empty := webhook.Webhook{ID: full.ID, Name: "b", LockVersion: 1}
	t.ok(t.PutWebhook(t.Context(), &empty))
	t.webhookIs(webhook.Webhook{ID: full.ID, Name: "b", LockVersion: 2})
}

// webhooksInOrder creates webhooks in the reverse order of their ids.
func (t *storeTest) webhooksInOrder() {
	var made []webhook.Webhook
	for i := range 30 {
		made = append(made, webhook.Webhook{ID: newID(id.Webhook), Name: "Z" + strconv.Itoa(30-i)})
	}
	for i := range slices.Backward(made) {
		t.ok(t.PutWebhook(t.Context(), &made[i]))
	}
	t.webhooksAre(made...)
}

func (t *storeTest) webhookUnknown() {
	_, err := t.Webhook(t.Context(), newID(id.Webhook))
	t.fails(err, fault.NotFound)
	t.fails(t.DeleteWebhook(t.Context(), newID(id.Webhook), 0), fault.NotFound)
	t.webhooksAre()
	t.catalogueIs(0)
}

func (t *storeTest) webhookMadeTwice() {
	stored := t.webhook("Billing")
	other := webhook.Webhook{ID: stored.ID, Name: "Other"}
	t.fails(t.PutWebhook(t.Context(), &other), fault.UpdateConflict)
	same(t, "the version of the refused value", other.LockVersion, 0)
	t.webhooksAre(stored)
}

func (t *storeTest) webhookVersion() {
	stored := t.webhook("Billing")
	stored.Name = "Billing 2"
	t.ok(t.PutWebhook(t.Context(), &stored))
	for _, version := range []int64{0, 1, 3} {
		w := fullWebhook("Other")
		w.ID, w.LockVersion = stored.ID, version
		t.fails(t.PutWebhook(t.Context(), &w), fault.UpdateConflict)
		same(t, "the version of the refused value", w.LockVersion, version)
	}
	t.webhookIs(stored)
	t.catalogueIs(2)
	taken := t.webhook("Other") // refused writes did not reserve the name
	t.webhookIs(taken)
}

func (t *storeTest) webhookTwice() {
	w := fullWebhook("Billing")
	w.LockVersion = 0
	again := w
	t.ok(t.PutWebhook(t.Context(), &w))
	t.ok(t.PutWebhook(t.Context(), &again))
	same(t, "the value that was put again", again, w)
	t.catalogueIs(1)

	again.Description = "changed"
	third := again
	t.ok(t.PutWebhook(t.Context(), &again))
	t.ok(t.PutWebhook(t.Context(), &third))
	same(t, "the value that was put again", third, again)
	t.catalogueIs(2)
}

func (t *storeTest) webhookDeleted() {
	first, second, third := t.webhook("1"), t.webhook("2"), t.webhook("3")
	t.fails(t.DeleteWebhook(t.Context(), first.ID, 2), fault.UpdateConflict)
	t.webhooksAre(first, second, third)
	t.catalogueIs(3)
	t.ok(t.DeleteWebhook(t.Context(), first.ID, 1))
	t.ok(t.DeleteWebhook(t.Context(), second.ID, 0))
	t.webhooksAre(third)
	_, err := t.Webhook(t.Context(), first.ID)
	t.fails(err, fault.NotFound)
	t.fails(t.DeleteWebhook(t.Context(), first.ID, 1), fault.NotFound)
	t.catalogueIs(5)
}

func (t *storeTest) webhookChangedTooLate() {
	w := t.webhook("Billing")
	t.ok(t.DeleteWebhook(t.Context(), w.ID, 0))
	w.Name = "Changed"
	t.fails(t.PutWebhook(t.Context(), &w), fault.NotFound)
	same(t, "the version of the refused value", w.LockVersion, 1)
	t.webhooksAre()
	t.webhook("Changed")
}

func (t *storeTest) webhookAtOnce() {
	w := t.webhook("Billing")
	t.oneWins(fault.UpdateConflict, func(i int) error {
		changed := w
		changed.Description = strconv.Itoa(i)
		return t.PutWebhook(t.Context(), &changed)
	})
	t.catalogueIs(2)
}

// webhooksAtOnce makes writers that conflict only in the version of the catalogue. The store must try again by itself.
func (t *storeTest) webhooksAtOnce() {
	const many = 100
	made := make([]webhook.Webhook, many)
	for i := range made {
		made[i] = fullWebhook("Webhook " + strconv.Itoa(i))
		made[i].LockVersion = 0
	}
	for _, err := range atOnce(many, func(i int) error { return t.PutWebhook(t.Context(), &made[i]) }) {
		t.ok(err)
	}
	t.webhooksAre(made...)
	t.catalogueIs(many)
	logged := map[string]bool{}
	for i, c := range t.changes(0) {
		same(t, "the version of a change", c.Version, int64(i+1))
		logged[c.Webhook] = true
	}
	same(t, "the number of webhooks in the change log", len(logged), many)
}

// webhook creates a webhook and returns the stored webhook.
func (t *storeTest) webhook(name string) webhook.Webhook {
	t.Helper()
	w := fullWebhook(name)
	w.LockVersion = 0
	t.ok(t.PutWebhook(t.Context(), &w))
	return w
}

func (t *storeTest) webhookIs(want webhook.Webhook) {
	t.Helper()
	got, err := t.Webhook(t.Context(), want.ID)
	t.ok(err)
	same(t, "the webhook", got, want)
}

func (t *storeTest) webhooksAre(want ...webhook.Webhook) {
	t.Helper()
	var got []webhook.Webhook
	t.ok(t.Webhooks(t.Context(), func(w webhook.Webhook) { got = append(got, w) }))
	slices.SortFunc(got, func(a, b webhook.Webhook) int { return cmp.Compare(a.ID, b.ID) })
	same(t, "the list of webhooks", got, want)
}
