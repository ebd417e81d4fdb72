package outbound_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"nepenthes/shared/delivery"
	"nepenthes/shared/outbound"
)

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// TestPostClassifies checks the class of everything that a receiver may do.
func TestPostClassifies(t *testing.T) {
	thousand := strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 1000)
	tests := []struct {
		name   string
		answer string // then the receiver hangs up
		class  delivery.ErrorClass
		status int // 0: no answer
		body   string
	}{
		{"200", ok, "", 200, "ok"},
		{"201 without length", "HTTP/1.1 201 Created\r\n\r\nto the end", "", 201, "to the end"},
		{"204", "HTTP/1.1 204 No Content\r\n\r\n", "", 204, ""},
		{"299", "HTTP/1.1 299 Fine\r\nContent-Length: 0\r\n\r\n", "", 299, ""},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "", 200, "ok"},
		{"a hundred, then 200", "HTTP/1.1 100 Continue\r\n\r\n" + ok, "", 200, "ok"},
		{"a thousand 1xx, then 200", thousand + ok, "", 200, "ok"},
		{"300", "HTTP/1.1 300 Multiple Choices\r\nContent-Length: 0\r\n\r\n", "status", 300, ""},
		{"304", "HTTP/1.1 304 Not Modified\r\n\r\n", "status", 304, ""},
		{"400", "HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno", "status", 400, "no"},
		{"410", "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", "status", 410, ""},
		{"503", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "status", 503, ""},
		{"799", "HTTP/1.1 799 Strange\r\nContent-Length: 0\r\n\r\n", "status", 799, ""},
		{"000", "HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n", "status", 0o0, ""},
		{"101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nbytes of x", "status", 101, ""},

		{"nothing", "", "reset", 0, ""},
		{"half of the headers", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", "reset", 0, ""},
		{"1xx alone", "HTTP/1.1 103 Early Hints\r\n\r\n", "reset", 0, ""},
		{"half of the body", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "reset", 200, "half"},
		{"half of a failure's body", "HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nhalf", "reset", 500, "half"},
		{"410 with half a body", "HTTP/1.1 410 Gone\r\nContent-Length: 100\r\n\r\nhalf", "reset", 410, "half"},
		{"half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha", "reset", 200, "ha"},
		{"chunks without an end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nha\r\n", "reset", 200, "ha"},

		{"another protocol", "SSH-2.0-OpenSSH_9.6\r\n", "protocol", 0, ""},
		{"another protocol without a line end", "hello", "protocol", 0, ""},
		{"half a status line", "HTTP/1.1 20", "protocol", 0, ""},
		{"half a header", "HTTP/1.1 200 OK\r\nContent-Le", "protocol", 0, ""},
		{"one wrong byte", "\x00", "protocol", 0, ""},
		{"garbage", strings.Repeat("\x00\xff\r\n\x1b[2J", 1000), "protocol", 0, ""},
		{"garbage with texts of net/http", "response headers exceeded header list", "protocol", 0, ""},
		{"bare text", "<html>no headers</html>\n", "protocol", 0, ""},
		{"TLS alert", "\x15\x03\x01\x00\x02\x02\x46", "protocol", 0, ""},
		{"status of letters", "HTTP/1.1 abc OK\r\n\r\n", "protocol", 0, ""},
		{"negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "protocol", 0, ""},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "protocol", 0, ""},
		{"header without a colon", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "protocol", 0, ""},
		{"chunk of letters", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "protocol", 200, ""},

		{"1 MB of headers", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-Bomb: "+strings.Repeat("b", 1000)+"\r\n", 1000) + "\r\n", "response_too_large", 0, ""},
		{"a header of 70 KB", "HTTP/1.1 200 OK\r\nX-Bomb: " + strings.Repeat("b", 70<<10) + "\r\n\r\n", "response_too_large", 0, ""},
		{"a status line of 70 KB", "HTTP/1.1 200 " + strings.Repeat("O", 70<<10) + "\r\n\r\n", "response_too_large", 0, ""},
		{"70 KB of 1xx", strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 70<<10/28) + ok, "response_too_large", 0, ""},
		{"headers just below the cap", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Long: " + strings.Repeat("b", 64<<10-60) + "\r\n\r\n", "", 200, ""},
	}
	c := open(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := post(t, c, answering(t, test.answer).URL)
			checkClass(t, got, test.class)
			if test.status == 0 && test.class != "status" {
				if got.Answer != nil {
					t.Fatalf("answer %d, want none", got.Answer.Status)
				}
				return
			}
			if got.Answer == nil || got.Answer.Status != test.status || string(got.Answer.Body) != test.body || got.Answer.Truncated {
				t.Errorf("answer %+v, want %d %q", got.Answer, test.status, test.body)
			}
		})
	}
}

// checkClass checks the class, and what holds for every class.
func checkClass(t *testing.T, got outbound.Result, want delivery.ErrorClass) {
	t.Helper()
	if got.Class != want || got.Aborted {
		t.Errorf("class %q (%s), aborted %t, want %q", got.Class, got.Message, got.Aborted, want)
	}
	if (got.Message == "") != (want == "") {
		t.Errorf("class %q has message %q", got.Class, got.Message)
	}
	if strings.Contains(got.Message, "127.0.0.1") || strings.Contains(got.Message, "SSH") {
		t.Errorf("message %q contains an address or a text of the receiver", got.Message)
	}
	if got.Started.IsZero() || got.Timing.Total < 0 {
		t.Errorf("started %v, took %v", got.Started, got.Timing.Total)
	}
}

func TestPostEndsAfterItsTimeout(t *testing.T) {
	tests := []struct {
		name   string
		behave func(c *conn)
		status int
	}{
		{"never answers", func(c *conn) { c.untilHungUp() }, 0},
		{"never reads", func(c *conn) { <-c.of.Over }, 0},
		{"drips headers", func(c *conn) { c.read(); c.drip("HTTP/1.1 200 OK\r\nX-Drip: " + strings.Repeat("d", 1<<10)) }, 0},
		{"drips 1xx", func(c *conn) { c.read(); c.drip("HTTP/1.1 100 Continue\r\n\r\n") }, 0},
		{"drips a body", func(c *conn) { c.read(); c.say("HTTP/1.1 200 OK\r\n\r\n"); c.drip("d") }, 200},
		{"drips a declared body", func(c *conn) { c.read(); c.say("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"); c.drip("d") }, 200},
		{"drips chunks", func(c *conn) {
			c.read()
			c.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			c.drip("1\r\nd\r\n")
		}, 200},
		{"drips a 410's body", func(c *conn) { c.read(); c.say("HTTP/1.1 410 Gone\r\n\r\n"); c.drip("d") }, 410},
		{"stops in the body", func(c *conn) {
			c.read()
			c.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")
			c.untilHungUp()
		}, 200},
		{"answers late", func(c *conn) { c.read(); c.untilHungUp(); c.say(ok) }, 0},
		{"drips garbage", func(c *conn) { c.read(); c.drip("garbage") }, 0},
	}
	c := open(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := request(receive(t, test.behave).URL)
			r.Timeout, r.Body = short, bytes.Repeat([]byte("e"), 8<<20)
			if test.name != "never reads" {
				r.Body = nil
			}
			got := c.Post(t.Context(), r)
			checkClass(t, got, delivery.ErrTimeout)
			if status := status(got); status != test.status {
				t.Errorf("status %d, want %d", status, test.status)
			}
			if got.Timing.Total < short {
				t.Errorf("the exchange ended after %v, before its timeout", got.Timing.Total)
			}
		})
	}
}

func TestPostNeverFollowsRedirects(t *testing.T) {
	elsewhere := answering(t, ok)
	for _, status := range []int{301, 302, 303, 307, 308} {
		r := answering(t, fmt.Sprintf("HTTP/1.1 %d There\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", status, elsewhere.URL))
		got := post(t, open(t), r.URL)
		checkClass(t, got, delivery.ErrStatus)
		if got.Answer.Status != status {
			t.Errorf("status %d, want %d", got.Answer.Status, status)
		}
	}
	if n := elsewhere.Accepted.Load(); n != 0 {
		t.Errorf("%d connections to the target of the redirects, want none", n)
	}
}

func TestPostReset(t *testing.T) {
	r := receive(t, func(c *conn) { c.read(); c.SetLinger(0) })
	checkClass(t, post(t, open(t), r.URL), delivery.ErrReset)
}

func TestPostRefused(t *testing.T) {
	r := receive(t, func(*conn) {})
	r.Close()
	got := post(t, open(t), r.URL)
	checkClass(t, got, delivery.ErrConnect)
	if !strings.Contains(got.Message, "connection refused") {
		t.Errorf("message %q does not say why", got.Message)
	}
}

func TestPostWithoutNameServer(t *testing.T) {
	c := client(t, outbound.Options{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("10.255.255.53 is down")
	}}})
	got := post(t, c, "http://receiver.example/")
	checkClass(t, got, delivery.ErrDNS)
	if !strings.Contains(got.Message, "lookup of its name failed") || strings.Contains(got.Message, "10.255") {
		t.Errorf("message %q does not say that the lookup failed, or contains an address", got.Message)
	}
}

func TestPostUnsendable(t *testing.T) {
	r := answering(t, ok)
	tests := map[string]outbound.Request{
		"no URL":        request(""),
		"broken URL":    request("http://%zz/"),
		"no scheme":     request("//example.com/"),
		"other scheme":  request("ftp://example.com/"),
		"no host":       request("http:///x"),
		"broken header": {URL: r.URL, Header: http.Header{"X-Bad": {"a\r\nX-Injected: b"}}},
		"broken name":   {URL: r.URL, Header: http.Header{"X Bad": {"a"}}},
	}
	for name, broken := range tests {
		t.Run(name, func(t *testing.T) {
			checkClass(t, open(t).Post(t.Context(), broken), delivery.ErrProtocol)
		})
	}
	if n := r.Requests.Load(); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}

// TestPostSendsWhatItIsGiven checks that the bytes on the wire are those given, with only Host and Content-Length
// added.
func TestPostSendsWhatItIsGiven(t *testing.T) {
	var wire string
	r := receive(t, func(c *conn) {
		buf := make([]byte, 4096)
		n, _ := c.Read(buf)
		wire = string(buf[:n])
		c.say(ok)
	})
	got := open(t).Post(t.Context(), outbound.Request{
		URL: r.URL + "?q=%20#fragment",
		Header: http.Header{
			"webhook-id": {"dlv_1"}, "X-OP-Signature": {"sha1=0"}, "Content-Type": {"application/json"}, "Idempotency-Key": {"k"},
		},
		Body: []byte(`{"a": 1}`),
	})
	checkClass(t, got, "")
	head, body, _ := strings.Cut(wire, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	want := map[string]bool{
		"Host: " + r.Addr().String(): true, "Content-Length: 8": true, "webhook-id: dlv_1": true,
		"X-OP-Signature: sha1=0": true, "Content-Type: application/json": true, "Idempotency-Key: k": true,
	}
	if lines[0] != "POST /hooks?q=%20 HTTP/1.1" || body != `{"a": 1}` {
		t.Errorf("request line %q, body %q", lines[0], body)
	}
	for _, line := range lines[1:] {
		if !want[line] {
			t.Errorf("unexpected header %q", line)
		}
		delete(want, line)
	}
	for line := range want {
		t.Errorf("header %q is missing", line)
	}
}

func TestPostLeavesTheHeaderAlone(t *testing.T) {
	header := http.Header{"Idempotency-Key": {"k"}}
	c, r := open(t), answering(t, ok)
	c.Post(t.Context(), outbound.Request{URL: r.URL, Header: header})
	c.Post(t.Context(), outbound.Request{URL: r.URL})
	if len(header) != 1 || header.Get("Idempotency-Key") != "k" {
		t.Errorf("the caller's header became %v", header)
	}
}

func TestPostAborted(t *testing.T) {
	c := open(t)
	t.Run("while waiting", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := receive(t, func(c *conn) { c.read(); cancel(); c.untilHungUp() })
		aborted(t, c.Post(ctx, request(r.URL)))
	})
	t.Run("while reading", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := receive(t, func(c *conn) {
			c.read()
			c.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")
			cancel()
			c.untilHungUp()
		})
		aborted(t, c.Post(ctx, request(r.URL)))
	})
	t.Run("before it started", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r := answering(t, ok)
		aborted(t, c.Post(ctx, request(r.URL)))
		if n := r.Requests.Load(); n != 0 {
			t.Errorf("%d requests arrived", n)
		}
	})
	t.Run("by the deadline of the caller", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), short)
		defer cancel()
		r := receive(t, func(c *conn) { c.read(); c.untilHungUp() })
		aborted(t, c.Post(ctx, request(r.URL)))
	})
	t.Run("but not after the answer", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		got := c.Post(ctx, request(answering(t, ok).URL))
		cancel()
		checkClass(t, got, "")
	})
}

func aborted(t *testing.T, got outbound.Result) {
	t.Helper()
	if !got.Aborted || got.Class != "" || got.Message != "" || got.Answer != nil {
		t.Errorf("aborted %t, class %q (%s), want aborted without a class", got.Aborted, got.Class, got.Message)
	}
}

// TestPostWithoutSockets checks that a process without a free file descriptor has not tried the receiver.
func TestPostWithoutSockets(t *testing.T) {
	r := answering(t, ok)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{r.URL, "http://receiver.example/"} {
		none := limit
		none.Cur = 1
		c := client(t, outbound.Options{Loopback: true, Resolver: &net.Resolver{PreferGo: true}})
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
			t.Fatal(err)
		}
		got := post(t, c, url)
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
		aborted(t, got)
	}
}

func TestPostMeasures(t *testing.T) {
	r := receive(t, func(c *conn) {
		for c.read() {
			c.say(ok)
		}
	})
	_, port, _ := strings.Cut(r.Addr().String(), ":")
	c := client(t, outbound.Options{Loopback: true, Resolver: names(func(string) []string { return []string{"127.0.0.1"} })})

	first := post(t, c, "http://receiver.example:"+port+"/")
	checkClass(t, first, "")
	if f := first.Timing; f.DNS < 0 || f.Connect < 0 || f.TLS != delivery.NoPhase || f.FirstByte < f.DNS+f.Connect || f.Total < f.FirstByte {
		t.Errorf("new connection: %+v", f)
	}
	again := post(t, c, "http://receiver.example:"+port+"/")
	checkClass(t, again, "")
	if a := again.Timing; a.DNS != delivery.NoPhase || a.Connect != delivery.NoPhase || a.TLS != delivery.NoPhase || a.FirstByte < 0 || a.Total < a.FirstByte {
		t.Errorf("kept connection: %+v", a)
	}
	literal := post(t, client(t, outbound.Options{Loopback: true}), r.URL)
	if l := literal.Timing; l.DNS != delivery.NoPhase || l.Connect < 0 {
		t.Errorf("no name to look up: %+v", l)
	}
	silent := request(receive(t, func(c *conn) { c.untilHungUp() }).URL)
	silent.Timeout = short
	if s := c.Post(t.Context(), silent).Timing; s.Connect < 0 || s.FirstByte != delivery.NoPhase || s.Total < short {
		t.Errorf("no answer: %+v", s)
	}
}

func TestPostUsesItsClock(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	got := post(t, client(t, outbound.Options{Loopback: true, Now: func() time.Time { return at }}), answering(t, ok).URL)
	if !got.Started.Equal(at) || got.Timing.Total != 0 {
		t.Errorf("started %v, took %v", got.Started, got.Timing.Total)
	}
}

func status(r outbound.Result) int {
	if r.Answer == nil {
		return 0
	}
	return r.Answer.Status
}
