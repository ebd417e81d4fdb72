package lambdahost_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"nepenthes/shared/lambdahost"
	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
)

//go:embed testdata/sqs.json
var golden []byte

func batch(t *testing.T) lambdaevents.SQSEvent {
	t.Helper()
	var e lambdaevents.SQSEvent
	if err := json.Unmarshal(golden, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

const first, second = "059f36b4-87a3-44ab-83d2-661975830a7d", "2e1424d4-f796-459a-8184-9c92662be6da"

// answer handles the batch and returns the response as the event source reads it: in JSON.
func answer(t *testing.T, ctx context.Context, consume lambdahost.Consumer, logs *strings.Builder) string {
	t.Helper()
	response, err := lambdahost.Queue(consume, slog.New(slog.NewTextHandler(logs, nil)))(ctx, batch(t))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(response)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestQueue(t *testing.T) {
	failing := func(id string, err error) lambdahost.Consumer {
		return func(_ context.Context, m lane.Message) error {
			if m.ID == id {
				return err
			}
			return nil
		}
	}
	for name, c := range map[string]struct {
		consume lambdahost.Consumer
		want    string
	}{
		"all messages are done": {failing("", nil), `{"batchItemFailures":[]}`},
		"one message fails":     {failing(second, errors.New("no")), `{"batchItemFailures":[{"itemIdentifier":"` + second + `"}]}`},
		"one message panics": {
			func(_ context.Context, m lane.Message) error {
				if m.ID == first {
					panic("broken")
				}
				return nil
			},
			`{"batchItemFailures":[{"itemIdentifier":"` + first + `"}]}`,
		},
		"all messages fail": {
			func(context.Context, lane.Message) error { return errors.New("no") },
			`{"batchItemFailures":[{"itemIdentifier":"` + first + `"},{"itemIdentifier":"` + second + `"}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var logs strings.Builder
			if got := answer(t, t.Context(), c.consume, &logs); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if strings.Contains(logs.String(), "dlv_") {
				t.Errorf("the log contains the body of a message: %s", logs.String())
			}
		})
	}
}

func TestQueuePassesMessagesOn(t *testing.T) {
	var mu sync.Mutex
	got := map[string]lane.Message{}
	var logs strings.Builder
	answer(t, t.Context(), func(_ context.Context, m lane.Message) error {
		mu.Lock()
		defer mu.Unlock()
		got[m.ID] = m
		return nil
	}, &logs)
	want := map[string]lane.Message{
		first: {
			ID: first, Body: []byte(`{"delivery":"dlv_first"}`), Group: "wh_01J0000000000000000000000A",
			Attributes: map[string]string{"again": "true"}, ReceiveCount: 1, SentAt: time.UnixMilli(1545082649183),
		},
		second: {ID: second, Body: []byte(`{"delivery":"dlv_second"}`), ReceiveCount: 3, SentAt: time.UnixMilli(1545082650636)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestQueueStopsBeforeTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		begun := time.Now()
		var logs strings.Builder
		release := make(chan struct{})
		got := answer(t, ctx, func(_ context.Context, m lane.Message) error {
			if m.ID == second {
				<-release // a consumer that ignores its context
			}
			return nil
		}, &logs)
		if want := `{"batchItemFailures":[{"itemIdentifier":"` + second + `"}]}`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got, want := time.Since(begun), 30*time.Second-limits.LaneMargin; got != want {
			t.Errorf("the batch took %v, want %v", got, want)
		}
		close(release)
	})
}

func TestRecordIsConvertedBack(t *testing.T) {
	want := lane.Message{
		ID: "m1", Body: []byte("body"), Group: "wh_1", Attributes: map[string]string{"reason": "invalid"},
		ReceiveCount: 2, SentAt: time.UnixMilli(1545082649183),
	}
	var got lane.Message
	consume := lambdahost.Queue(func(_ context.Context, m lane.Message) error { got = m; return nil }, slog.New(slog.DiscardHandler))
	if _, err := consume(t.Context(), lambdaevents.SQSEvent{Records: []lambdaevents.SQSMessage{lambdahost.Record(want)}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
