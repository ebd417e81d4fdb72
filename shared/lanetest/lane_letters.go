package lanetest

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"nepenthes/events"
	"nepenthes/shared/fanout"
	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
	"nepenthes/shared/redrive"
)

// attributes returns n attributes as a producer may set them, including the trace context.
func attributes(n int) map[string]string {
	all := map[string]string{lane.Traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
	for i := 1; i < n; i++ {
		all[fmt.Sprintf("producers-own-%d", i)] = "value"
	}
	return all
}

// padded pads the body of a message until the message has the given size, attributes included.
func padded(m lane.Message, size int) lane.Message {
	m.Body = append(slices.Clone(m.Body), strings.Repeat("x", size-m.Size())...)
	return m
}

// tenAttributes sends as many attributes as SQS allows, since a producer may use all of them.
func (t *laneTest) tenAttributes() {
	sent := lane.Message{Body: []byte("many"), Attributes: attributes(limits.MessageAttributes)}
	t.send(sent)
	for range laneReceiveCount {
		t.same(t.receive(1)[0], sent)
		time.Sleep(laneVisibility)
	}
	t.nothingComes(t.lane)
	t.same(receive(t, t.dead, 1)[0], sent)
}

func (t *laneTest) largest() {
	sent := padded(lane.Message{Attributes: attributes(limits.MessageAttributes)}, limits.BatchBytes)
	t.send(sent)
	got := t.receive(1)[0]
	if len(got.Body) != len(sent.Body) || !maps.Equal(got.Attributes, sent.Attributes) {
		t.Errorf("got %d bytes and %d attributes, want %d and %d", len(got.Body), len(got.Attributes), len(sent.Body), len(sent.Attributes))
	}
}

// refused sends a good message with one that is refused. Neither may arrive, because the caller sends both again.
func (t *laneTest) refused() {
	for name, bad := range map[string]lane.Message{
		"a body beyond 1 MiB":              padded(lane.Message{}, limits.BatchBytes+1),
		"body and attributes beyond 1 MiB": padded(lane.Message{Attributes: attributes(1)}, limits.BatchBytes+1),
		"eleven attributes":                {Body: []byte("x"), Attributes: attributes(limits.MessageAttributes + 1)},
		"a delay beyond 15 minutes":        {Body: []byte("x"), Delay: limits.MaxDelay + 1},
	} {
		if err := t.lane.Send(t.Context(), lane.Message{Body: []byte("good")}, bad); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	t.nothingComes(t.lane)
}

// unused implements the dependencies that fan-out does not call for a message that it cannot decode.
type unused struct {
	fanout.Matcher
	fanout.Recorder
	fanout.Projects
	fanout.Sender
}

// buried passes messages that are not events to fan-out. Some have the largest size or the most attributes that SQS
// allows, so that the reason does not fit unless fan-out makes room for it.
func (t *laneTest) buried() {
	f := fanout.New(fanout.Config{
		Matcher: unused{}, Recorder: unused{}, Projects: unused{}, Deliveries: unused{}, DeadLetters: t.dead,
		Logger: slog.New(slog.DiscardHandler),
	})
	small := lane.Message{Body: []byte(`{"no":"event"}`), Attributes: attributes(limits.MessageAttributes)}
	tampered := lane.Message{Body: []byte("nonsense"), Attributes: attributes(limits.MessageAttributes - 3)}
	for _, name := range []string{lane.Reason, lane.Detail, lane.Truncated} {
		tampered.Attributes[name] = "a producer's"
	}
	longTrace := padded(lane.Message{Attributes: map[string]string{lane.Traceparent: strings.Repeat("0", 48_000)}}, limits.BatchBytes)
	for _, c := range []struct {
		sent   lane.Message
		reason events.Reason
		body   int
		more   []string // attributes other than reason and detail
	}{
		{small, events.Invalid, len(small.Body), []string{lane.Traceparent}},
		{tampered, events.Malformed, len(tampered.Body), []string{lane.Traceparent}},
		{padded(small, limits.BatchBytes), events.TooLarge, limits.DeadLetterBytes, []string{lane.Traceparent, lane.Truncated}},
		{padded(lane.Message{}, limits.DeadLetterBytes), events.TooLarge, limits.DeadLetterBytes, nil},
		{longTrace, events.TooLarge, min(len(longTrace.Body), limits.DeadLetterBytes), []string{lane.Truncated}},
	} {
		t.send(c.sent)
		got := t.receive(1)[0]
		if err := f.Handle(t.Context(), got); err != nil {
			t.Fatalf("Handle of a message with the reason %s: %v", c.reason, err)
		}
		t.delete(got)
		dead := receive(t, t.dead, 1)[0]
		want := slices.Sorted(slices.Values(append([]string{lane.Reason, lane.Detail}, c.more...)))
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(dead.Attributes))); diff != "" {
			t.Errorf("%s: attributes: %s", c.reason, diff)
		}
		if dead.Attributes[lane.Reason] != string(c.reason) || !strings.HasPrefix(string(c.sent.Body), string(dead.Body)) || len(dead.Body) != c.body {
			t.Errorf("got reason %s and %d bytes, want %s and the first %d bytes", dead.Attributes[lane.Reason], len(dead.Body), c.reason, c.body)
		}
		if err := t.dead.Delete(t.Context(), dead.ID); err != nil {
			t.Fatal(err)
		}
	}
}

// redriven moves dead letters of each kind back to their lane: with a reason, without one, and twice the same.
func (t *laneTest) redriven() {
	failed := lane.Message{Body: []byte("failed too often"), Group: "wh_1", Attributes: attributes(limits.MessageAttributes)}
	invalid := lane.Message{Body: []byte("invalid"), Attributes: map[string]string{
		lane.Reason: "invalid", lane.Detail: "data: It is required.", lane.Truncated: "true", lane.Traceparent: "00-1",
	}}
	conflict := lane.Message{Body: []byte("conflict"), Attributes: map[string]string{lane.Reason: "id_conflict"}}
	if err := t.dead.Send(t.Context(), failed, invalid, conflict, conflict); err != nil {
		t.Fatal(err)
	}
	moved, err := redrive.Move(t.Context(), t.dead, t.lane)
	if err != nil {
		t.Fatal(err)
	}
	want := redrive.Moved{{}: 1, {Reason: "invalid", Detail: "data: It is required."}: 1, {Reason: "id_conflict"}: 2}
	if diff := cmp.Diff(want, moved); diff != "" {
		t.Error(diff)
	}
	got := map[string]lane.Message{}
	for _, m := range t.receive(4) {
		got[string(m.Body)] = m
	}
	invalid.Attributes, conflict.Attributes = map[string]string{lane.Traceparent: "00-1"}, nil
	for _, m := range []lane.Message{failed, invalid, conflict} {
		t.same(got[string(m.Body)], m)
	}
	t.nothingComes(t.dead)
	if moved, err := redrive.Move(t.Context(), t.dead, t.lane); err != nil || len(moved) != 0 {
		t.Errorf("the second call of Move moved %v with error %v, want nothing", moved, err)
	}
}

// waiting counts messages that are visible. Delayed and received messages do not count.
func (t *laneTest) waiting() {
	t.counts(0)
	t.send(append(numbered(3), lane.Message{Body: []byte("late"), Delay: time.Minute})...)
	t.counts(3)
	t.delete(t.receive(1)...)
	t.counts(2)
}

func (t *laneTest) counts(want int) {
	t.Helper()
	if got, err := t.lane.Waiting(t.Context()); err != nil || got != want {
		t.Errorf("got %d waiting messages and error %v, want %d", got, err, want)
	}
}
