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

// victimFolder is the environment variable that turns this test binary into a victim: a process that works on the
// folder until it is killed.
const victimFolder = "SQLITE_TEST_VICTIM_FOLDER"

func TestMain(m *testing.M) {
	if folder := os.Getenv(victimFolder); folder != "" {
		fmt.Println("failed", victim(folder)) // victim returns only after a failure
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// victim sends, receives and deletes. It reports each step on standard output: "sent" after Send has returned,
// "deleting" before Delete, and "deleted" after Delete has returned. The body of a message is the number of its batch,
// its index in the batch and the size of the batch.
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

// TestKill kills a process at a random moment of its work, thirty times on one folder. Each time it checks what the
// process had been promised.
func TestKill(t *testing.T) {
	folder := t.TempDir()
	reports := map[string]string{} // the last report about each message
	for round := range 30 {
		killAfter(t, folder, 1+rand.IntN(250), reports)
		left := receiveAll(t, folder)
		for body, report := range reports {
			switch count, exists := left[body]; {
			case report == "sent" && !exists:
				t.Errorf("round %d: message %s was sent but is lost", round, body)
			case report == "deleted" && exists:
				t.Errorf("round %d: message %s was deleted but still exists", round, body)
			case exists && count != 1:
				t.Errorf("round %d: message %s has receive count %d, want 1", round, body, count)
			}
		}
		checkBatches(t, left, reports)
		if t.Failed() {
			t.FailNow()
		}
	}
}

// killAfter runs a victim, kills it after so many reports, and adds its reports.
func killAfter(t *testing.T, folder string, lines int, reports map[string]string) {
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
	output := bufio.NewScanner(out)
	for n := 0; output.Scan(); n++ {
		if n == lines {
			_ = cmd.Process.Kill()
		}
		verb, body, _ := strings.Cut(output.Text(), " ")
		if verb == "failed" {
			t.Fatalf("the victim failed: %s", body)
		}
		if verb != "sent" || reports[body] == "" { // a message can be received before Send has returned
			reports[body] = verb
		}
	}
	_ = cmd.Wait() // killed
}

// receiveAll returns the receive count of every message in the folder.
func receiveAll(t *testing.T, folder string) map[string]int {
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

// checkBatches checks that either all messages of a Send were stored or none.
func checkBatches(t *testing.T, left map[string]int, reports map[string]string) {
	t.Helper()
	for body := range left {
		parts := strings.Split(body, "/")
		size, err := strconv.Atoi(parts[2])
		if err != nil {
			t.Fatal(err)
		}
		for i := range size {
			sibling := fmt.Sprintf("%s/%d/%s", parts[0], i, parts[2])
			if _, exists := left[sibling]; !exists && reports[sibling] != "deleting" && reports[sibling] != "deleted" {
				t.Errorf("message %s was stored, but %s of the same batch was not", body, sibling)
			}
		}
	}
}
