// Package lanetest holds the tests that every lane must pass.
package lanetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
)

// Options configures the lane of a test. All times in the tests are a few whole seconds, so that a lane on AWS can pass
// them in real time.
type Options struct {
	// Visibility is how long a received message is hidden from other receivers.
	Visibility time.Duration
	// MaxReceiveCount is how often a message can be received before it becomes a dead letter.
	MaxReceiveCount int
}

// Open returns an empty lane and its dead-letter lane for a test. It closes them by t.Cleanup.
type Open func(t *testing.T, o Options) (consumer, deadLetters lane.Consumer)

// InTime runs a test, either in virtual time (synctest.Test) or in real time (RealTime).
type InTime func(t *testing.T, test func(t *testing.T))

// RealTime runs a test in real time.
func RealTime(t *testing.T, test func(t *testing.T)) { test(t) }

// Test checks that the lanes that open returns keep the promises of lane.Sender and lane.Consumer. Each subtest opens
// its own lane. A lane may deliver in any order. A message may come late, but not later than lanePatience.
func Test(t *testing.T, run InTime, open Open) {
	for _, c := range []struct {
		name string
		test func(*laneTest)
	}{
		{"a message arrives as it was sent", (*laneTest).arrivesAsSent},
		{"the bytes of a body arrive unchanged", (*laneTest).bytesUnchanged},
		{"more messages than one batch holds arrive once each", (*laneTest).manyMessages},
		{"messages that together exceed one batch's bytes arrive", (*laneTest).largeMessages},
		{"sending no messages is not an error", (*laneTest).sendNothing},
		{"a send whose context has ended sends nothing", (*laneTest).sendTooLate},
		{"a receive returns at most max messages", (*laneTest).atMostMax},
		{"a receive waits for a message", (*laneTest).receiveWaits},
		{"a receive ends with its context", (*laneTest).receiveEnds},
		{"a delayed message stays invisible for its delay", (*laneTest).delay},
		{"a delayed message does not delay others", (*laneTest).delayOfOthers},
		{"a received message is hidden and then comes back", (*laneTest).visibility},
		{"a deleted message never comes back", (*laneTest).deleted},
		{"a repeated, late or empty deletion is not an error", (*laneTest).deletedTwice},
		{"a message received too often becomes a dead letter", (*laneTest).deadLetter},
		{"a dead-letter lane can be used like any other lane", (*laneTest).deadLetterLane},
		{"only one of eight receivers gets a message", (*laneTest).eightReceivers},
		{"a message keeps ten attributes, also as a dead letter", (*laneTest).tenAttributes},
		{"the largest message arrives", (*laneTest).largest},
		{"a send with a message that Check refuses sends nothing", (*laneTest).refused},
		{"a message that is not an event becomes a dead letter with its reason", (*laneTest).buried},
		{"dead letters go back to their lane and lose their reason", (*laneTest).redriven},
		{"Waiting counts the visible messages", (*laneTest).waiting},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(t, func(t *testing.T) { c.test(openLane(t, open)) })
		})
	}
}

const (
	laneVisibility   = 3 * time.Second
	laneReceiveCount = 3
	lanePatience     = 20 * time.Second // how long a test waits for messages that must come
	laneQuiet        = time.Second      // how long a test waits for messages that must not come
)

// laneTest is a lane under test.
type laneTest struct {
	*testing.T
	lane, dead lane.Consumer
}

func openLane(t *testing.T, open Open) *laneTest {
	consumer, dead := open(t, Options{Visibility: laneVisibility, MaxReceiveCount: laneReceiveCount})
	return &laneTest{T: t, lane: consumer, dead: dead}
}

func (t *laneTest) arrivesAsSent() {
	before := time.Now()
	sent := lane.Message{
		ID: "ignored", Body: []byte(`{"delivery":"dlv_1"}`), Group: "wh_1",
		Attributes: map[string]string{lane.Reason: "invalid", lane.Detail: "type: ünknown <type>"},
	}
	t.send(sent)
	got := t.receive(1)[0]
	t.same(got, sent)
	if got.ID == "" || got.ID == sent.ID {
		t.Errorf("got id %q, want an id that the lane chose", got.ID)
	}
	if got.ReceiveCount != 1 {
		t.Errorf("got receive count %d, want 1", got.ReceiveCount)
	}
	if got.SentAt.Before(before.Add(-time.Minute)) || got.SentAt.After(time.Now().Add(time.Minute)) { // clocks differ
		t.Errorf("got sent at %v, want about %v", got.SentAt, before)
	}
}

func (t *laneTest) bytesUnchanged() {
	for _, body := range []string{
		"{\"n\":12345678901234567890.10,\n\t\"a\":1 , \"a\":2}",
		`{"s":"\ud800 \u0041 é 😀 <>&'` + "\u00a0\u2028" + `"}`,
		" leading and trailing ",
		"x",
		strings.Repeat("0123456789abcde\n", 250<<10>>4),
	} {
		t.send(lane.Message{Body: []byte(body)})
		got := t.receive(1)[0]
		if string(got.Body) != body {
			t.Errorf("got body of %d bytes %.60q, want %d bytes %.60q", len(got.Body), got.Body, len(body), body)
		}
		t.delete(got)
	}
}

// manyMessages sends more messages than one request to SQS may contain.
func (t *laneTest) manyMessages() {
	sent := numbered(3*limits.BatchSize + 5)
	t.send(sent...)
	t.sameBodies(t.receive(len(sent)), sent)
	t.nothingComes(t.lane)
}

// largeMessages sends more bytes than one request to SQS may contain, in messages that fit each.
func (t *laneTest) largeMessages() {
	var sent []lane.Message
	for _, digit := range "123456" {
		sent = append(sent, lane.Message{Body: []byte(strings.Repeat(string(digit), 250<<10))})
	}
	t.send(sent...)
	t.sameBodies(t.receive(len(sent)), sent)
}

func (t *laneTest) sendNothing() {
	t.send()
	t.nothingComes(t.lane)
}

// sendTooLate checks that a caller that has given up does not cause messages.
func (t *laneTest) sendTooLate() {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := t.lane.Send(ctx, numbered(1)...); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want %v", err, context.Canceled)
	}
	t.nothingComes(t.lane)
}

func (t *laneTest) atMostMax() {
	t.send(numbered(7)...)
	for _, most := range []int{1, 2} {
		got, err := t.lane.Receive(t.Context(), most)
		if err != nil || len(got) == 0 || len(got) > most {
			t.Errorf("got %d messages and error %v, want 1 to %d", len(got), err, most)
		}
	}
}

// receiveWaits sends a message while a call of Receive waits. A lane that returned at once would make its consumer poll.
func (t *laneTest) receiveWaits() {
	sent := make(chan error, 1)
	go func() {
		time.Sleep(time.Second)
		sent <- t.lane.Send(t.Context(), numbered(1)...)
	}()
	t.receive(1)
	if err := <-sent; err != nil {
		t.Errorf("Send: %v", err)
	}
}

// receiveEnds checks that a process can stop while its lane is empty.
func (t *laneTest) receiveEnds() {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if got, err := t.lane.Receive(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %d messages and error %v, want %v", len(got), err, context.DeadlineExceeded)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	t.send(numbered(1)...)
	if got, err := t.lane.Receive(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %d messages and error %v, want %v", len(got), err, context.Canceled)
	}
	t.receive(1) // the failed call of Receive did not take the message
}

func (t *laneTest) delay() {
	began := time.Now()
	t.send(lane.Message{Body: []byte("late"), Group: "wh_1", Delay: 3 * time.Second})
	t.nothingComes(t.lane)
	got := t.receive(1)[0]
	if waited := time.Since(began); waited < 3*time.Second {
		t.Errorf("the message came after %v, want 3s or more", waited)
	}
	if got.ReceiveCount != 1 || got.Group != "wh_1" {
		t.Errorf("got receive count %d and group %q, want 1 and wh_1", got.ReceiveCount, got.Group)
	}
}

// delayOfOthers first sends a message with the longest delay. A lane that kept the order would hold the others back.
func (t *laneTest) delayOfOthers() {
	began := time.Now()
	t.send(
		lane.Message{Body: []byte("late"), Delay: 900 * time.Second},
		lane.Message{Body: []byte("soon"), Delay: 2 * time.Second},
		lane.Message{Body: []byte("now")})
	var got []string
	for _, m := range t.receive(2) {
		got = append(got, string(m.Body))
	}
	if want := []string{"now", "soon"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if waited := time.Since(began); waited < 2*time.Second {
		t.Errorf("the last message came after %v, want 2s or more", waited)
	}
}

// visibility receives a message without deleting it, as a consumer does that dies or fails.
func (t *laneTest) visibility() {
	sent := lane.Message{Body: []byte("again"), Group: "wh_1", Attributes: map[string]string{"a": "b"}}
	t.send(sent)
	first := t.receive(1)[0]
	began := time.Now()
	t.nothingComes(t.lane)
	second := t.receive(1)[0]
	if hidden := time.Since(began); hidden < laneVisibility-time.Second {
		t.Errorf("the message was hidden for %v, want about %v", hidden, laneVisibility)
	}
	t.same(second, sent)
	if second.ReceiveCount != 2 {
		t.Errorf("got receive count %d, want 2", second.ReceiveCount)
	}
	if second.ID != first.ID || !second.SentAt.Equal(first.SentAt) {
		t.Errorf("got id %s sent at %v, want %s sent at %v", second.ID, second.SentAt, first.ID, first.SentAt)
	}
}

func (t *laneTest) deleted() {
	sent := numbered(6)
	t.send(sent...)
	received := t.receive(6)
	t.delete(received[1], received[3], received[5])
	kept := []lane.Message{received[0], received[2], received[4]}
	t.sameBodies(t.receive(3), kept)
	t.nothingComes(t.lane)
}

// deletedTwice repeats deletions as a consumer does that has not received the answer. They must not delete a new message.
func (t *laneTest) deletedTwice() {
	t.send(numbered(2)...)
	received := t.receive(2)
	t.delete(received[0])
	t.delete(received[0], received[1], received[1])
	t.delete()
	t.send(numbered(1)...)
	again := t.receive(1) // a new message, which has another id
	t.delete(received...)
	time.Sleep(laneVisibility)
	if got := t.receive(1); got[0].ID != again[0].ID {
		t.Errorf("got message %s, want %s", got[0].ID, again[0].ID)
	}
}

// deadLetter receives a message as often as the lane allows. The message must then move to the dead-letter lane unchanged,
// with its id and its attributes.
func (t *laneTest) deadLetter() {
	sent := lane.Message{
		Body: []byte(`{"poison": 1}`), Group: "wh_1",
		Attributes: map[string]string{lane.Traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
	}
	t.send(sent)
	id := ""
	for n := range laneReceiveCount {
		m := t.receive(1)[0]
		if m.ReceiveCount != n+1 {
			t.Errorf("got receive count %d, want %d", m.ReceiveCount, n+1)
		}
		id = m.ID
		t.nothingComes(t.dead)
	}
	time.Sleep(laneVisibility)
	t.nothingComes(t.lane)
	dead := receive(t, t.dead, 1)[0]
	t.same(dead, sent)
	if dead.ID != id {
		t.Errorf("got id %s, want %s", dead.ID, id)
	}
	t.delete(dead) // a deletion from its former lane must not delete the dead letter
	time.Sleep(laneVisibility)
	dead = receive(t, t.dead, 1)[0]
	if err := t.dead.Delete(t.Context(), dead.ID); err != nil {
		t.Errorf("Delete: %v", err)
	}
}

// deadLetterLane uses the dead-letter lane directly, as fan-out does when it buries a message.
func (t *laneTest) deadLetterLane() {
	sent := lane.Message{Body: []byte("{"), Attributes: map[string]string{lane.Reason: "malformed", lane.Truncated: "true"}}
	if err := t.dead.Send(t.Context(), sent); err != nil {
		t.Fatalf("Send: %v", err)
	}
	t.nothingComes(t.lane)
	got := receive(t, t.dead, 1)[0]
	t.same(got, sent)
	if err := t.dead.Delete(t.Context(), got.ID); err != nil {
		t.Errorf("Delete: %v", err)
	}
	time.Sleep(laneVisibility)
	t.nothingComes(t.dead)
}

// eightReceivers lets eight consumers compete, as concurrent functions do.
func (t *laneTest) eightReceivers() {
	sent := numbered(100)
	t.send(sent...)
	ctx, cancel := context.WithTimeout(t.Context(), 2*laneVisibility)
	defer cancel()
	got := make(chan lane.Message)
	for range 8 {
		go func() {
			for {
				batch, err := t.lane.Receive(ctx, 3)
				if err != nil {
					got <- lane.Message{}
					return
				}
				for _, m := range batch {
					got <- m
					if err := t.lane.Delete(ctx, m.ID); err != nil {
						t.Errorf("Delete: %v", err)
					}
				}
			}
		}()
	}
	var all []lane.Message
	for ended := 0; ended < 8; {
		if m := <-got; m.ID == "" {
			ended++
		} else {
			all = append(all, m)
		}
	}
	t.sameBodies(all, sent)
}
