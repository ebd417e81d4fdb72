package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"nepenthes/shared/lane"
	"nepenthes/shared/sqlite"
)

// victimFolder is the variable that makes this test binary a victim, which works on the folder until it is killed.
const victimFolder = "SQLITE_TEST_VICTIM_FOLDER"

func TestMain(m *testing.M) {
	if folder := os.Getenv(victimFolder); folder != "" {
		fmt.Println("failed", victim(folder)) // it returns only when something failed
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// victim sends, receives and deletes, and says so on standard output: "sent" when Send has returned, "deleting"
// before Delete, "deleted" when it has returned. A message's body is its batch and its number in it.
func victim(folder string) error {
	db, err := sqlite.Open(folder, sqlite.Options{})
	if err != nil {
		return err
	}
	l := db.Lane(lane.Deliveries)
	failed := make(chan error)
	for range 6 {
		go func() { failed <- victimSends(l) }()
	}
	for range 2 {
		go func() { failed <- victimDeletes(l) }()
	}
	return <-failed
}

func victimSends(l *sqlite.Lane) error {
	for {
		batch := rand.Uint64()
		messages := make([]lane.Message, 1+rand.IntN(4))
		for i := range messages {
			messages[i] = lane.Message{Body: fmt.Appendf(nil, "%d/%d/%d", batch, i, len(messages)), Group: fmt.Sprint(i)}
		}
		if err := l.Send(context.Background(), messages...); err != nil {
			return err
		}
		for _, m := range messages {
			fmt.Println("sent", string(m.Body))
		}
	}
}

func victimDeletes(l *sqlite.Lane) error {
	for {
		received, err := l.Receive(context.Background(), 1)
		if err != nil {
			return err
		}
		fmt.Println("deleting", string(received[0].Body))
		if err := l.Delete(context.Background(), received[0].ID); err != nil {
			return err
		}
		fmt.Println("deleted", string(received[0].Body))
	}
}

// TestKill kills a process at a random moment of its work, thirty times on one folder, and looks each time for what
// it had been promised.
func TestKill(t *testing.T) {
	folder := t.TempDir()
	told := map[string]string{} // the last thing said of a message
	for round := range 30 {
		killedAfter(t, folder, 1+rand.IntN(250), told)
		left := drained(t, folder)
		for body, said := range told {
			switch count, there := left[body]; {
			case said == "sent" && !there:
				t.Errorf("round %d: message %s was sent and is lost", round, body)
			case said == "deleted" && there:
				t.Errorf("round %d: message %s was deleted and is back", round, body)
			case there && count != 1:
				t.Errorf("round %d: message %s has receive count %d, want 1", round, body, count)
			}
		}
		wholeBatches(t, left, told)
		if t.Failed() {
			t.FailNow()
		}
	}
}

// killedAfter runs a victim and kills it after it has said so many things.
func killedAfter(t *testing.T, folder string, lines int, told map[string]string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), victimFolder+"="+folder)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(out)
	for n := 0; said.Scan(); n++ {
		if n == lines {
			_ = cmd.Process.Kill()
		}
		verb, body, _ := strings.Cut(said.Text(), " ")
		if verb == "failed" {
			t.Fatalf("the victim failed: %s", body)
		}
		if verb != "sent" || told[body] == "" { // a message can be received before Send has returned
			told[body] = verb
		}
	}
	_ = cmd.Wait() // killed
}

// drained gives the receive count of every message in the folder.
func drained(t *testing.T, folder string) map[string]int {
	t.Helper()
	db, err := sqlite.Open(folder, sqlite.Options{Lanes: map[lane.Name]sqlite.LaneOptions{lane.Deliveries: {Slots: 1 << 30}}})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	stored := 0
	err = sqlite.Read(db, t.Context(), func(conn *zombie.Conn) (err error) {
		stored, err = sqlitex.ResultInt(conn.Prep("SELECT count(*) FROM messages"))
		return err
	})
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	left := map[string]int{}
	for len(left) < stored {
		for _, m := range receive(t, db.Lane(lane.Deliveries), 1000) {
			left[string(m.Body)] = m.ReceiveCount
		}
	}
	if err := db.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	return left
}

// wholeBatches checks that of a Send that was cut short either every message is there or none.
func wholeBatches(t *testing.T, left map[string]int, told map[string]string) {
	t.Helper()
	for body := range left {
		parts := strings.Split(body, "/")
		size, err := strconv.Atoi(parts[2])
		if err != nil {
			t.Fatal(err)
		}
		for i := range size {
			sibling := fmt.Sprintf("%s/%d/%s", parts[0], i, parts[2])
			if _, there := left[sibling]; !there && told[sibling] != "deleting" && told[sibling] != "deleted" {
				t.Errorf("message %s is there, its sibling %s is not", body, sibling)
			}
		}
	}
}
