package outbound_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"nepenthes/shared/delivery"
	"nepenthes/shared/limits"
	"nepenthes/shared/outbound"
)

// secure starts a server with TLS, and returns it with a client that trusts it.
func secure(t testing.TB, handler http.HandlerFunc, change func(s *httptest.Server)) (*httptest.Server, *outbound.Client) {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{}
	change(s)
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	c := client(t, outbound.Options{Loopback: true, RootCAs: roots})
	t.Cleanup(c.CloseIdleConnections) // before the server is closed, because that waits for its connections
	return s, c
}

func as1(*httptest.Server) {}

func as2(s *httptest.Server) { s.EnableHTTP2 = true }

func fine(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	io.WriteString(w, "ok")
}

func TestPostOverTLS(t *testing.T) {
	for name, version := range map[string]func(*httptest.Server){"HTTP/1.1": as1, "HTTP/2.0": as2} {
		t.Run(name, func(t *testing.T) {
			var proto string
			s, c := secure(t, func(w http.ResponseWriter, r *http.Request) { proto = r.Proto; fine(w, r) }, version)
			first, again := post(t, c, s.URL), post(t, c, s.URL)
			checkClass(t, first, "")
			checkClass(t, again, "")
			if proto != name || string(first.Answer.Body) != "ok" {
				t.Errorf("%s %q, want %s", proto, first.Answer.Body, name)
			}
			if first.Timing.TLS < 0 || first.Timing.Connect < 0 || again.Timing.TLS != delivery.NoPhase || again.Timing.Connect != delivery.NoPhase || again.Timing.FirstByte < 0 {
				t.Errorf("timing %+v, then %+v", first.Timing, again.Timing)
			}
		})
	}
}

func TestPostResumesTLSSessions(t *testing.T) {
	var resumed atomic.Int64
	s, c := secure(t, func(w http.ResponseWriter, r *http.Request) {
		if r.TLS.DidResume {
			resumed.Add(1)
		}
		w.Header().Set("Connection", "close")
		fine(w, r)
	}, as1)
	post(t, c, s.URL)
	checkClass(t, post(t, c, s.URL), "")
	if resumed.Load() != 1 {
		t.Error("the second handshake did not resume the session")
	}
}

// TestPostSilentHandshake checks that the handshake has its own limit, far below that of the exchange.
func TestPostSilentHandshake(t *testing.T) {
	t.Parallel()
	url := strings.Replace(receive(t, func(c *conn) { c.untilHungUp() }).URL, "http", "https", 1)
	got := post(t, open(t), url)
	checkClass(t, got, delivery.ErrTimeout)
	if !strings.Contains(got.Message, "TLS handshake") || got.Timing.TLS < limits.TLSTimeout {
		t.Errorf("message %q after %v", got.Message, got.Timing.TLS)
	}
	brief := request(url)
	brief.Timeout = short
	got = open(t).Post(t.Context(), brief)
	checkClass(t, got, delivery.ErrTimeout)
	if !strings.Contains(got.Message, "200ms") || got.Timing.TLS < 0 || got.Timing.FirstByte != delivery.NoPhase {
		t.Errorf("message %q, timing %+v", got.Message, got.Timing)
	}
}

// TestPostOverHTTP2 checks the same answers in the frames of HTTP/2 as over HTTP/1.
func TestPostOverHTTP2(t *testing.T) {
	var written atomic.Int64
	block := strings.Repeat("x", 16<<10)
	tests := []struct {
		name    string
		handler http.HandlerFunc
		class   delivery.ErrorClass
		status  int
	}{
		{"410", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(410) }, "status", 410},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, "status", http.StatusTemporaryRedirect},
		{"endless body", func(w http.ResponseWriter, _ *http.Request) {
			for {
				n, err := io.WriteString(w, block)
				written.Add(int64(n))
				if err != nil {
					return
				}
			}
		}, "", 200},
		{"1 MB of headers", func(w http.ResponseWriter, _ *http.Request) {
			for i := range 1000 {
				w.Header().Set(fmt.Sprintf("X-Bomb-%d", i), block[:1000])
			}
		}, "response_too_large", 0},
		{"1 MB of 1xx", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Bomb", block[:1000])
			for range 1000 {
				w.WriteHeader(103)
			}
		}, "response_too_large", 0},
		{"reset before the answer", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "reset", 0},
		{"reset in the body", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "half")
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, "reset", 200},
		{"body below its length", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "half")
			http.NewResponseController(w).Flush()
		}, "reset", 200},
		{"gzip", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, "not zipped at all")
		}, "", 200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, c := secure(t, test.handler, as2)
			got := post(t, c, s.URL)
			checkClass(t, got, test.class)
			if status(got) != test.status {
				t.Errorf("status %d, want %d", status(got), test.status)
			}
		})
	}
	if n := written.Load(); n > 512<<10 {
		t.Errorf("the receiver could write %d bytes of an endless body, want at most 512 KiB", n)
	}
	t.Run("silent", func(t *testing.T) {
		s, c := secure(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, as2)
		asked := request(s.URL)
		asked.Timeout = short
		checkClass(t, c.Post(t.Context(), asked), delivery.ErrTimeout)
	})
}

// frames starts a server that speaks HTTP/2 frame by frame. It calls answer for the headers of every request until
// answer reports that the connection is to be closed. It counts the requests.
func frames(t *testing.T, answer func(f *http2.Framer, stream uint32) (more bool)) (url string, c *outbound.Client, requests *atomic.Int64) {
	requests = new(atomic.Int64)
	s, c := secure(t, fine, func(s *httptest.Server) {
		s.TLS.NextProtos = []string{"h2"}
		s.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){"h2": func(_ *http.Server, conn *tls.Conn, _ http.Handler) {
			in := bufio.NewReader(conn)
			io.ReadFull(in, make([]byte, len(http2.ClientPreface)))
			f := http2.NewFramer(conn, in)
			f.WriteSettings()
			for {
				frame, err := f.ReadFrame()
				if err != nil {
					return
				}
				if asked, ok := frame.(*http2.HeadersFrame); ok {
					requests.Add(1)
					if !answer(f, asked.StreamID) {
						return
					}
				}
			}
		}}
	})
	return s.URL, c, requests
}

func TestPostBrokenHTTP2(t *testing.T) {
	tests := map[string]struct {
		answer func(f *http2.Framer, stream uint32) bool
		class  delivery.ErrorClass
	}{
		"goes away": {func(f *http2.Framer, stream uint32) bool {
			f.WriteGoAway(stream, http2.ErrCodeInternal, nil)
			return false
		}, "reset"},
		"hangs up": {func(*http2.Framer, uint32) bool { return false }, "reset"},
		"data before headers": {func(f *http2.Framer, stream uint32) bool {
			return f.WriteData(stream, true, []byte("x")) == nil
		}, "protocol"},
		"header block of garbage": {func(f *http2.Framer, stream uint32) bool {
			return f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: []byte("\xff\xff\xff"), EndHeaders: true}) == nil
		}, "protocol"},
		"headers without status": {func(f *http2.Framer, stream uint32) bool { return headers(f, stream, "x", "y") }, "protocol"},
		// net/http reports the same error as for headers far above the limit.
		"frame on no stream": {func(f *http2.Framer, _ uint32) bool {
			return f.WriteRawFrame(http2.FrameData, 0, 0, []byte("x")) == nil
		}, "response_too_large"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			url, c, requests := frames(t, test.answer)
			checkClass(t, post(t, c, url), test.class)
			if n := requests.Load(); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}

// headers writes an answer with one header and no body.
func headers(f *http2.Framer, stream uint32, name, value string) bool {
	var block bytes.Buffer
	hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: name, Value: value})
	return f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true}) == nil
}
