package record_test

import (
	"fmt"
	"testing"
	"time"

	"nepenthes/shared/record"
)

func TestRecent(t *testing.T) {
	start := time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC)
	var recent record.Recent
	recorded := func(i, size int, expires time.Time) *record.Event {
		r := &record.Event{ExpiresAt: expires}
		r.ID, r.Source, r.Data = fmt.Sprint(i), "urn:nepenthes", make([]byte, size)
		return r
	}
	first := recorded(1, 10, start.Add(time.Minute))
	recent.Put(first)
	if got := recent.Get(first.Key(), start); got != first {
		t.Errorf("got %v, want the event that was added", got)
	}
	if got := recent.Get(first.Key(), first.ExpiresAt); got != nil {
		t.Error("got an event that has expired, want nil")
	}
	again := recorded(1, 20, start.Add(time.Hour))
	recent.Put(again)
	if got := recent.Get(first.Key(), first.ExpiresAt); got != again {
		t.Errorf("got %v, want the event that replaced the expired event", got)
	}
	const many, size = 100, 250 << 10 // 25 MB
	for i := range many {
		recent.Put(recorded(10+i, size, start.Add(time.Hour)))
	}
	kept := 0
	for i := range many {
		if recent.Get(recorded(10+i, 0, start).Key(), start) != nil {
			kept++
		}
	}
	if want := (4 << 20) / (size + 1<<10); kept != want {
		t.Errorf("got %d events of %d KiB in the cache, want %d", kept, size>>10, want)
	}
	if recent.Get(recorded(10+many-1, 0, start).Key(), start) == nil || recent.Get(first.Key(), start) != nil {
		t.Error("want the newest event in the cache, and the oldest removed")
	}
}
