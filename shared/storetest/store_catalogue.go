package storetest

import (
	"errors"

	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/settings"
	"nepenthes/shared/store"
	"nepenthes/shared/webhook"
)

var webhookNameCases = []storeCase{
	{"are equal if only case or composition differs", (*storeTest).namesFolded},
	{"are different if only one language would make them equal", (*storeTest).namesDistinct},
	{"are given to one of several webhooks that take the same name at once", (*storeTest).nameAtOnce},
	{"can be respelled when their webhook is changed", (*storeTest).nameRespelt},
	{"become free when their webhook is renamed or deleted", (*storeTest).nameFreed},
}

var catalogueCases = []storeCase{
	{"begins with version 0 and without changes", (*storeTest).catalogueEmpty},
	{"logs every change with its subject", (*storeTest).catalogueLog},
	{"does not log refused writes", (*storeTest).catalogueRefused},
	{"is not changed by writes of projects and clients", (*storeTest).catalogueOthers},
	{"has a gap after a version that does not exist yet", (*storeTest).catalogueAhead},
	{"logs hundreds of changes", (*storeTest).catalogueHundreds},
}

// namesFolded takes names that readers consider to be the same name. A store that compares bytes, or folds only ASCII,
// would accept both.
func (t *storeTest) namesFolded() {
	for name, other := range map[string]string{
		"Billing":           "bILLING",
		"Straße":            "STRASSE",
		"Caf\u00e9":         "CAFE\u0301",
		"ΣΊΣΥΦΟΣ":           "σίσυφος",
		"\u0130stanbul":     "i\u0307stanbul", // a dotted capital I is an i and a dot
		"\u1fb3\u0301":      "\u03b1\u0301\u0345",
		"White \u212Anight": "white knight",
		"\u13a0\u13fd":      "\uab70\u13f5", // Cherokee
	} {
		t.webhook(name)
		t.nameTaken(other)
	}
}

// namesDistinct takes similar names. Some of them would be equal by the rules of one language, such as Turkish.
func (t *storeTest) namesDistinct() {
	for _, name := range []string{"Isparta", "\u0131sparta", "Café", "Cafe", "a b", "ab", "Ａ", "A"} {
		t.webhook(name)
	}
}

// nameAtOnce spells the name differently each time, because a lock on the exact text would not be enough.
func (t *storeTest) nameAtOnce() {
	spelt := [writers]string{"Grüße", "GRÜSSE", "grüsse", "GrÜße", "gru\u0308sse", "GRU\u0308ẞE", "Grüsse", "GRÜßE"}
	t.oneWins(fault.PropertyConstraintViolation, func(i int) error {
		return t.PutWebhook(t.Context(), &webhook.Webhook{ID: newID(id.Webhook), Name: spelt[i]})
	})
	t.catalogueIs(1)
}

func (t *storeTest) nameRespelt() {
	w := t.webhook("billing")
	w.Name = "BILLING"
	t.ok(t.PutWebhook(t.Context(), &w))
	t.webhookIs(w)
	t.nameTaken("Billing")
}

// nameFreed checks that a reserved name does not outlive the webhook that reserved it.
func (t *storeTest) nameFreed() {
	renamed, deleted := t.webhook("First"), t.webhook("Second")
	renamed.Name = "Third"
	t.ok(t.PutWebhook(t.Context(), &renamed))
	t.ok(t.DeleteWebhook(t.Context(), deleted.ID, 0))
	t.webhook("FIRST")
	t.webhook("SECOND")
	t.nameTaken("THIRD")
}

// nameTaken checks that neither a new nor an existing webhook can have the name.
func (t *storeTest) nameTaken(name string) {
	t.Helper()
	w := webhook.Webhook{ID: newID(id.Webhook), Name: name}
	before := t.changes(0)
	err := t.PutWebhook(t.Context(), &w)
	t.fails(err, fault.PropertyConstraintViolation)
	if details := fault.From(err).Details; len(details) != 1 || details[0].Attribute != "name" {
		t.Errorf("got details %v, want one detail about the name", details)
	}
	same(t, "the version of the refused value", w.LockVersion, 0)
	_, err = t.Webhook(t.Context(), w.ID)
	t.fails(err, fault.NotFound)

	w.Name = "another name for " + w.ID
	t.ok(t.PutWebhook(t.Context(), &w))
	w.Name = name
	t.fails(t.PutWebhook(t.Context(), &w), fault.PropertyConstraintViolation)
	t.catalogueIs(int64(len(before) + 1))
}

func (t *storeTest) catalogueEmpty() {
	t.catalogueIs(0)
	same(t, "the changes", t.changes(0), nil)
}

func (t *storeTest) catalogueLog() {
	w := t.webhook("Billing")
	t.ok(t.PutSettings(t.Context(), &settings.Settings{MaxPageSize: 5}))
	w.Enabled = false
	t.ok(t.PutWebhook(t.Context(), &w))
	t.ok(t.DeleteWebhook(t.Context(), w.ID, 0))
	want := []store.Change{{Version: 1, Webhook: w.ID}, {Version: 2}, {Version: 3, Webhook: w.ID}, {Version: 4, Webhook: w.ID}}
	for after := range len(want) + 1 {
		same(t, "the changes", t.changes(int64(after)), want[after:])
	}
	t.catalogueIs(4)
}

// catalogueRefused checks that a refused write does not cause all processes to read the log.
func (t *storeTest) catalogueRefused() {
	w := t.webhook("Billing")
	stale := w
	stale.LockVersion, stale.Description = 7, "stale"
	t.fails(t.PutWebhook(t.Context(), &stale), fault.UpdateConflict)
	t.fails(t.PutWebhook(t.Context(), &webhook.Webhook{ID: newID(id.Webhook), Name: "BILLING"}), fault.PropertyConstraintViolation)
	t.fails(t.DeleteWebhook(t.Context(), w.ID, 7), fault.UpdateConflict)
	t.fails(t.DeleteWebhook(t.Context(), newID(id.Webhook), 0), fault.NotFound)
	t.fails(t.PutSettings(t.Context(), &settings.Settings{LockVersion: 7}), fault.UpdateConflict)
	t.catalogueIs(1)
	same(t, "the changes", t.changes(0), []store.Change{{Version: 1, Webhook: w.ID}})
}

// catalogueOthers checks that the catalogue does not grow with projects and clients, which no process keeps in memory.
func (t *storeTest) catalogueOthers() {
	t.project("7")
	t.client("Billing", 0)
	t.catalogueIs(0)
}

// catalogueAhead asks for changes after a newer version than the current one. A process does so if the catalogue was
// restored from an older copy while the process was running.
func (t *storeTest) catalogueAhead() {
	t.webhook("Billing")
	if _, err := t.Changes(t.Context(), 2); !errors.Is(err, store.ErrGap) {
		t.Errorf("got error %v, want store.ErrGap", err)
	}
}

// catalogueHundreds makes more changes than one read of the log may return.
func (t *storeTest) catalogueHundreds() {
	const many = 300
	s := settings.Settings{}
	for range many {
		t.ok(t.PutSettings(t.Context(), &s))
	}
	for i, c := range t.changes(0) {
		same(t, "a change", c, store.Change{Version: int64(i + 1)})
	}
	same(t, "the last change", t.changes(many-1), []store.Change{{Version: many}})
}

func (t *storeTest) catalogueIs(want int64) {
	t.Helper()
	got, err := t.CatalogueVersion(t.Context())
	t.ok(err)
	same(t, "the catalogue's version", got, want)
}

func (t *storeTest) changes(after int64) []store.Change {
	t.Helper()
	changes, err := t.Changes(t.Context(), after)
	t.ok(err)
	return changes
}
