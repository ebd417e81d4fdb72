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

func TestWhatIsNotDeletedIsDeletedAgain(t *testing.T) {
	for name, test := range map[string]struct {
		say         func(body string, try int) verdict
		before      func(number int) fate
		requests    int // to delete; the first is the one to receive
		unavailable bool
	}{
		"all at once": {requests: 1},
		"receipts that the queue was too busy for": {
			say: func(body string, try int) verdict {
				if body == "3" && try < 3 {
					return busy
				}
				return takes
			}, requests: 3,
		},
		"but not what is gone": {
			say: func(body string, _ int) verdict {
				if body == "3" {
					return refuses
				}
				return takes
			}, requests: 1,
		},
		"but not for ever": {say: func(string, int) verdict { return busy }, requests: 5, unavailable: true},
		"but not for ever when nothing arrives": {
			before: func(number int) fate {
				if number > 1 {
					return reset
				}
				return passes
			}, requests: 5, unavailable: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := &queue{T: t, say: test.say, before: test.before}
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
		q := &queue{T: t, before: func(int) fate { return reset }}
		if got, err := q.lane().Receive(t.Context(), 10); !fault.Is(err, fault.Unavailable) {
			t.Errorf("got %d messages, %v, want an Unavailable fault", len(got), err)
		}
	})
}
