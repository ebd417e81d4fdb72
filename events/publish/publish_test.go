package publish_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"nepenthes/events"
	"nepenthes/events/publish"
)

const queueURL = "https://sqs.us-east-1.amazonaws.com/111122223333/events"

// numbered returns n events with the ids e0, e1 and so on. If size is not 0, their data has about size bytes.
func numbered(n, size int) []events.Event {
	list := make([]events.Event, n)
	for i := range list {
		event, _ := events.Example("work_package:updated")
		event.ID = fmt.Sprintf("e%d", i)
		if size > 0 {
			event.Project, event.Actor = nil, nil
			event.Data = json.RawMessage(`"` + strings.Repeat("x", size) + `"`)
		}
		list[i] = event
	}
	return list
}

func ids(list []events.Event) []string {
	var names []string
	for _, event := range list {
		names = append(names, event.ID)
	}
	return names
}

func newPublisher(tb testing.TB, client publish.BatchSender) *publish.Publisher {
	tb.Helper()
	publisher, err := publish.New(publish.Config{Client: client, QueueURL: queueURL, Backoff: time.Millisecond})
	if err != nil {
		tb.Fatal(err)
	}
	return publisher
}

// unsent returns the events that the error names.
func unsent(tb testing.TB, err error) []publish.Unsent {
	tb.Helper()
	var got *publish.Error
	if !errors.As(err, &got) {
		tb.Fatalf("got %v, want a *publish.Error", err)
	}
	return got.Unsent
}

func unsentIDs(tb testing.TB, err error) []string {
	tb.Helper()
	var names []string
	for _, event := range unsent(tb, err) {
		names = append(names, event.ID)
	}
	return names
}

func TestNewRefusesInvalidConfigs(t *testing.T) {
	client := sqs.New(sqs.Options{})
	for name, config := range map[string]publish.Config{
		"no client":         {QueueURL: queueURL},
		"no queue":          {Client: client},
		"negative attempts": {Client: client, QueueURL: queueURL, Attempts: -1},
		"negative backoff":  {Client: client, QueueURL: queueURL, Backoff: -1},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := publish.New(config); err == nil {
				t.Error("got no error")
			}
		})
	}
}

func TestPublishSendsEveryEventUnchanged(t *testing.T) {
	var list []events.Event
	for _, kind := range events.Types() {
		if event, _ := events.Example(kind.Name); !kind.Operational {
			list = append(list, event)
		}
	}
	list[3].Data = json.RawMessage(`{ "n":9007199254740993, "s":"\ud83d", "a":1,"a":"<é>" }`)
	queue := &endpoint{T: t}
	if err := newPublisher(t, queue.client()).Publish(t.Context(), list...); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(list, queue.accepted); diff != "" {
		t.Error(diff)
	}
	if got := len(queue.requests); got != 3 {
		t.Errorf("%d requests for 26 events, want 3", got)
	}
}

func TestPublishNothing(t *testing.T) {
	queue := &endpoint{T: t}
	if err := newPublisher(t, queue.client()).Publish(t.Context()); err != nil || len(queue.requests) > 0 {
		t.Errorf("%d requests, %v", len(queue.requests), err)
	}
}

// The endpoint refuses batches that are too large, so this test only checks that batches are not smaller than necessary.
func TestBatchesAreAsFullAsSQSAllows(t *testing.T) {
	largest := numbered(1, 1)
	encoded, err := largest[0].Encode()
	if err != nil {
		t.Fatal(err)
	}
	full := events.MaxSize - len(encoded) + 1
	for name, tt := range map[string]struct {
		count, size int
		want        []int
	}{
		"ten entries":              {25, 0, []int{10, 10, 5}},
		"four of the maximum size": {9, full, []int{4, 4, 1}},
		"five of a smaller size":   {10, full - 60_000, []int{5, 5}},
	} {
		t.Run(name, func(t *testing.T) {
			queue := &endpoint{T: t}
			list := numbered(tt.count, tt.size)
			if err := newPublisher(t, queue.client()).Publish(t.Context(), list...); err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, request := range queue.requests {
				got = append(got, len(request))
			}
			if !slices.Equal(got, tt.want) || !slices.Equal(ids(queue.accepted), ids(list)) {
				t.Errorf("batches of %d, want %d", got, tt.want)
			}
		})
	}
}

func TestPublishSendsNothingWhenOneEventIsNotValid(t *testing.T) {
	for name, change := range map[string]func(*events.Event){
		"bad id":                     func(e *events.Event) { e.ID = "not an\nid" },
		"operational type":           func(e *events.Event) { e.Type = "webhook:ping" },
		"too large":                  func(e *events.Event) { e.Data = json.RawMessage(`"` + strings.Repeat("x", events.MaxSize) + `"`) },
		"character that SQS refuses": func(e *events.Event) { e.Data = json.RawMessage("\"\uffff\"") },
	} {
		t.Run(name, func(t *testing.T) {
			queue := &endpoint{T: t}
			list := numbered(25, 0)
			change(&list[24])
			err := newPublisher(t, queue.client()).Publish(t.Context(), list...)
			if len(queue.requests) > 0 {
				t.Errorf("got %d requests, want none", len(queue.requests))
			}
			left := unsent(t, err)
			if len(left) != 25 || !errors.Is(left[0].Err, publish.ErrNotTried) {
				t.Fatalf("got %v, want all 25 events", err)
			}
			var invalid *events.Error
			if last := left[24]; last.Index != 24 || !errors.As(last.Err, &invalid) {
				t.Errorf("got %+v, want an *events.Error", last)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the text has more than one line: %q", err)
			}
		})
	}
}

func TestPartialFailures(t *testing.T) {
	list := numbered(12, 0)
	t.Run("only the failed events are sent again", func(t *testing.T) {
		failures := map[string]int{"e1": 1, "e4": 2, "e11": 3}
		queue := &endpoint{T: t, refuse: func(id string) *failure {
			if failures[id]--; failures[id] >= 0 {
				return &failure{Code: "InternalError"}
			}
			return nil
		}}
		if err := newPublisher(t, queue.client()).Publish(t.Context(), list...); err != nil {
			t.Fatal(err)
		}
		want := [][]string{ids(list[:10]), {"e1", "e4"}, {"e4"}, {"e10", "e11"}, {"e11"}, {"e11"}, {"e11"}}
		if diff := cmp.Diff(want, queue.requests); diff != "" {
			t.Error(diff)
		}
		if len(queue.accepted) != 12 {
			t.Errorf("%d events arrived, want 12, each once", len(queue.accepted))
		}
	})
	t.Run("an event that the response does not mention is sent again", func(t *testing.T) {
		first := true
		queue := &endpoint{T: t, refuse: func(id string) *failure {
			if id == "e2" && first {
				first = false
				return &failure{silent: true}
			}
			return nil
		}}
		if err := newPublisher(t, queue.client()).Publish(t.Context(), list[:3]...); err != nil || len(queue.accepted) != 3 {
			t.Errorf("%d arrived, %v", len(queue.accepted), err)
		}
	})
	t.Run("an event is sent at most five times", func(t *testing.T) {
		attempts := 0
		queue := &endpoint{T: t, refuse: func(id string) *failure {
			if id == "e1" {
				attempts++
				return &failure{Code: "InternalError", Message: "try later"}
			}
			return nil
		}}
		err := newPublisher(t, queue.client()).Publish(t.Context(), list...)
		want := `publish: 1 not sent: "urn:nepenthes" "e1" (SQS: InternalError: try later)`
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if left := unsent(t, err); attempts != 5 || left[0].Index != 1 || len(queue.accepted) != 11 {
			t.Errorf("%d attempts, %d arrived, %+v", attempts, len(queue.accepted), left)
		}
	})
	t.Run("an event that failed by fault of the sender is not sent again", func(t *testing.T) {
		queue := &endpoint{T: t, refuse: func(id string) *failure {
			if id == "e1" || id == "e3" {
				return &failure{Code: "InvalidMessageContents", SenderFault: true}
			}
			return nil
		}}
		err := newPublisher(t, queue.client()).Publish(t.Context(), list...)
		if got := unsentIDs(t, err); !slices.Equal(got, []string{"e1", "e3"}) || len(queue.requests) != 2 {
			t.Errorf("%q unsent after %d requests", got, len(queue.requests))
		}
	})
}

func TestPublishStopsWhenARequestFails(t *testing.T) {
	queue := &endpoint{T: t, denied: true}
	err := newPublisher(t, queue.client()).Publish(t.Context(), numbered(12, 0)...)
	left := unsent(t, err)
	if len(left) != 12 {
		t.Fatalf("got %d unsent events, want 12", len(left))
	}
	var denied smithy.APIError
	if !errors.As(left[9].Err, &denied) || denied.ErrorCode() != "AccessDenied" {
		t.Errorf("got %v for the first batch, want AccessDenied", left[9].Err)
	}
	if !errors.Is(left[10].Err, publish.ErrNotTried) {
		t.Errorf("got %v for the second batch, want %v", left[10].Err, publish.ErrNotTried)
	}
}

// Each event either arrives or is named in the error, whatever fails.
func TestEveryEventArrivesOrIsNamed(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		count := rapid.IntRange(0, 35).Draw(rt, "events")
		arrived := map[string]bool{}
		client := sender(func(_ context.Context, in *sqs.SendMessageBatchInput) (*sqs.SendMessageBatchOutput, error) {
			if rapid.IntRange(0, 9).Draw(rt, "request fails") == 9 {
				return nil, errors.New("no connection")
			}
			out := &sqs.SendMessageBatchOutput{}
			for _, entry := range in.Entries {
				event, err := events.Decode([]byte(*entry.MessageBody))
				if err != nil {
					rt.Fatal(err)
				}
				switch rapid.IntRange(0, 3).Draw(rt, "outcome") {
				case 0:
					out.Failed = append(out.Failed, types.BatchResultErrorEntry{Id: entry.Id, SenderFault: rapid.Bool().Draw(rt, "fault")})
				case 1: // not mentioned
				default:
					arrived[event.ID] = true
					out.Successful = append(out.Successful, types.SendMessageBatchResultEntry{Id: entry.Id})
				}
			}
			return out, nil
		})
		list := numbered(count, 0)
		publisher, err := publish.New(publish.Config{Client: client, QueueURL: queueURL, Attempts: 3, Backoff: 1})
		if err != nil {
			rt.Fatal(err)
		}
		err = publisher.Publish(t.Context(), list...)
		var named []string
		if err != nil {
			named = unsentIDs(t, err)
		}
		for _, event := range list {
			if arrived[event.ID] == slices.Contains(named, event.ID) {
				rt.Fatalf("%s: arrived %t, %v", event.ID, arrived[event.ID], err)
			}
		}
	})
}

// sender is a client that only a function implements.
type sender func(context.Context, *sqs.SendMessageBatchInput) (*sqs.SendMessageBatchOutput, error)

func (s sender) SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	return s(ctx, in)
}

// busy refuses every entry without blaming the sender.
func busy(_ context.Context, in *sqs.SendMessageBatchInput) (*sqs.SendMessageBatchOutput, error) {
	out := &sqs.SendMessageBatchOutput{}
	for _, entry := range in.Entries {
		out.Failed = append(out.Failed, types.BatchResultErrorEntry{Id: entry.Id})
	}
	return out, nil
}

func TestWaitsGrowWithinBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var times []time.Time
		client := sender(func(ctx context.Context, in *sqs.SendMessageBatchInput) (*sqs.SendMessageBatchOutput, error) {
			times = append(times, time.Now())
			return busy(ctx, in)
		})
		publisher, err := publish.New(publish.Config{Client: client, QueueURL: queueURL, Attempts: 80, Backoff: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if err := publisher.Publish(t.Context(), numbered(1, 0)...); err == nil {
			t.Error("got no error, but nothing was sent")
		}
		if len(times) != 80 {
			t.Fatalf("%d attempts, want 80", len(times))
		}
		waits := map[time.Duration]bool{}
		for i := 1; i < len(times); i++ {
			longest := min(time.Second<<min(i-1, 10), 10*time.Second)
			wait := times[i].Sub(times[i-1])
			if wait < longest/2 || wait > longest {
				t.Errorf("wait %d is %v, want %v to %v", i, wait, longest/2, longest)
			}
			waits[wait] = true
		}
		if len(waits) < 40 {
			t.Errorf("got only %d different waits, want random ones", len(waits))
		}
	})
}

func TestPublishEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		publisher, err := publish.New(publish.Config{Client: sender(busy), QueueURL: queueURL, Attempts: 1000, Backoff: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		err = publisher.Publish(ctx, numbered(12, 0)...)
		if got := time.Since(start); got != 3*time.Second {
			t.Errorf("it took %v, want 3 s", got)
		}
		if !errors.Is(err, context.DeadlineExceeded) || len(unsent(t, err)) != 12 {
			t.Errorf("got %v, want all 12 events and the deadline as the cause", err)
		}
	})
}

func TestErrorTextStaysShort(t *testing.T) {
	publisher, err := publish.New(publish.Config{Client: sender(busy), QueueURL: queueURL, Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	err = publisher.Publish(t.Context(), numbered(1000, 0)...)
	if len(unsent(t, err)) != 1000 {
		t.Error("the error does not name all events")
	}
	if text := err.Error(); len(text) > 2000 || !strings.HasSuffix(text, " and 980 more") {
		t.Errorf("got %q", text)
	}
}

func TestPublishersShareAQueue(t *testing.T) {
	queue := &endpoint{T: t}
	publisher := newPublisher(t, queue.client())
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if err := publisher.Publish(t.Context(), numbered(30, 0)...); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if len(queue.accepted) != 240 {
		t.Errorf("%d events arrived, want 240", len(queue.accepted))
	}
}
