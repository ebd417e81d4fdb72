package sqlite_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nepenthes/shared/lane"
	"nepenthes/shared/sqlite"
)

// modelMessage is what a lane should know about a message, in the simplest form.
type modelMessage struct {
	body, group string
	visibleAt   time.Time
	received    int
	inFlight    bool // received and not visible again yet
	id          string
}

// modelLane is a lane as a list. Messages may come in any order. It says which messages may be received and how many must
// be.
type modelLane struct {
	share, maxReceives int
	visibility         time.Duration
	messages           []*modelMessage
}

// show ends the visibility timeouts that have passed.
func (m *modelLane) show(now time.Time) {
	for _, msg := range m.messages {
		if !msg.visibleAt.After(now) {
			msg.inFlight = false
		}
	}
}

func (m *modelLane) visible(now time.Time) (all []*modelMessage) {
	for _, msg := range m.messages {
		if !msg.visibleAt.After(now) {
			all = append(all, msg)
		}
	}
	return all
}

// available returns how many messages can be received now, given the share of each group.
func (m *modelLane) available(now time.Time) (n int) {
	room := map[string]int{}
	for _, msg := range m.messages {
		if msg.inFlight {
			room[msg.group]--
		}
	}
	for _, msg := range m.visible(now) {
		if room[msg.group]+m.share > 0 || msg.group == "" {
			n++
		}
		room[msg.group]--
	}
	return n
}

func (m *modelLane) find(body string) *modelMessage {
	for _, msg := range m.messages {
		if msg.body == body {
			return msg
		}
	}
	return nil
}

func (m *modelLane) drop(gone *modelMessage) {
	m.messages = slices.DeleteFunc(m.messages, func(msg *modelMessage) bool { return msg == gone })
}

// laneMachine drives a lane and its model through the same steps.
type laneMachine struct {
	model      modelLane
	lane, dead *sqlite.Lane
	sent       int
	known      []string // ids that were received, even if deleted since
}

func (m *laneMachine) send(t *rapid.T) {
	var messages []lane.Message
	now := time.Now()
	for range rapid.IntRange(1, 6).Draw(t, "messages") {
		m.sent++
		message := lane.Message{
			Body:  fmt.Appendf(nil, "message %d", m.sent),
			Group: rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "group"),
			Delay: rapid.SampledFrom([]time.Duration{0, 0, 0, time.Millisecond, 5 * time.Second, time.Minute}).Draw(t, "delay"),
		}
		messages = append(messages, message)
		m.model.messages = append(m.model.messages,
			&modelMessage{body: string(message.Body), group: message.Group, visibleAt: now.Add(message.Delay)})
	}
	if err := m.lane.Send(t.Context(), messages...); err != nil {
		t.Fatalf("Send: %v", err)
	}
}

func (m *laneMachine) receive(t *rapid.T) {
	most := rapid.IntRange(1, 10).Draw(t, "max")
	m.model.show(time.Now())
	before := m.model.available(time.Now())
	got := receiveNow(t, m.lane, most)
	now := time.Now() // the time at which the messages were received
	m.model.show(now)
	available := m.model.available(now)
	dead := receiveNow(t, m.dead, 1000)
	for _, message := range dead {
		m.checkDead(t, message, now)
	}
	for _, message := range got {
		m.checkReceived(t, message, now)
	}
	switch want := min(most, available); {
	case len(got) > want, len(got) > 0 && len(got) < want && len(dead) == 0:
		t.Fatalf("received %d messages and %d dead letters, want %d", len(got), len(dead), want)
	case len(got) == 0 && before > len(dead):
		t.Fatalf("received nothing and %d dead letters, want %d", len(dead), before)
	}
}

// checkReceived checks a message that was received and updates the model.
func (m *laneMachine) checkReceived(t *rapid.T, message lane.Message, now time.Time) {
	want := m.model.find(string(message.Body))
	switch {
	case want == nil:
		t.Fatalf("received %q, which is deleted, dead or was never sent", message.Body)
	case want.visibleAt.After(now):
		t.Fatalf("received %q, which is hidden until %v", message.Body, want.visibleAt)
	case want.id != "" && want.id != message.ID:
		t.Fatalf("received %q with id %s, want %s as before", message.Body, message.ID, want.id)
	case message.ReceiveCount != want.received+1 || message.Group != want.group:
		t.Fatalf("received %+v, want count %d and group %q", message, want.received+1, want.group)
	case want.received == m.model.maxReceives:
		t.Fatalf("received %q too often", message.Body)
	}
	want.id, want.inFlight, want.visibleAt = message.ID, true, now.Add(m.model.visibility)
	want.received++
	m.known = append(m.known, message.ID)
	inFlight := 0
	for _, msg := range m.model.messages {
		if msg.inFlight && msg.group == want.group {
			inFlight++
		}
	}
	if want.group != "" && inFlight > m.model.share {
		t.Fatalf("group %s has %d messages in flight, its share is %d", want.group, inFlight, m.model.share)
	}
}

// checkDead checks a message of the dead-letter lane and updates the model.
func (m *laneMachine) checkDead(t *rapid.T, message lane.Message, now time.Time) {
	want := m.model.find(string(message.Body))
	if want == nil || want.received != m.model.maxReceives || want.visibleAt.After(now) || want.id != message.ID {
		t.Fatalf("%+v is a dead letter, but the model has %+v", message, want)
	}
	m.model.drop(want)
	if err := m.dead.Delete(t.Context(), message.ID); err != nil {
		t.Fatalf("Delete: %v", err)
	}
}

func (m *laneMachine) delete(t *rapid.T) {
	if len(m.known) == 0 {
		t.Skip("nothing has been received yet")
	}
	ids := rapid.SliceOfN(rapid.SampledFrom(m.known), 1, 4).Draw(t, "ids")
	if err := m.lane.Delete(t.Context(), ids...); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	for _, id := range ids {
		for _, msg := range slices.Clone(m.model.messages) {
			if msg.id == id {
				m.model.drop(msg)
			}
		}
	}
}

func (m *laneMachine) wait(t *rapid.T) {
	time.Sleep(rapid.SampledFrom([]time.Duration{
		time.Millisecond, time.Second, 10*time.Second - 1, 10 * time.Second, time.Minute,
	}).Draw(t, "time"))
}

// receiveNow receives the messages that are visible. If there are none, it waits a nanosecond.
func receiveNow(t *rapid.T, l *sqlite.Lane, most int) []lane.Message {
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	got, err := l.Receive(ctx, most)
	if err != nil && ctx.Err() == nil {
		t.Fatalf("Receive: %v", err)
	}
	return got
}

// TestLaneModel compares a lane with its model in random steps.
func TestLaneModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rapid.SyncTest(t, func(t *rapid.T) {
			const visibility, receives = 10 * time.Second, 3
			db, err := sqlite.Open("", sqlite.Options{Lanes: map[lane.Name]sqlite.LaneOptions{
				lane.Retries: {Slots: 30, Visibility: visibility, MaxReceiveCount: receives},
			}})
			if err != nil {
				t.Fatalf("Open: %v", err)
			}
			defer db.Close()
			m := &laneMachine{
				model: modelLane{share: 3, maxReceives: receives, visibility: visibility},
				lane:  db.Lane(lane.Retries), dead: db.Lane(lane.Retries.DeadLetters()),
			}
			t.Repeat(map[string]func(*rapid.T){"send": m.send, "receive": m.receive, "delete": m.delete, "wait": m.wait})
		})
	})
}
