package sqs_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
)

func messages(n int) []lane.Message {
	all := make([]lane.Message, n)
	for i := range all {
		all[i].Body = fmt.Appendf(nil, "%d", i)
	}
	return all
}

func bodies(all []lane.Message) (bodies []string) {
	for _, m := range all {
		bodies = append(bodies, string(m.Body))
	}
	return bodies
}

// once checks that the queue has taken each body once.
func (q *queue) once(want []string) {
	q.Helper()
	got := slices.Sorted(slices.Values(q.taken))
	if want := slices.Sorted(slices.Values(want)); !slices.Equal(got, want) {
		q.Errorf("the queue took %.200q, want %.200q", got, want)
	}
}

func TestRequestsStayWithinTheLimits(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		q := &queue{T: t}
		sent := messages(rapid.IntRange(0, 25).Draw(r, "messages"))
		for i := range sent {
			size := rapid.OneOf(rapid.IntRange(0, 200), rapid.IntRange(0, 200), rapid.SampledFrom([]int{100 << 10, 350 << 10, 1<<20 - 20})).Draw(r, "size")
			sent[i].Body = append(sent[i].Body, strings.Repeat(".", size)...)
			if rapid.Bool().Draw(r, "attributes") {
				sent[i].Attributes = map[string]string{"n": strings.Repeat("a", rapid.IntRange(1, 5).Draw(r, "value"))}
			}
		}
		if err := q.lane().Send(t.Context(), sent...); err != nil {
			r.Fatal(err)
		}
		q.once(bodies(sent))
		for _, request := range q.requests {
			if n := len(request.Entries); n == 0 || n > limits.BatchSize || n > 1 && request.Bytes > limits.BatchBytes {
				r.Errorf("got a request of %d entries with %d bytes, more than the limits", n, request.Bytes)
			}
		}
	})
}

func TestMessagesAreSentUnchanged(t *testing.T) {
	q := &queue{T: t}
	err := q.lane().Send(t.Context(),
		lane.Message{Body: []byte("whole seconds"), Group: "wh_1", Attributes: map[string]string{lane.Reason: "invalid"}, Delay: 3 * time.Second},
		lane.Message{Body: []byte("rounded up"), Delay: 3*time.Second + time.Nanosecond},
		lane.Message{Body: []byte("the longest delay"), Delay: limits.MaxDelay},
		lane.Message{Body: []byte("the past"), Delay: -time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	sent := q.requests[0].Entries
	for i, want := range []int{3, 4, 900, 0} {
		if got := sent[i].DelaySeconds; got != want {
			t.Errorf("%s: got a delay of %d s, want %d s", sent[i].MessageBody, got, want)
		}
	}
	if sent[0].MessageGroupID != "wh_1" || sent[1].MessageGroupID != "" {
		t.Errorf("got groups %q and %q, want wh_1 and none", sent[0].MessageGroupID, sent[1].MessageGroupID)
	}
	if a := sent[0].MessageAttributes[lane.Reason]; a.DataType != "String" || a.StringValue != "invalid" || len(sent[0].MessageAttributes) != 1 {
		t.Errorf("got attributes %v, want the reason", sent[0].MessageAttributes)
	}
}

func TestATooLongDelayIsAnError(t *testing.T) {
	q := &queue{T: t}
	if err := q.lane().Send(t.Context(), lane.Message{Body: []byte("late"), Delay: limits.MaxDelay + 1}); err == nil || len(q.requests) > 0 {
		t.Errorf("got error %v and %d requests, want an error and no request", err, len(q.requests))
	}
}

// TestSendIsRepeated runs in virtual time, because of the waits between tries.
func TestSendIsRepeated(t *testing.T) {
	for name, test := range map[string]struct {
		verdict     func(body string, try int) verdict
		fate        func(number int) fate
		requests    int
		unavailable bool
		fails       bool
		twice       []string
	}{
		"when the queue was busy": {
			verdict: func(body string, try int) verdict {
				if (body == "3" || body == "7") && try < 4 {
					return busy
				}
				return takes
			}, requests: 4,
		},
		"when the response does not mention an entry": {
			verdict: func(body string, try int) verdict {
				if body == "0" && try == 1 {
					return silent
				}
				return takes
			}, requests: 2,
		},
		"when a request was reset": {
			fate: func(number int) fate {
				if number == 1 {
					return reset
				}
				return passes
			}, requests: 2,
		},
		"when the response was lost": {
			fate: func(number int) fate {
				if number == 1 {
					return lost
				}
				return passes
			}, requests: 2, twice: bodies(messages(10)),
		},
		"but not for ever when the queue stays busy": {
			verdict: func(body string, try int) verdict {
				if body == "3" {
					return busy
				}
				return takes
			}, requests: 5, unavailable: true, fails: true,
		},
		"but not for ever when nothing arrives": {
			fate: func(int) fate { return reset }, requests: 5, unavailable: true, fails: true,
		},
		"but not when SQS refuses an entry": {
			verdict: func(body string, try int) verdict {
				if body == "3" {
					return refuses
				}
				return takes
			}, requests: 1, fails: true,
		},
		"but not when access is denied": {
			fate: func(int) fate { return denied }, requests: 1, fails: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := &queue{T: t, verdict: test.verdict, fate: test.fate}
				err := q.lane().Send(t.Context(), messages(10)...)
				if (err != nil) != test.fails || fault.Is(err, fault.Unavailable) != test.unavailable {
					t.Errorf("got %v, want failure %v, unavailable %v", err, test.fails, test.unavailable)
				}
				if test.unavailable && fault.From(err).RetryAfter <= 0 {
					t.Error("got an Unavailable fault without a RetryAfter")
				}
				if got := len(q.requests); got != test.requests {
					t.Errorf("got %d requests, want %d", got, test.requests)
				}
				if err == nil {
					q.once(append(bodies(messages(10)), test.twice...))
				}
			})
		})
	}
}

func TestThePauseEndsWithTheContext(t *testing.T) {
	q := &queue{T: t, verdict: func(string, int) verdict { return busy }}
	ctx, cancel := context.WithCancel(t.Context())
	q.fate = func(int) fate { cancel(); return passes }
	if err := q.lane().Send(ctx, messages(1)...); err == nil || fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v, want the error of the context", err)
	}
}
