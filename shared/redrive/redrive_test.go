package redrive_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nepenthes/shared/lane"
	"nepenthes/shared/redrive"
	"nepenthes/shared/sqlite"
)

var errKilled = errors.New("killed")

// mortal has both lanes of a redrive in a process that is killed at one of its steps.
type mortal struct {
	redrive.Source
	to    redrive.Destination
	steps int  // steps made so far
	dies  int  // the number of the step, counted from 1; 0 means never
	after bool // the process is killed after the step instead of before it
}

// step makes a step unless the process was killed before it. A process that is killed after a step does not learn its
// result.
func (m *mortal) step(do func() error) error {
	m.steps++
	if m.dies > 0 && (m.steps > m.dies || m.steps == m.dies && !m.after) {
		return errKilled
	}
	if err := do(); err != nil || m.steps != m.dies {
		return err
	}
	return errKilled
}

func (m *mortal) Receive(ctx context.Context, max int) (got []lane.Message, err error) {
	err = m.step(func() (err error) { got, err = m.Source.Receive(ctx, max); return err })
	return got, err
}

func (m *mortal) Delete(ctx context.Context, ids ...string) error {
	return m.step(func() error { return m.Source.Delete(ctx, ids...) })
}

func (m *mortal) Send(ctx context.Context, messages ...lane.Message) error {
	return m.step(func() error { return m.to.Send(ctx, messages...) })
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestKilledAtEveryStep kills a redrive before and after each of its steps. A second process then opens the same folder
// and redrives again. After that every message must be in the lane, and none may be a dead letter.
func TestKilledAtEveryStep(t *testing.T) {
	const letters, steps = 15, 6 // two batches of three steps
	for dies := 1; dies <= steps; dies++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("step %d, after it: %v", dies, after), func(t *testing.T) {
				folder := t.TempDir()
				db := reopened(t, nil, folder)
				dead := db.Lane(lane.Events.DeadLetters())
				for i := range letters {
					must(t, dead.Send(t.Context(), lane.Message{Body: fmt.Append(nil, i), Attributes: map[string]string{lane.Reason: "invalid"}}))
				}
				m := &mortal{Source: dead, to: db.Lane(lane.Events), dies: dies, after: after}
				if _, err := redrive.Move(t.Context(), m, m); !errors.Is(err, errKilled) {
					t.Fatalf("got error %v after %d steps, want %v", err, m.steps, errKilled)
				}
				db = reopened(t, db, folder)
				_, err := redrive.Move(t.Context(), db.Lane(lane.Events.DeadLetters()), db.Lane(lane.Events))
				must(t, err)
				arrived := map[string]bool{}
				for left := waiting(t, db.Lane(lane.Events)); left > 0; {
					got, err := db.Lane(lane.Events).Receive(t.Context(), left)
					must(t, err)
					for _, m := range got {
						arrived[string(m.Body)] = true
					}
					left -= len(got)
				}
				if len(arrived) != letters || waiting(t, db.Lane(lane.Events.DeadLetters())) != 0 {
					t.Errorf("%d of %d messages arrived and %d are dead letters, want all and none",
						len(arrived), letters, waiting(t, db.Lane(lane.Events.DeadLetters())))
				}
				must(t, db.Close())
			})
		}
	}
}

func reopened(t *testing.T, db *sqlite.DB, folder string) *sqlite.DB {
	t.Helper()
	if db != nil {
		must(t, db.Close())
	}
	db, err := sqlite.Open(folder, sqlite.Options{})
	must(t, err)
	return db
}

func waiting(t *testing.T, l *sqlite.Lane) int {
	t.Helper()
	n, err := l.Waiting(t.Context())
	must(t, err)
	return n
}

func TestInterruptedMove(t *testing.T) {
	db := reopened(t, nil, "")
	dead := db.Lane(lane.Retries.DeadLetters())
	for range 25 {
		must(t, dead.Send(t.Context(), lane.Message{Body: []byte("x")}))
	}
	ctx, interrupt := context.WithCancel(t.Context())
	moved, err := redrive.Move(ctx, dead, interrupting{db.Lane(lane.Retries), interrupt})
	if !errors.Is(err, context.Canceled) || moved.Total() != 10 {
		t.Errorf("moved %d messages with error %v, want the first batch of 10 and %v", moved.Total(), err, context.Canceled)
	}
	if got := waiting(t, db.Lane(lane.Retries)); got != 10 {
		t.Errorf("%d messages arrived, want 10", got)
	}
}

// interrupting is a lane that calls interrupt at the end of each Send, as if the user had pressed Ctrl-C.
type interrupting struct {
	redrive.Destination
	interrupt func()
}

func (i interrupting) Send(ctx context.Context, messages ...lane.Message) error {
	defer i.interrupt()
	return i.Destination.Send(ctx, messages...)
}

func TestReport(t *testing.T) {
	many := redrive.Moved{}
	for i := range 23 {
		many[redrive.Cause{Reason: "malformed", Detail: fmt.Sprintf("malformed at line 1, column %02d", i)}]++
	}
	for name, c := range map[string]struct {
		moved redrive.Moved
		want  string
	}{
		"nothing": {redrive.Moved{}, "events has no dead letters that can be moved now"},
		"one":     {redrive.Moved{{}: 1}, "1 message went back to events\n  1: failed 10 times, no reason given"},
		"several causes, the most frequent first": {
			redrive.Moved{{"id_conflict", "id_conflict"}: 2, {}: 3, {"invalid", "data: It is required."}: 2, {"too_large", ""}: 1},
			"8 messages went back to events\n  3: failed 10 times, no reason given\n  2: id_conflict\n  2: invalid: data: It is required.\n  1: too_large",
		},
		"attributes set by a producer": {
			redrive.Moved{{"\x1b[2J", "a\nb\u202e" + strings.Repeat("x", 1000)}: 1},
			"1 message went back to events\n  1: \ufffd[2J: a\ufffdb\ufffd" + strings.Repeat("x", 300-len("?[2J: a?b?")) + "…",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, c.moved.Report(lane.Events)); diff != "" {
				t.Error(diff)
			}
		})
	}
	report := many.Report(lane.Events)
	if strings.Count(report, "\n") != 21 || !strings.HasSuffix(report, "\n  and 3 other causes") {
		t.Errorf("got %s, want 20 causes and a line for the other 3", report)
	}
}
