package sqlite_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/lanetest"
	"nepenthes/shared/limits"
	"nepenthes/shared/sqlite"
)

var places = []struct {
	name   string
	folder func(t *testing.T) string
}{
	{"in memory", func(*testing.T) string { return "" }},
	{"in a file", func(t *testing.T) string { return t.TempDir() }},
}

func TestLaneConformance(t *testing.T) {
	for _, place := range places {
		t.Run(place.name, func(t *testing.T) {
			lanetest.Test(t, synctest.Test, func(t *testing.T, o lanetest.Options) (_, _ lane.Consumer) {
				options := sqlite.LaneOptions{Visibility: o.Visibility, MaxReceiveCount: o.MaxReceiveCount}
				db := mustOpen(t, place.folder(t), sqlite.Options{Lanes: map[lane.Name]sqlite.LaneOptions{
					lane.Deliveries: options, lane.Deliveries.DeadLetters(): {Visibility: o.Visibility},
				}})
				return db.Lane(lane.Deliveries), db.Lane(lane.Deliveries.DeadLetters())
			})
		})
	}
}

// mustOpen opens a database that is closed at the end of the test.
func mustOpen(t testing.TB, folder string, options sqlite.Options) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(folder, options)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return db
}

// deliveries opens a database in memory and returns its lane of deliveries.
func deliveries(t *testing.T, options sqlite.LaneOptions) *sqlite.Lane {
	t.Helper()
	lanes := map[lane.Name]sqlite.LaneOptions{lane.Deliveries: options}
	return mustOpen(t, "", sqlite.Options{Lanes: lanes}).Lane(lane.Deliveries)
}

func send(t *testing.T, l *sqlite.Lane, messages ...lane.Message) {
	t.Helper()
	if err := l.Send(t.Context(), messages...); err != nil {
		t.Fatalf("Send: %v", err)
	}
}

func receive(t *testing.T, l *sqlite.Lane, most int) []lane.Message {
	t.Helper()
	got, err := l.Receive(t.Context(), most)
	if err != nil {
		t.Fatalf("Receive: %v", err)
	}
	return got
}

// visible receives the messages that are visible at this instant of virtual time, which may be none.
func visible(t *testing.T, l *sqlite.Lane, most int) []lane.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	got, err := l.Receive(ctx, most)
	if err != nil && ctx.Err() == nil {
		t.Fatalf("Receive: %v", err)
	}
	return got
}

func remove(t *testing.T, l *sqlite.Lane, messages ...lane.Message) {
	t.Helper()
	for _, m := range messages {
		if err := l.Delete(t.Context(), m.ID); err != nil {
			t.Fatalf("Delete: %v", err)
		}
	}
}

// grouped returns n messages of a group.
func grouped(group string, n int) []lane.Message {
	messages := make([]lane.Message, n)
	for i := range messages {
		messages[i] = lane.Message{Body: fmt.Appendf(nil, "%s %d", group, i), Group: group}
	}
	return messages
}

// groups returns the number of messages of each group.
func groups(messages []lane.Message) map[string]int {
	count := map[string]int{}
	for _, m := range messages {
		count[m.Group]++
	}
	return count
}

func TestLaneShares(t *testing.T) {
	for _, c := range []struct {
		slots, want int
	}{{100, 10}, {10, 1}, {3, 1}, {0, 10}, {250, 25}} {
		t.Run(fmt.Sprintf("a group has %[2]d of %[1]d slots", c.slots, c.want), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := deliveries(t, sqlite.LaneOptions{Slots: c.slots})
				send(t, l, grouped("noisy", 2000)...)
				if got := len(visible(t, l, 1000)); got != c.want {
					t.Errorf("got %d messages in flight, want %d", got, c.want)
				}
			})
		})
	}
	for _, c := range []struct {
		name string
		test func(t *testing.T, l *sqlite.Lane)
	}{
		{"a group at its share does not delay another", func(t *testing.T, l *sqlite.Lane) {
			send(t, l, grouped("noisy", 2000)...)
			send(t, l, grouped("calm", 3)...)
			send(t, l, grouped("", 3)...)
			got := groups(visible(t, l, 100))
			if got["noisy"] != 10 || got["calm"] != 3 || got[""] != 3 {
				t.Errorf("got %v, want 10 noisy, 3 calm and 3 without a group", got)
			}
		}},
		{"groups take turns", func(t *testing.T, l *sqlite.Lane) {
			send(t, l, grouped("noisy", 2000)...)
			send(t, l, grouped("calm", 2)...)
			if got := groups(receive(t, l, 4)); got["noisy"] != 2 || got["calm"] != 2 {
				t.Errorf("got %v, want 2 of each", got)
			}
		}},
		{"messages without a group have no share", func(t *testing.T, l *sqlite.Lane) {
			send(t, l, grouped("", 300)...)
			if got := len(receive(t, l, 300)); got != 300 {
				t.Errorf("got %d, want 300", got)
			}
		}},
		{"a deletion makes the next message of the group available at once", func(t *testing.T, l *sqlite.Lane) {
			send(t, l, grouped("noisy", 12)...)
			inFlight := receive(t, l, 100)
			began, came := time.Now(), make(chan int, 1)
			go func() { came <- len(receive(t, l, 100)) }()
			synctest.Wait()
			remove(t, l, inFlight[0])
			if got := <-came; got != 1 || time.Since(began) != 0 {
				t.Errorf("got %d after %v, want 1 at once", got, time.Since(began))
			}
		}},
		{"a message that is visible again does not count as in flight", func(t *testing.T, l *sqlite.Lane) {
			send(t, l, grouped("noisy", 25)...)
			receive(t, l, 100)
			time.Sleep(limits.Visibility(limits.SenderTimeout))
			if got := len(visible(t, l, 100)); got != 10 {
				t.Errorf("got %d, want 10", got)
			}
		}},
		{"a group starts again after all of its messages are deleted", func(t *testing.T, l *sqlite.Lane) {
			for range 3 {
				send(t, l, grouped("noisy", 15)...)
				for _, want := range []int{10, 5} {
					got := visible(t, l, 100)
					if len(got) != want {
						t.Fatalf("got %d, want %d", len(got), want)
					}
					remove(t, l, got...)
				}
			}
		}},
		{"a delayed message of a group counts once it is visible", func(t *testing.T, l *sqlite.Lane) {
			late := grouped("noisy", 12)
			for i := range late {
				late[i].Delay = time.Minute
			}
			send(t, l, late...)
			send(t, l, grouped("noisy", 3)...)
			if got := len(visible(t, l, 100)); got != 3 {
				t.Errorf("got %d, want 3", got)
			}
			time.Sleep(time.Minute)
			if got := len(visible(t, l, 100)); got != 7 {
				t.Errorf("got %d, want 7", got)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { c.test(t, deliveries(t, sqlite.LaneOptions{Slots: 100})) })
		})
	}
}

func TestLaneWakes(t *testing.T) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, l *sqlite.Lane)
	}{
		{"every waiting receiver, one after another", func(t *testing.T, l *sqlite.Lane) {
			began, came := time.Now(), make(chan int)
			for range 5 {
				go func() { came <- len(receive(t, l, 1)) }()
			}
			synctest.Wait()
			send(t, l, grouped("", 5)...)
			for range 5 {
				<-came
			}
			if waited := time.Since(began); waited != 0 {
				t.Errorf("the last message came after %v, want 0", waited)
			}
		}},
		{"when a delay ends, to the microsecond", func(t *testing.T, l *sqlite.Lane) {
			began := time.Now()
			send(t, l, lane.Message{Body: []byte("b"), Delay: 7 * time.Minute},
				lane.Message{Body: []byte("a"), Delay: 1500 * time.Microsecond})
			remove(t, l, receive(t, l, 10)...)
			if waited := time.Since(began); waited != 1500*time.Microsecond {
				t.Errorf("the first came after %v, want 1.5ms", waited)
			}
			receive(t, l, 10)
			if waited := time.Since(began); waited != 7*time.Minute {
				t.Errorf("the second came after %v, want 7m", waited)
			}
		}},
		{"for a delay that ends before the delay it waits for", func(t *testing.T, l *sqlite.Lane) {
			began, came := time.Now(), make(chan struct{})
			send(t, l, lane.Message{Body: []byte("late"), Delay: time.Hour / 4})
			go func() { receive(t, l, 1); close(came) }()
			synctest.Wait()
			send(t, l, lane.Message{Body: []byte("soon"), Delay: time.Second})
			<-came
			if waited := time.Since(began); waited != time.Second {
				t.Errorf("came after %v, want 1s", waited)
			}
		}},
		{"when a message is visible again", func(t *testing.T, l *sqlite.Lane) {
			send(t, l, grouped("", 1)...)
			receive(t, l, 1)
			began := time.Now()
			receive(t, l, 1)
			if waited := time.Since(began); waited != limits.Visibility(limits.SenderTimeout) {
				t.Errorf("came after %v, want %v", waited, limits.Visibility(limits.SenderTimeout))
			}
		}},
		{"another receiver if the first one has gone", func(t *testing.T, l *sqlite.Lane) {
			for range 100 {
				ctx, cancel := context.WithCancel(t.Context())
				gone, came := make(chan int, 1), make(chan int, 1)
				go func() { got, _ := l.Receive(ctx, 1); gone <- len(got) }()
				synctest.Wait()
				go cancel()
				send(t, l, grouped("", 1)...)
				go func() { came <- len(visible(t, l, 1)) }()
				if got := <-gone + <-came; got != 1 {
					t.Fatalf("got %d messages, want 1", got)
				}
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { c.test(t, deliveries(t, sqlite.LaneOptions{})) })
		})
	}
}

func TestLaneCopies(t *testing.T) {
	l := deliveries(t, sqlite.LaneOptions{})
	sent := lane.Message{Body: []byte("body"), Attributes: map[string]string{"k": "v"}}
	send(t, l, sent)
	copy(sent.Body, "xxxx")
	sent.Attributes["k"] = "x"
	if got := receive(t, l, 1)[0]; string(got.Body) != "body" || got.Attributes["k"] != "v" {
		t.Errorf("got body %q and attributes %v, want those that were sent", got.Body, got.Attributes)
	}
}

func TestLaneBacklogLargerThanMemory(t *testing.T) {
	l := deliveries(t, sqlite.LaneOptions{})
	const n = 60 // of 256 KiB each
	for i := range n {
		send(t, l, lane.Message{Body: bytes.Repeat([]byte{byte('A' + i)}, 256<<10)})
	}
	for i := range n {
		got := receive(t, l, 1)[0]
		if want := bytes.Repeat([]byte{byte('A' + i)}, 256<<10); !bytes.Equal(got.Body, want) {
			t.Fatalf("message %d: got %d bytes %.10q, want %d bytes %.10q", i, len(got.Body), got.Body, len(want), want)
		}
		remove(t, l, got)
	}
}

func TestLaneNames(t *testing.T) {
	db := mustOpen(t, "", sqlite.Options{})
	names := lane.Names()
	for _, name := range lane.Names() {
		names = append(names, name.DeadLetters())
	}
	for _, name := range names {
		send(t, db.Lane(name), lane.Message{Body: []byte(name)})
	}
	for _, name := range names {
		if got := receive(t, db.Lane(name), 10); len(got) != 1 || string(got[0].Body) != string(name) {
			t.Errorf("lane %s: got %v, want its only message", name, got)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a lane with another name: got no panic")
		}
	}()
	db.Lane("other")
}

func TestDeadLettersNeverDie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := mustOpen(t, "", sqlite.Options{})
		dead := db.Lane(lane.Events.DeadLetters())
		send(t, dead, lane.Message{Body: []byte("{")})
		for n := range 3 * limits.MaxReceiveCount {
			if got := receive(t, dead, 1)[0].ReceiveCount; got != n+1 {
				t.Fatalf("got receive count %d, want %d", got, n+1)
			}
		}
	})
}

func TestLaneAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, err := sqlite.Open("", sqlite.Options{})
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		l := db.Lane(lane.Events)
		waiting := make(chan error)
		go func() { _, err := l.Receive(t.Context(), 1); waiting <- err }()
		synctest.Wait()
		send(t, db.Lane(lane.Retries), grouped("", 1)...)
		if err := db.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		_, receiving := db.Lane(lane.Retries).Receive(t.Context(), 1)
		for name, err := range map[string]error{
			"a waiting receive": <-waiting,
			"receive":           receiving,
			"send":              l.Send(t.Context(), grouped("", 1)...),
			"delete":            l.Delete(t.Context(), "1"),
		} {
			if !fault.Is(err, fault.Unavailable) {
				t.Errorf("%s: got error %v, want %v", name, err, fault.Unavailable)
			}
		}
	})
}

func TestLaneRestart(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after func(t *testing.T, l, dead *sqlite.Lane)
	}{
		{
			"a received message is visible at once, with an unchanged receive count",
			func(t *testing.T, l, _ *sqlite.Lane) {
				send(t, l, grouped("wh_1", 3)...)
				receive(t, l, 3)
			},
			func(t *testing.T, l, _ *sqlite.Lane) {
				for _, m := range visible(t, l, 10) {
					if m.ReceiveCount != 1 || m.Group != "wh_1" || !strings.HasPrefix(string(m.Body), "wh_1 ") {
						t.Errorf("got %+v, want the message as it was", m)
					}
				}
			},
		},
		{
			"earlier receives without a deletion still count",
			func(t *testing.T, l, _ *sqlite.Lane) {
				send(t, l, grouped("", 1)...)
				for range 4 { // the last one is interrupted
					receive(t, l, 1)
				}
			},
			func(t *testing.T, l, dead *sqlite.Lane) {
				if got := visible(t, l, 1); len(got) != 1 || got[0].ReceiveCount != 4 {
					t.Fatalf("got %+v, want one message, received the fourth time", got)
				}
				for want := 5; want <= limits.MaxReceiveCount; want++ {
					if got := receive(t, l, 1)[0].ReceiveCount; got != want {
						t.Errorf("got receive count %d, want %d", got, want)
					}
				}
				time.Sleep(limits.Visibility(limits.SenderTimeout))
				if got := visible(t, l, 1); len(got) != 0 {
					t.Errorf("got %+v, want none", got)
				}
				receive(t, dead, 1)
			},
		},
		{
			"a delay continues",
			func(t *testing.T, l, _ *sqlite.Lane) {
				send(t, l, lane.Message{Body: []byte("a"), Delay: 10 * time.Second})
				time.Sleep(4 * time.Second)
			},
			func(t *testing.T, l, _ *sqlite.Lane) {
				began := time.Now()
				receive(t, l, 1)
				if waited := time.Since(began); waited != 6*time.Second {
					t.Errorf("came after %v, want 6s", waited)
				}
			},
		},
		{
			"deleted messages stay deleted",
			func(t *testing.T, l, _ *sqlite.Lane) {
				send(t, l, grouped("", 3)...)
				remove(t, l, receive(t, l, 2)...)
			},
			func(t *testing.T, l, _ *sqlite.Lane) {
				if got := visible(t, l, 10); len(got) != 1 || string(got[0].Body) != " 2" {
					t.Errorf("got %+v, want the third message", got)
				}
			},
		},
		{
			"a dead letter stays a dead letter, with its attributes",
			func(t *testing.T, _, dead *sqlite.Lane) {
				send(t, dead, lane.Message{Body: []byte("{"), Attributes: map[string]string{lane.Reason: "malformed"}})
			},
			func(t *testing.T, l, dead *sqlite.Lane) {
				if got := visible(t, dead, 10); len(got) != 1 || got[0].Attributes[lane.Reason] != "malformed" {
					t.Errorf("got %+v, want the dead letter", got)
				}
			},
		},
		{
			"new messages get new ids",
			func(t *testing.T, l, _ *sqlite.Lane) {
				send(t, l, grouped("", 2)...)
				remove(t, l, receive(t, l, 2)[1])
			},
			func(t *testing.T, l, _ *sqlite.Lane) {
				send(t, l, grouped("", 1)...)
				got := receive(t, l, 2)
				if got[0].ID == got[1].ID {
					t.Errorf("got id %s twice", got[0].ID)
				}
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				folder := t.TempDir()
				db, err := sqlite.Open(folder, sqlite.Options{})
				if err != nil {
					t.Fatalf("Open: %v", err)
				}
				c.before(t, db.Lane(lane.Deliveries), db.Lane(lane.Deliveries.DeadLetters()))
				if err := db.Close(); err != nil {
					t.Fatalf("Close: %v", err)
				}
				db = mustOpen(t, folder, sqlite.Options{})
				c.after(t, db.Lane(lane.Deliveries), db.Lane(lane.Deliveries.DeadLetters()))
			})
		})
	}
}
