package sqs_test

import (
	"testing"
	"testing/synctest"

	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
)

func ids(all []lane.Message) (ids []string) {
	for _, m := range all {
		ids = append(ids, m.ID)
	}
	return ids
}

func TestDeleteIsRepeated(t *testing.T) {
	for name, test := range map[string]struct {
		verdict     func(body string, try int) verdict
		fate        func(number int) fate
		requests    int // after the first, which receives
		unavailable bool
	}{
		"all at once": {requests: 1},
		"when the queue was busy": {
			verdict: func(body string, try int) verdict {
				if body == "3" && try < 3 {
					return busy
				}
				return takes
			}, requests: 3,
		},
		"but not when a message no longer exists": {
			verdict: func(body string, _ int) verdict {
				if body == "3" {
					return refuses
				}
				return takes
			}, requests: 1,
		},
		"but not for ever when the queue stays busy": {verdict: func(string, int) verdict { return busy }, requests: 5, unavailable: true},
		"but not for ever when nothing arrives": {
			fate: func(number int) fate {
				if number > 1 {
					return reset
				}
				return passes
			}, requests: 5, unavailable: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := &queue{T: t, verdict: test.verdict, fate: test.fate}
				l := q.lane()
				received, err := l.Receive(t.Context(), 10)
				if err != nil {
					t.Fatal(err)
				}
				if err := l.Delete(t.Context(), ids(received)...); (err != nil) != test.unavailable || test.unavailable && !fault.Is(err, fault.Unavailable) {
					t.Errorf("got %v, want unavailable %v", err, test.unavailable)
				}
				if got := len(q.requests) - 1; got != test.requests {
					t.Errorf("got %d requests, want %d", got, test.requests)
				}
			})
		})
	}
}

func TestAQueueThatCannotBeReachedIsUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{T: t, fate: func(int) fate { return reset }}
		if got, err := q.lane().Receive(t.Context(), 10); !fault.Is(err, fault.Unavailable) {
			t.Errorf("got %d messages, %v, want an Unavailable fault", len(got), err)
		}
	})
}
