package id_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nepenthes/shared/id"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestNewIsUniqueAndSorted(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			mine := make([]string, 1000)
			for i := range mine {
				mine[i] = id.New(id.Attempt, now)
			}
			if !slices.IsSorted(mine) {
				t.Error("got ids of one millisecond in another order, want the order of the calls")
			}
			mu.Lock()
			defer mu.Unlock()
			for _, s := range mine {
				seen[s] = true
			}
		})
	}
	wg.Wait()
	if len(seen) != 8000 {
		t.Errorf("got %d different ids, want 8000", len(seen))
	}
}

func TestValid(t *testing.T) {
	good := id.New(id.Webhook, now)
	for s, want := range map[string]bool{
		good:                                true,
		strings.ToLower(good):               false,
		strings.TrimPrefix(good, "wh_"):     false,
		id.New(id.Event, now):               false,
		good + "0":                          false,
		"":                                  false,
		"wh_" + strings.Repeat("I", 26):     false,
		"wh_" + strings.Repeat("Z", 26):     false, // more than 128 bits
		"wh_" + good[3:28] + "\x00":         false,
		"wh_01JGK0000000000000000000" + "é": false,
	} {
		if got := id.Valid(id.Webhook, s); got != want {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	}
}

func TestParseDeliveryReturnsTheKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		webhook := id.New(id.Webhook, now)
		ms := rapid.Int64Range(0, 1<<48-1).Draw(t, "ms")
		event := [12]byte(rapid.SliceOfN(rapid.Byte(), 12, 12).Draw(t, "event"))
		s := id.Delivery(webhook, ms, event)
		gotWebhook, gotMs, gotEvent, err := id.ParseDelivery(s)
		if err != nil || gotWebhook != webhook || gotMs != ms || gotEvent != event {
			t.Fatalf("got %s %d %x, %v from %s, want %s %d %x", gotWebhook, gotMs, gotEvent, err, s, webhook, ms, event)
		}
	})
}

// FuzzParseDelivery checks that ParseDelivery accepts only ids that Delivery makes.
func FuzzParseDelivery(f *testing.F) {
	f.Add(id.Delivery(id.New(id.Webhook, now), now.UnixMilli(), [12]byte{1, 2, 3}))
	f.Add("dlv_")
	f.Add("dlv_AAAA\nAAAA")
	f.Fuzz(func(t *testing.T, s string) {
		webhook, ms, event, err := id.ParseDelivery(s)
		if err != nil {
			return
		}
		if again := id.Delivery(webhook, ms, event); again != s {
			t.Errorf("got the key of %q, want that of %q", again, s)
		}
	})
}
