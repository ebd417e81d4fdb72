package outbound_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"nepenthes/shared/delivery"
	"nepenthes/shared/outbound"
)

// large is a body that no kernel buffers completely before the receiver reads.
var large = bytes.Repeat([]byte("e"), 16<<20)

// TestPostAgainOnNewConnection checks that a kept connection that is lost before the first byte of an answer costs no
// attempt: the same bytes are sent once more on a new connection.
func TestPostAgainOnNewConnection(t *testing.T) {
	tests := []struct {
		name string
		body []byte
		lose func(c *conn) // what the receiver does with the second request before it closes the connection
	}{
		{"while idle", nil, func(*conn) {}},
		{"at its first byte", nil, func(c *conn) { c.in.ReadByte() }},
		{"at the first byte of a large one", large, func(c *conn) { c.in.ReadByte() }},
		{"after the headers", nil, func(c *conn) { http.ReadRequest(c.in) }},
		{"after half of the body", large, func(c *conn) {
			request, _ := http.ReadRequest(c.in)
			io.CopyN(io.Discard, request.Body, int64(len(large)/2))
		}},
		{"after the body", nil, func(c *conn) { c.read() }},
		{"after a large body", large, func(c *conn) { c.read() }},
	}
	for _, test := range tests {
		for _, name := range []string{"X-Team", "Idempotency-Key", "X-Idempotency-Key"} {
			for way, linger := range map[string]int{"closed": -1, "reset": 0} {
				t.Run(test.name+", "+way+", "+name, func(t *testing.T) {
					var kept atomic.Bool
					r := receive(t, func(c *conn) {
						c.SetLinger(linger)
						c.read()
						c.say(ok)
						if kept.CompareAndSwap(false, true) {
							test.lose(c)
						}
					})
					c := open(t)
					checkClass(t, post(t, c, r.URL), "")
					asked := request(r.URL)
					asked.Header[name] = []string{"k"}
					if test.body != nil {
						asked.Body = test.body
					}
					got := c.Post(t.Context(), asked)
					checkClass(t, got, "")
					if got.Timing.Connect < 0 || got.Timing.FirstByte < got.Timing.Connect || got.Timing.Total < got.Timing.FirstByte {
						t.Errorf("timing %+v, want that of a new connection", got.Timing)
					}
					if n := r.Accepted.Load(); n != 2 {
						t.Errorf("%d connections, want 2", n)
					}
				})
			}
		}
	}
}

// TestPostNotAgainAfterPartOfAnAnswer checks that one byte of an answer is enough to prevent a repetition.
func TestPostNotAgainAfterPartOfAnAnswer(t *testing.T) {
	for _, part := range []string{"H", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 103 Early Hints\r\n\r\n", "x"} {
		t.Run(part, func(t *testing.T) {
			r := receive(t, func(c *conn) {
				if c.read() && c.say(ok) && c.read() {
					c.say(part)
					c.end()
				}
			})
			c := open(t)
			checkClass(t, post(t, c, r.URL), "")
			if got := post(t, c, r.URL); got.Class != delivery.ErrReset && got.Class != delivery.ErrProtocol {
				t.Errorf("class %q", got.Class)
			}
			if n := r.Requests.Load(); n != 2 {
				t.Errorf("%d requests arrived, want 2", n)
			}
		})
	}
}

// losing starts a receiver that answers the first request on each of its first connections, and no other request.
func losing(t *testing.T, answered int64, each func(raw string)) *receiver {
	return receive(t, func(c *conn) {
		var raw bytes.Buffer
		c.in.Reset(io.TeeReader(c.TCPConn, &raw))
		answers := c.of.Accepted.Load() <= answered
		c.read()
		each(raw.String())
		if answers && c.say(ok) {
			raw.Reset()
			if c.read() {
				each(raw.String())
			}
		}
	})
}

// TestPostAgainOnce checks that a request is repeated once, with the same bytes, and not on another kept connection.
func TestPostAgainOnce(t *testing.T) {
	t.Run("the new connection is lost as well", func(t *testing.T) {
		sent := make(chan string, 9)
		r := losing(t, 1, func(raw string) { sent <- raw })
		c := open(t)
		checkClass(t, post(t, c, r.URL), "")
		checkClass(t, post(t, c, r.URL), delivery.ErrReset)
		if n := len(sent); n != 3 {
			t.Fatalf("%d requests arrived, want 3", n)
		}
		if first, kept, again := <-sent, <-sent, <-sent; kept != first || again != first {
			t.Errorf("the requests %q, %q, %q differ", first, kept, again)
		}
	})
	t.Run("a first connection is lost", func(t *testing.T) {
		r := losing(t, 0, func(string) {})
		checkClass(t, post(t, open(t), r.URL), delivery.ErrReset)
		if n := r.Requests.Load(); n != 1 {
			t.Errorf("%d requests arrived, want 1", n)
		}
	})
	t.Run("other kept connections are lost as well", func(t *testing.T) {
		const kept = 5
		var meet, calls sync.WaitGroup
		var met, lost atomic.Int64
		meet.Add(kept)
		r := receive(t, func(c *conn) {
			c.read()
			if met.Add(1) <= kept {
				meet.Done()
			}
			meet.Wait()
			if c.say(ok) && c.read() {
				lost.Add(1)
			}
		})
		c := open(t)
		for range kept {
			calls.Go(func() { checkClass(t, post(t, c, r.URL), "") })
		}
		calls.Wait()
		checkClass(t, post(t, c, r.URL), "")
		if r.Accepted.Load() != kept+1 || lost.Load() != 1 {
			t.Errorf("got %d connections and %d lost requests, want %d and 1", r.Accepted.Load(), lost.Load(), kept+1)
		}
	})
	t.Run("an empty body", func(t *testing.T) {
		r := losing(t, 1, func(string) {})
		c := open(t)
		asked := outbound.Request{URL: r.URL, Header: http.Header{"Idempotency-Key": {"k"}}}
		checkClass(t, c.Post(t.Context(), asked), "")
		checkClass(t, c.Post(t.Context(), asked), delivery.ErrReset)
		if n := r.Requests.Load(); n != 3 {
			t.Errorf("%d requests arrived, want 3", n)
		}
	})
}

// TestPostAgainWithinItsTime checks that the second sending has the time that is left of the attempt, and ends with the
// context of the caller.
func TestPostAgainWithinItsTime(t *testing.T) {
	hanging := func(t *testing.T, arrived func()) *receiver {
		return receive(t, func(c *conn) {
			if c.read(); c.of.Accepted.Load() == 1 {
				c.say(ok)
				c.read()
				return
			}
			arrived()
			c.untilHungUp()
		})
	}
	t.Run("timeout", func(t *testing.T) {
		r, c := hanging(t, func() {}), open(t)
		checkClass(t, post(t, c, r.URL), "")
		asked := request(r.URL)
		asked.Timeout = short
		got := c.Post(t.Context(), asked)
		checkClass(t, got, delivery.ErrTimeout)
		if got.Timing.Total < short || got.Timing.Connect < 0 {
			t.Errorf("timing %+v", got.Timing)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r, c := hanging(t, cancel), open(t)
		checkClass(t, post(t, c, r.URL), "")
		aborted(t, c.Post(ctx, request(r.URL)))
	})
	t.Run("cancelled before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := receive(t, func(c *conn) {
			c.read()
			c.say(ok)
			c.read()
			cancel()
			c.untilHungUp()
		})
		c := open(t)
		checkClass(t, post(t, c, r.URL), "")
		aborted(t, c.Post(ctx, request(r.URL)))
		if n := r.Requests.Load(); n != 2 {
			t.Errorf("%d requests arrived, want 2", n)
		}
	})
}

// TestPostAgainIsGuarded checks that the guard checks the new connection like any other.
func TestPostAgainIsGuarded(t *testing.T) {
	var at atomic.Int64
	addrs := []string{"127.0.0.1", "169.254.169.254"}
	r := receive(t, func(c *conn) {
		c.read()
		c.say(ok)
		c.read()
		at.Store(1)
	})
	_, port, _ := strings.Cut(r.Addr().String(), ":")
	resolver := names(func(string) []string { return addrs[at.Load() : at.Load()+1] })
	c := client(t, outbound.Options{Loopback: true, Resolver: resolver})
	url := "http://rebind.example:" + port
	checkClass(t, post(t, c, url), "")
	checkClass(t, post(t, c, url), delivery.ErrBlocked)
}

// TestPostToReceiverThatClosesEarly checks that nothing is lost at a receiver that closes a kept connection shortly
// after each answer, without announcing it.
func TestPostToReceiverThatClosesEarly(t *testing.T) {
	const after = 3 * time.Millisecond
	r := receive(t, func(c *conn) {
		c.read()
		c.say(ok)
		<-time.After(after)
	})
	c := open(t)
	pace := time.NewTicker(after)
	defer pace.Stop()
	for range 60 {
		checkClass(t, post(t, c, r.URL), "")
		<-pace.C
	}
}

// TestPostAgainOverTLS loses kept connections over TLS.
func TestPostAgainOverTLS(t *testing.T) {
	for name, version := range map[string]func(*httptest.Server){"HTTP/1.1": as1, "HTTP/2": as2} {
		t.Run(name, func(t *testing.T) {
			var requests, kept atomic.Int64
			s, c := secure(t, func(w http.ResponseWriter, r *http.Request) {
				if requests.Add(1) != 2 {
					fine(w, r)
					return
				}
				r.Context().Value(connKey{}).(*tls.Conn).NetConn().Close()
			}, func(s *httptest.Server) { version(s); s.Config.ConnContext = withConn(&kept) })
			checkClass(t, post(t, c, s.URL), "")
			again := post(t, c, s.URL)
			checkClass(t, again, "")
			if requests.Load() != 3 || kept.Load() != 2 || again.Timing.TLS < 0 {
				t.Errorf("%d requests on %d connections, timing %+v", requests.Load(), kept.Load(), again.Timing)
			}
		})
	}
}

// connKey is the context key for the connection of a request.
type connKey struct{}

// withConn puts the connection into the context of every request and counts connections.
func withConn(count *atomic.Int64) func(context.Context, net.Conn) context.Context {
	return func(ctx context.Context, c net.Conn) context.Context {
		count.Add(1)
		return context.WithValue(ctx, connKey{}, c)
	}
}

// TestPostAgainOverHTTP2 checks that a request is repeated on a new connection if its stream was refused, if its stream
// is above the last one of a GOAWAY, or if its kept connection was lost. Any other response to a stream is an answer.
func TestPostAgainOverHTTP2(t *testing.T) {
	reset := func(code http2.ErrCode) func(f *http2.Framer, stream uint32) bool {
		return func(f *http2.Framer, stream uint32) bool { return f.WriteRSTStream(stream, code) == nil }
	}
	goaway := func(above uint32, code http2.ErrCode, stays bool) func(f *http2.Framer, stream uint32) bool {
		return func(f *http2.Framer, stream uint32) bool {
			return f.WriteGoAway(stream-above, code, []byte("http2: Transport: cannot retry err [REFUSED_STREAM")) == nil && stays
		}
	}
	hangUp := func(*http2.Framer, uint32) bool { return false }
	const (
		refused, protocol, cancel = http2.ErrCodeRefusedStream, http2.ErrCodeProtocol, http2.ErrCodeCancel
		no, calm                  = http2.ErrCodeNo, http2.ErrCodeEnhanceYourCalm
	)
	tests := []struct {
		name    string
		kept    bool // whether the connection had served a request before
		body    []byte
		first   func(f *http2.Framer, stream uint32) (more bool)
		repeats bool
	}{
		{"refused", false, nil, reset(refused), true},
		{"refused", true, nil, reset(refused), true},
		{"refused during a large body", true, large, reset(refused), true},
		{"above a GOAWAY", false, nil, goaway(1, no, true), true},
		{"above a GOAWAY", true, nil, goaway(2, no, true), true},
		{"above a GOAWAY that closes", true, nil, goaway(2, no, false), true},
		{"above a GOAWAY with an error", false, nil, goaway(1, calm, true), true},
		{"above a GOAWAY with an error", true, nil, goaway(2, calm, true), true},
		{"above a GOAWAY during a large body", true, large, goaway(2, no, true), true},
		{"within a GOAWAY that closes", false, nil, goaway(0, no, false), false},
		{"within a GOAWAY that closes", true, nil, goaway(0, no, false), true},
		{"hangs up", false, nil, hangUp, false},
		{"hangs up", true, nil, hangUp, true},
		{"hangs up during a large body", true, large, hangUp, true},
		{"protocol error", false, nil, reset(protocol), false},
		{"protocol error", true, nil, reset(protocol), false},
		{"cancelled", true, nil, reset(cancel), false},
		{"cancelled without an error", true, nil, reset(no), false},
	}
	for _, test := range tests {
		for _, ever := range []bool{false, true} {
			name := test.name
			if test.kept {
				name += ", kept"
			}
			if ever {
				name += ", for ever"
			}
			t.Run(name, func(t *testing.T) {
				var mu sync.Mutex
				var streams []uint32
				judged := 0
				url, c, _ := frames(t, func(f *http2.Framer, stream uint32) bool {
					mu.Lock()
					defer mu.Unlock()
					streams = append(streams, stream)
					if test.kept && len(streams) == 1 {
						return headers(f, stream, ":status", "204")
					}
					if judged++; judged == 1 {
						return test.first(f, stream)
					}
					if ever {
						return reset(refused)(f, stream)
					}
					return headers(f, stream, ":status", "204")
				})
				want, class := []uint32{1}, delivery.ErrorClass("")
				if test.kept {
					checkClass(t, post(t, c, url), "")
					want = append(want, 3)
				}
				if test.repeats {
					want = append(want, 1) // the first stream of a new connection
				}
				if !test.repeats || ever {
					class = delivery.ErrReset
				}
				asked := request(url)
				if test.body != nil {
					asked.Body = test.body
				}
				checkClass(t, c.Post(t.Context(), asked), class)
				mu.Lock()
				defer mu.Unlock()
				if !slices.Equal(streams, want) {
					t.Errorf("streams %v, want %v", streams, want)
				}
			})
		}
	}
}

// TestPostAgainAfterSilence checks that a kept connection that stopped responding is given up when its pings are not
// answered, while the attempt still has time.
func TestPostAgainAfterSilence(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	url, c, _ := frames(t, func(f *http2.Framer, stream uint32) bool {
		return asked.Add(1) == 2 || headers(f, stream, ":status", "204") // pings are never answered
	})
	checkClass(t, post(t, c, url), "")
	got := post(t, c, url)
	checkClass(t, got, "")
	if asked.Load() != 3 || got.Timing.TLS < 0 || got.Timing.FirstByte < got.Timing.TLS {
		t.Errorf("%d requests, timing %+v", asked.Load(), got.Timing)
	}
}
