package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nepenthes/shared/awsclient"
	"nepenthes/shared/awstest"
	"nepenthes/shared/lane"
	"nepenthes/shared/sqlite"
)

// runToEnd runs the program, which must end by itself, and returns its output.
func runToEnd(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	var out, errors bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errors
	_ = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != want {
		t.Fatalf("%q: got exit code %d, want %d: %s%s", args, code, want, out.String(), errors.String())
	}
	return out.String(), errors.String()
}

const bodySecret = "whsec_do-not-show-me"

// mended is a valid event that became a dead letter, for example because of an error in our own code.
var mended = lane.Message{
	Body:       []byte(`{"id":"mended","type":"user:created","occurredAt":"2026-01-02T11:00:00Z","data":{"subject":"mended"}}`),
	Attributes: map[string]string{lane.Reason: "unknown_type", lane.Detail: "unknown_type: type: It is not in the catalogue."},
}

var nonsense = lane.Message{
	Body:       []byte(`{"id":` + bodySecret),
	Attributes: map[string]string{lane.Reason: "malformed", lane.Detail: "malformed at line 1, column 7"},
}

const threeMoved = "3 messages went back to events\n  2: malformed at line 1, column 7\n  1: unknown_type: type: It is not in the catalogue.\n"

func TestRedriveOfAFolder(t *testing.T) {
	folder, a := t.TempDir(), newArrivals()
	receiver := httptest.NewServer(a)
	defer receiver.Close()
	p := start(t, "-demo=false", "-data", folder)
	p.webhook("receiver", receiver.URL)
	p.interrupt()
	bury(t, folder, nonsense, mended, nonsense)

	if out, _ := runToEnd(t, exitOK, "-data", folder, "-redrive", "events"); out != threeMoved {
		t.Errorf("the program printed\n%swant\n%s", out, threeMoved)
	}
	if out, _ := runToEnd(t, exitOK, "-data", folder, "-redrive", "events"); out != "events has no dead letters that can be moved now\n" {
		t.Errorf("with nothing to move the program printed %s", out)
	}
	p = start(t, "-demo=false", "-data", folder)
	limit := time.After(startLimit)
	for accepted := map[string]bool{"mended": true}; a.missing(accepted) != ""; {
		select {
		case <-a.news:
		case <-limit:
			t.Fatal("the redriven event did not arrive")
		}
	}
	p.until(func([]string) bool { return strings.Count(p.stderr.String(), "event.dead_lettered") == 2 })
	_, errors := runToEnd(t, exitRefused, "-data", folder, "-redrive", "events")
	if !strings.Contains(errors, "in use by another process") || strings.Count(errors, "\n") != 1 {
		t.Errorf("while another process uses the folder the program printed %s", errors)
	}
	p.interrupt()

	out, errors := runToEnd(t, exitOK, "-data", folder, "-redrive", "events")
	if !strings.HasPrefix(out, "2 messages went back to events\n  2: malformed at line 1, column ") || strings.Contains(out+errors, bodySecret) {
		t.Errorf("for messages that came back the program printed %s%s", out, errors)
	}
}

// bury sends messages to the dead letters of the events lane of a folder.
func bury(t *testing.T, folder string, messages ...lane.Message) {
	t.Helper()
	db, err := sqlite.Open(folder, sqlite.Options{})
	check(t, err)
	check(t, db.Lane(lane.Events.DeadLetters()).Send(t.Context(), messages...))
	check(t, db.Close())
}

func TestRedriveIsRefused(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "absent")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"an unknown lane":    {[]string{"-redrive", "everything"}, "the lanes are events, deliveries and retries"},
		"a dead-letter lane": {[]string{"-redrive", "events-dead"}, "the lanes are events, deliveries and retries"},
		"an empty name":      {[]string{"-redrive", ""}, "the lanes are events, deliveries and retries"},
		"a missing folder": {
			[]string{"-data", absent, "-redrive", "events"}, "there is no data in " + absent,
		},
		"memory": {[]string{"-data", "", "-redrive", "events"}, "-data is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			out, errors := runToEnd(t, exitRefused, c.args...)
			if out != "" || strings.Count(errors, "\n") != 1 || !strings.Contains(errors, c.want) {
				t.Errorf("the program printed %q and %q, want %s", out, errors, c.want)
			}
		})
	}
	if _, err := os.Stat(absent); err == nil {
		t.Error("the absent folder was created")
	}
}

func TestRedriveAtAnEndpoint(t *testing.T) {
	atEndpoint(t, awstest.MiniStack(t))
	t.Setenv("AWS_REGION", "eu-central-1") // no other test creates queues in this region
	_, errors := runToEnd(t, exitRefused, "-data", "", "-redrive", "events")
	if !strings.Contains(errors, prefix+"events-dead") {
		t.Errorf("without queues the program printed %s", errors)
	}
	cfg, err := awsclient.Load(t.Context(), 1)
	check(t, err)
	lanes, err := createLanes(t.Context(), cfg)
	check(t, err)
	check(t, lanes[lane.Events.DeadLetters()].Send(t.Context(), nonsense, mended, nonsense))
	if out, _ := runToEnd(t, exitOK, "-redrive", "events"); out != threeMoved {
		t.Errorf("the program printed\n%swant\n%s", out, threeMoved)
	}
	if n, err := lanes[lane.Events].Waiting(t.Context()); err != nil || n != 3 {
		t.Errorf("got %d messages on the lane, %v, want 3", n, err)
	}
}
