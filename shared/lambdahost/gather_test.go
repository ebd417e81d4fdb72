package lambdahost_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"

	"nepenthes/shared/lambdahost"
	"nepenthes/shared/lane"
)

// sends is a lane that records the number of messages in each send. It refuses a send with a message whose body is
// refused.
type sends struct {
	refused string

	mu    sync.Mutex
	sizes []int
}

var errRefused = errors.New("refused")

func (s *sends) Send(_ context.Context, messages ...lane.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sizes = append(s.sizes, len(messages))
	if slices.ContainsFunc(messages, func(m lane.Message) bool { return string(m.Body) == s.refused }) {
		return errRefused
	}
	return nil
}

// work consumes n messages as one batch and returns the ids of the messages that failed.
func work(t *testing.T, n int, consume lambdahost.Consumer) (failed []string) {
	t.Helper()
	var e lambdaevents.SQSEvent
	for i := range n {
		e.Records = append(e.Records, lambdahost.Record(lane.Message{ID: strconv.Itoa(i), Body: []byte(strconv.Itoa(i))}))
	}
	answer, err := lambdahost.Queue(consume, slog.New(slog.DiscardHandler))(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range answer.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return failed
}

func TestGather(t *testing.T) {
	for name, c := range map[string]struct {
		refused string
		consume func(ctx context.Context, m lane.Message, to lambdahost.Sender) error
		sizes   []int
		failed  []string
		took    time.Duration
	}{
		"a batch sends in one request": {
			consume: func(ctx context.Context, m lane.Message, to lambdahost.Sender) error { return to.Send(ctx, m) },
			sizes:   []int{10},
		},
		"messages that send nothing do not delay others": {
			consume: func(ctx context.Context, m lane.Message, to lambdahost.Sender) error {
				if m.ID > "3" {
					return nil
				}
				return to.Send(ctx, m)
			},
			sizes: []int{4},
		},
		"a message that panics does not delay others": {
			consume: func(ctx context.Context, m lane.Message, to lambdahost.Sender) error {
				if m.ID == "7" {
					panic("broken")
				}
				return to.Send(ctx, m)
			},
			sizes: []int{9}, failed: []string{"7"},
		},
		"the others wait only briefly for a slow message": {
			consume: func(ctx context.Context, m lane.Message, to lambdahost.Sender) error {
				if m.ID == "0" {
					time.Sleep(time.Second)
				}
				return to.Send(ctx, m)
			},
			sizes: []int{9, 1}, took: time.Second,
		},
		"each message sends twice": {
			consume: func(ctx context.Context, m lane.Message, to lambdahost.Sender) error {
				return errors.Join(to.Send(ctx, m), to.Send(ctx, m, m))
			},
			sizes: []int{10, 20},
		},
		"a refused message fails alone": {
			refused: "4",
			consume: func(ctx context.Context, m lane.Message, to lambdahost.Sender) error { return to.Send(ctx, m) },
			sizes:   []int{10, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, failed: []string{"4"},
		},
		"messages that fill a request do not wait": {
			consume: func(ctx context.Context, m lane.Message, to lambdahost.Sender) error {
				return to.Send(ctx, slices.Repeat([]lane.Message{m}, 10)...)
			},
			sizes: slices.Repeat([]int{10}, 10),
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				to := &sends{refused: c.refused}
				gathered, begun := lambdahost.Gather(to), time.Now()
				failed := work(t, 10, func(ctx context.Context, m lane.Message) error { return c.consume(ctx, m, gathered) })
				if took := time.Since(begun); took != c.took {
					t.Errorf("the batch took %v, want %v", took, c.took)
				}
				if !slices.Equal(to.sizes, c.sizes) {
					t.Errorf("got sends of %v messages, want %v", to.sizes, c.sizes)
				}
				if !slices.Equal(failed, c.failed) {
					t.Errorf("messages %v failed, want %v", failed, c.failed)
				}
			})
		})
	}
}

func TestGatherEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := make(chan struct{})
		gathered := lambdahost.Gather(senderFunc(func(ctx context.Context) error { <-never; return nil }))
		failed := work(t, 2, func(ctx context.Context, m lane.Message) error {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			return gathered.Send(ctx, m)
		})
		if len(failed) != 2 {
			t.Errorf("%d messages failed, want both", len(failed))
		}
		close(never)
	})
}

func TestGatherOutsideABatch(t *testing.T) {
	to := &sends{}
	if err := lambdahost.Gather(to).Send(t.Context(), lane.Message{Body: []byte("x")}); err != nil || len(to.sizes) != 1 {
		t.Errorf("got sends of %v messages and error %v, want one send", to.sizes, err)
	}
}

type senderFunc func(context.Context) error

func (f senderFunc) Send(ctx context.Context, _ ...lane.Message) error { return f(ctx) }
