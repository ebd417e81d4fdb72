package rehearsal

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"nepenthes/shared/fault"
)

const (
	pidFile = "ministack.pid"
	logFile = "ministack.log"
	// startTimeout is far longer than a start, which takes two seconds, because the machine may be busy.
	startTimeout = 2 * time.Minute
	// stopTimeout is how long MiniStack may take to stop by itself. A running custom resource can delay it.
	stopTimeout = 5 * time.Second
)

// Up starts MiniStack at the port of this machine, or at any free port if port is "". It writes the endpoint's variables
// to EnvFile. Permissions are enforced. MiniStack runs until Down. If it is already running, Up does nothing.
func (f Folder) Up(ctx context.Context, port string) (e Endpoint, err error) {
	defer fault.Wrap(&err, "start MiniStack")
	if f.running() {
		return f.Endpoint()
	}
	if port == "" {
		if port, err = freePort(); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(f.path("home"), 0o755); err != nil {
		return nil, err
	}
	e = newEndpoint("https://127.0.0.1:" + port)
	e[caBundle] = f.path("ministack-tls/server.crt")
	if err := f.launch(port, e); err != nil {
		return nil, err
	}
	if err := f.await(ctx, e); err != nil {
		return nil, errors.Join(err, f.Down())
	}
	return e, os.WriteFile(f.EnvFile(), []byte(strings.Join(e.lines(), "\n")+"\n"), 0o600)
}

// launch starts the process in its own process group, which the processes of functions join. They inherit its
// environment, so the environment contains only what they need.
func (f Folder) launch(port string, e Endpoint) error {
	home, err := root()
	if err != nil {
		return err
	}
	program := filepath.Join(home, ".venv", "bin", "ministack")
	if _, err := os.Stat(program); err != nil {
		return fmt.Errorf("%w: run make tools", err)
	}
	log, err := os.Create(f.path(logFile))
	if err != nil {
		return err
	}
	defer log.Close()
	command := exec.Command(program) // no context: the process outlives this one
	command.Stdout, command.Stderr, command.Dir = log, log, string(f)
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	command.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + f.path("home"), "TMPDIR=" + string(f),
		"GATEWAY_PORT=" + port, "BIND_HOST=127.0.0.1", "AUTH=true", "USE_SSL=1",
		endpointURL + "=" + e.URL(), caBundle + "=" + e[caBundle], "SSL_CERT_FILE=" + e[caBundle],
	}
	if err := command.Start(); err != nil {
		return err
	}
	if err := os.WriteFile(f.path(pidFile), []byte(strconv.Itoa(command.Process.Pid)), 0o600); err != nil {
		return err
	}
	go func() { _ = command.Wait() }() // without Wait an ended process would remain as a zombie
	return nil
}

// await returns when the endpoint answers.
func (f Folder) await(ctx context.Context, e Endpoint) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		err := health(ctx, e)
		if err == nil {
			return nil
		}
		if !f.running() {
			text, _ := os.ReadFile(f.path(logFile))
			return fmt.Errorf("the process ended: %s", last(string(text), 10))
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return fmt.Errorf("the endpoint does not answer: %w", err)
		}
	}
}

func health(ctx context.Context, e Endpoint) error {
	client, err := e.client()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.URL()+"/_ministack/health", nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.Body.Close()
}

// client returns an HTTP client that trusts the endpoint's certificate and does not follow redirects.
func (e Endpoint) client() (*http.Client, error) {
	transport := &http.Transport{}
	if e[caBundle] != "" {
		certificate, err := os.ReadFile(e[caBundle])
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(certificate)
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{
		Transport: transport, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// group returns the process group of the MiniStack that Up started, or 0 if there is none.
func (f Folder) group() int {
	text, _ := os.ReadFile(f.path(pidFile))
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return max(pid, 0)
}

func (f Folder) running() bool {
	group := f.group()
	return group > 1 && syscall.Kill(-group, 0) == nil
}

// Down stops the MiniStack that Up started, with the processes of its functions, and removes the files about it. If no
// MiniStack is running, Down only removes the files.
func (f Folder) Down() (err error) {
	defer fault.Wrap(&err, "stop MiniStack")
	group := f.group()
	if f.running() {
		_ = syscall.Kill(group, syscall.SIGTERM)
	}
	for end := time.Now().Add(stopTimeout); f.running(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			_ = syscall.Kill(-group, syscall.SIGKILL)
			end = end.Add(stopTimeout)
		}
	}
	for _, name := range []string{pidFile, "env", "out.json"} {
		if err := os.Remove(f.path(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// last returns the last n lines of a text.
func last(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
