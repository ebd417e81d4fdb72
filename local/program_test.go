package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// asProgram is the variable that makes the test binary run as the program, so that tests can start and kill it.
const asProgram = "NEPENTHES_LOCAL"

// profileVariable is the variable with the file for the CPU profile of the program that a benchmark starts.
const profileVariable = "NEPENTHES_PROFILE"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		os.Exit(m.Run())
	}
	if file := os.Getenv(profileVariable); file != "" {
		profiled(file)
	}
	main()
}

// profiled runs the program and writes a CPU profile of it until it is interrupted.
func profiled(file string) {
	f, err := os.Create(file)
	if err != nil {
		panic(err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		panic(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	pprof.StopCPUProfile()
	os.Exit(code)
}

// program is a running local.
type program struct {
	t      testing.TB
	cmd    *exec.Cmd
	api    string
	token  string
	client *http.Client
	ended  chan error

	mu     sync.Mutex
	lines  []string
	news   chan struct{} // has a token when there are new lines, also on standard error
	stderr errorOutput
}

// errorOutput collects the standard error of a program. It can be read while the program runs.
type errorOutput struct {
	mu   sync.Mutex
	text bytes.Buffer
	news chan struct{}
}

func (e *errorOutput) Write(text []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer notify(e.news)
	return e.text.Write(text)
}

func (e *errorOutput) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.text.String()
}

func notify(news chan struct{}) {
	select {
	case news <- struct{}{}:
	default:
	}
}

const (
	testAdmin = "admin:secret-of-the-administrator-in-tests"
	// startLimit is how long a start may take on a busy machine before the test fails.
	startLimit = 30 * time.Second
)

// start starts the program on free ports with the arguments, and returns when the program has printed "ready". The
// program ends with the test at the latest.
func start(t testing.TB, args ...string) *program {
	t.Helper()
	p := &program{t: t, ended: make(chan error, 1), news: make(chan struct{}, 1), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	p.cmd = exec.Command(os.Args[0], append([]string{
		"-addr", "127.0.0.1:0", "-receiver-addr", "127.0.0.1:0", "-admin", testAdmin, "-receiver-secret", testSecret,
	}, args...)...)
	p.cmd.Env = append(os.Environ(), asProgram+"=1")
	p.stderr.news = p.news
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	check(t, err)
	check(t, p.cmd.Start())
	t.Cleanup(func() { p.kill(); p.client.CloseIdleConnections() })
	ready := make(chan struct{})
	go p.read(out, ready)
	select {
	case <-ready:
	case <-time.After(startLimit):
		t.Fatalf("not ready in %v: %s", startLimit, p.stderr.String())
	}
	p.api = strings.TrimPrefix(p.line("api "), "api ")
	if p.api == "" {
		t.Fatalf("the program ended: %s", p.stderr.String())
	}
	p.token = p.signIn()
	return p
}

// read collects the lines. It closes ready at the line "ready", or when the program ends.
func (p *program) read(out io.Reader, ready chan struct{}) {
	var once sync.Once
	scanner := bufio.NewScanner(out)
	for scanner.Scan() {
		p.mu.Lock()
		p.lines = append(p.lines, scanner.Text())
		p.mu.Unlock()
		notify(p.news)
		if scanner.Text() == "ready" {
			once.Do(func() { close(ready) })
		}
	}
	p.ended <- p.cmd.Wait()
	once.Do(func() { close(ready) })
}

// line returns the first line with the prefix, or "" if there is none.
func (p *program) line(prefix string) string {
	for _, line := range p.all() {
		if strings.HasPrefix(line, prefix) {
			return line
		}
	}
	return ""
}

func (p *program) all() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.lines...)
}

// until waits until the lines are as wanted, for at most startLimit.
func (p *program) until(wanted func(lines []string) bool) {
	p.t.Helper()
	limit := time.After(startLimit)
	for !wanted(p.all()) {
		select {
		case <-p.news:
		case <-limit:
			p.t.Fatalf("the wanted lines did not appear; the lines are\n%s", strings.Join(p.all(), "\n"))
		}
	}
}

// kill ends the program at once, like a power cut. It may be called twice.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	p.wait()
}

// interrupt interrupts the program like Ctrl-C and returns the exit code.
func (p *program) interrupt() int {
	p.t.Helper()
	check(p.t, p.cmd.Process.Signal(syscall.SIGINT))
	p.wait()
	return p.cmd.ProcessState.ExitCode()
}

func (p *program) wait() { p.ended <- <-p.ended }

func (p *program) signIn() string {
	p.t.Helper()
	id, secret, _ := strings.Cut(testAdmin, ":")
	req, err := http.NewRequest(http.MethodPost, p.api+"/oauth/token", strings.NewReader("grant_type=client_credentials"))
	check(p.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(id, secret)
	var token struct {
		Text string `json:"access_token"`
	}
	check(p.t, json.Unmarshal(p.do(req, http.StatusOK), &token))
	return token.Text
}

// do sends the request and returns the body. The test fails if the status is not want.
func (p *program) do(req *http.Request, want int) []byte {
	p.t.Helper()
	resp, err := p.client.Do(req)
	check(p.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	check(p.t, err)
	if resp.StatusCode != want {
		p.t.Fatalf("%s %s: %s, want %d: %s", req.Method, req.URL.Path, resp.Status, want, body)
	}
	return body
}

// call calls the API and returns the decoded answer.
func (p *program) call(method, path, body string, want int) map[string]any {
	p.t.Helper()
	var answer map[string]any
	if text := p.do(p.request(method, path, body), want); len(text) > 0 {
		check(p.t, json.Unmarshal(text, &answer))
	}
	return answer
}

func (p *program) request(method, path, body string) *http.Request {
	p.t.Helper()
	req, err := http.NewRequest(method, p.api+path, strings.NewReader(body))
	check(p.t, err)
	req.Header.Set("Authorization", "Bearer "+p.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return req
}

// webhook creates a webhook for all events at url and returns its id.
func (p *program) webhook(name, url string) string {
	p.t.Helper()
	body := fmt.Sprintf(`{"name":%q,"payloadUrl":%q,"events":["*"],"secret":%q}`, name, url, testSecret)
	id, _ := p.call(http.MethodPost, "/api/v3/webhooks", body, http.StatusCreated)["id"].(string)
	return id
}

// used returns the CPU time of the process so far and its peak memory, from /proc.
func (p *program) used() (cpu time.Duration, peak int64) {
	p.t.Helper()
	folder := filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid))
	stat, err := os.ReadFile(filepath.Join(folder, "stat"))
	check(p.t, err)
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var ticks int64
	for _, field := range fields[11:13] { // utime and stime, proc(5)
		n, err := strconv.ParseInt(field, 10, 64)
		check(p.t, err)
		ticks += n
	}
	status, err := os.ReadFile(filepath.Join(folder, "status"))
	check(p.t, err)
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	peak, err = strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	check(p.t, err)
	const tick = 10 * time.Millisecond // sysconf(_SC_CLK_TCK) is 100 on Linux
	return time.Duration(ticks) * tick, peak << 10
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
