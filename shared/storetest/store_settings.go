package storetest

import (
	"nepenthes/shared/fault"
	"nepenthes/shared/settings"
)

var settingsCases = []storeCase{
	{"are the defaults before the first change", (*storeTest).settingsDefaults},
	{"are read as they were written", (*storeTest).settingsRoundTrip},
	{"can be set to false and to empty values", (*storeTest).settingsEmptied},
	{"are not changed if the version differs", (*storeTest).settingsVersion},
	{"accept a repeated write", (*storeTest).settingsTwice},
	{"are changed by one of several concurrent writers", (*storeTest).settingsAtOnce},
}

func (t *storeTest) settingsDefaults() {
	t.settingsAre(settings.Defaults())
}

func (t *storeTest) settingsRoundTrip() {
	want := fullSettings()
	checkFilled(t, want)
	s := want
	s.LockVersion = 0
	t.ok(t.PutSettings(t.Context(), &s))
	same(t, "the value that was put", s, want)
	t.settingsAre(want)
}

// settingsEmptied checks that a store distinguishes empty settings from settings that were never changed.
func (t *storeTest) settingsEmptied() {
	s := fullSettings()
	s.LockVersion = 0
	t.ok(t.PutSettings(t.Context(), &s))
	t.ok(t.PutSettings(t.Context(), &settings.Settings{LockVersion: 1}))
	t.settingsAre(settings.Settings{LockVersion: 2})
}

func (t *storeTest) settingsVersion() {
	stored := settings.Settings{MaxPageSize: 1}
	t.ok(t.PutSettings(t.Context(), &stored))
	for _, version := range []int64{0, 2} {
		s := settings.Settings{MaxPageSize: 2, LockVersion: version}
		t.fails(t.PutSettings(t.Context(), &s), fault.UpdateConflict)
		same(t, "the version of the refused value", s.LockVersion, version)
	}
	t.settingsAre(stored)
}

// settingsTwice checks that a repeated write, which succeeds, does not raise the version of the catalogue again.
func (t *storeTest) settingsTwice() {
	s, again := settings.Settings{MaxPageSize: 3}, settings.Settings{MaxPageSize: 3}
	t.ok(t.PutSettings(t.Context(), &s))
	t.ok(t.PutSettings(t.Context(), &again))
	same(t, "the value that was put again", again, s)
	t.catalogueIs(1)
}

func (t *storeTest) settingsAtOnce() {
	t.oneWins(fault.UpdateConflict, func(i int) error {
		return t.PutSettings(t.Context(), &settings.Settings{MaxPageSize: i + 1})
	})
	t.catalogueIs(1)
}

func (t *storeTest) settingsAre(want settings.Settings) {
	t.Helper()
	got, err := t.Settings(t.Context())
	t.ok(err)
	same(t, "the settings", got, want)
}
