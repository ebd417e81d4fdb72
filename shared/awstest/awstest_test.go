package awstest_test

import (
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"nepenthes/shared/awstest"
)

// TestChild is not a test by itself. TestAnEmulatorEndsWithAKilledTest runs it in another process.
func TestChild(t *testing.T) {
	if os.Getenv("AWSTEST_CHILD") == "" {
		return
	}
	_, _ = os.Stdout.WriteString(awstest.MiniStack(t) + "\n")
	select {}
}

func TestAnEmulatorEndsWithAKilledTest(t *testing.T) {
	awstest.MiniStack(t) // skips the test if it is not installed
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChild$")
	child.Env = append(os.Environ(), "AWSTEST_CHILD=yes")
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 100)
	n, _ := output.Read(line)
	url := strings.TrimSpace(string(line[:n]))
	if !answers(url) {
		t.Fatalf("%q does not answer", url)
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	for start := time.Now(); answers(url); time.Sleep(10 * time.Millisecond) {
		if time.Since(start) > time.Minute {
			t.Fatal("the emulator still runs a minute after the test that started it was killed")
		}
	}
}

func answers(url string) bool {
	answer, err := http.Get(url + "/_ministack/health")
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return true
}
