package lanetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
)

// numbered returns n messages with different bodies.
func numbered(n int) []lane.Message {
	messages := make([]lane.Message, n)
	for i := range messages {
		messages[i].Body = fmt.Appendf(nil, "message %d", i)
	}
	return messages
}

func (t *laneTest) send(messages ...lane.Message) {
	t.Helper()
	if err := t.lane.Send(t.Context(), messages...); err != nil {
		t.Fatalf("Send: %v", err)
	}
}

func (t *laneTest) delete(messages ...lane.Message) {
	t.Helper()
	ids := make([]string, len(messages))
	for i, m := range messages {
		ids[i] = m.ID
	}
	if err := t.lane.Delete(t.Context(), ids...); err != nil {
		t.Fatalf("Delete: %v", err)
	}
}

func (t *laneTest) receive(n int) []lane.Message {
	t.Helper()
	return receive(t, t.lane, n)
}

// receive receives exactly n messages, in as many calls of Receive as necessary.
func receive(t *laneTest, from lane.Consumer, n int) (all []lane.Message) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lanePatience)
	defer cancel()
	for len(all) < n {
		batch, err := from.Receive(ctx, min(n-len(all), limits.BatchSize))
		if err != nil {
			t.Fatalf("Receive after %d of %d messages: %v", len(all), n, err)
		}
		all = append(all, batch...)
	}
	return all
}

// nothingComes checks that no message can be received within laneQuiet.
func (t *laneTest) nothingComes(from lane.Consumer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), laneQuiet)
	defer cancel()
	if got, err := from.Receive(ctx, 1); err == nil {
		t.Fatalf("got message %s %.60q, want none", got[0].ID, got[0].Body)
	} else if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Receive: %v", err)
	}
}

// same checks the fields of a message that its sender set, except Delay, which a receiver does not see.
func (t *laneTest) same(got, want lane.Message) {
	t.Helper()
	if string(got.Body) != string(want.Body) || got.Group != want.Group || !maps.Equal(got.Attributes, want.Attributes) {
		t.Errorf("got body %q, group %q, attributes %q; want %q, %q, %q",
			got.Body, got.Group, got.Attributes, want.Body, want.Group, want.Attributes)
	}
}

// sameBodies checks that got has the bodies of want, in any order. It counts a body that occurs several times.
func (t *laneTest) sameBodies(got, want []lane.Message) {
	t.Helper()
	if got, want := bodies(got), bodies(want); !slices.Equal(got, want) {
		t.Errorf("got %d bodies %.200q, want %d %.200q", len(got), got, len(want), want)
	}
}

func bodies(messages []lane.Message) []string {
	texts := make([]string, len(messages))
	for i, m := range messages {
		texts[i] = string(m.Body)
	}
	slices.Sort(texts)
	return texts
}
