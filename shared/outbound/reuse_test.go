package outbound_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"nepenthes/shared/delivery"
	"nepenthes/shared/outbound"
)

func TestPostKeepsConnections(t *testing.T) {
	r := receive(t, func(c *conn) {
		for c.read() && c.say(ok) { //nolint:revive // the condition does all the work
		}
	})
	c := open(t)
	for range 100 {
		checkClass(t, post(t, c, r.URL), "")
	}
	if n := r.Accepted.Load(); n != 1 {
		t.Errorf("%d connections for 100 requests, want 1", n)
	}
	t.Run("many at a time", func(t *testing.T) {
		var calls sync.WaitGroup
		for range 20 {
			calls.Go(func() {
				for range 20 {
					checkClass(t, post(t, c, r.URL), "")
				}
			})
		}
		calls.Wait()
		if n := r.Accepted.Load(); n > 2*20 { // a caller may dial and then get a connection that became free
			t.Errorf("%d connections for 20 callers", n)
		}
	})
}

// stalling is a listener that holds back its second connection until it is released. The client has then connected, but
// gets no further.
type stalling struct {
	net.Listener
	accepted       atomic.Int64
	stalled, ended chan struct{}
}

func (l *stalling) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil && l.accepted.Add(1) == 2 {
		close(l.stalled)
		<-l.ended
	}
	return conn, err
}

// TestPostMeasuresKeptConnectionWhileConnecting checks that a call that began to connect, but got a kept connection
// that became free, has no phases of connecting.
func TestPostMeasuresKeptConnectionWhileConnecting(t *testing.T) {
	listener := &stalling{stalled: make(chan struct{}), ended: make(chan struct{})}
	first := make(chan struct{}, 2)
	s, c := secure(t, func(w http.ResponseWriter, r *http.Request) {
		first <- struct{}{}
		<-listener.stalled
		fine(w, r)
	}, func(s *httptest.Server) { listener.Listener, s.Listener = s.Listener, listener })
	defer close(listener.ended)
	var calls sync.WaitGroup
	calls.Go(func() { checkClass(t, post(t, c, s.URL), "") })
	<-first
	got := post(t, c, s.URL)
	calls.Wait()
	checkClass(t, got, "")
	if got.Timing.Connect != delivery.NoPhase || got.Timing.TLS != delivery.NoPhase || got.Timing.FirstByte < 0 {
		t.Errorf("timing %+v, want no phases of connecting", got.Timing)
	}
}

// TestPostOnConnectionClosedWhileIdle checks that a connection that the receiver closed while it was idle costs no
// attempt.
func TestPostOnConnectionClosedWhileIdle(t *testing.T) {
	noticed := make(chan struct{}, 1)
	r := receive(t, func(c *conn) {
		c.read()
		c.say(ok)
		c.end() // returns when the client has closed the connection too
		noticed <- struct{}{}
	})
	c := open(t)
	for range 20 {
		checkClass(t, post(t, c, r.URL), "")
		<-noticed
	}
	if n := r.Requests.Load(); n != 20 {
		t.Errorf("%d requests arrived, want 20", n)
	}
}

// TestPostUnderLoadDelivers checks that each POST is delivered, and at most once more, whatever happens to connections.
func TestPostUnderLoadDelivers(t *testing.T) {
	var mu sync.Mutex
	arrived := map[string]int{}
	r := receive(t, func(c *conn) { // closes without an announcement after every third answer
		for range 3 {
			if !c.read() {
				return
			}
			mu.Lock()
			arrived[c.request.Header.Get("Webhook-Id")]++
			mu.Unlock()
			c.say(ok)
		}
	})
	c := open(t)
	results := make([]outbound.Result, 600)
	var calls sync.WaitGroup
	for caller := range 6 {
		calls.Go(func() {
			for i := caller; i < len(results); i += 6 {
				asked := request(r.URL)
				asked.Header["webhook-id"] = []string{fmt.Sprint(i)}
				asked.Header["Idempotency-Key"] = []string{"k"}
				results[i] = c.Post(t.Context(), asked)
			}
		})
	}
	calls.Wait()
	mu.Lock()
	defer mu.Unlock()
	for i, got := range results {
		checkClass(t, got, "")
		if n := arrived[fmt.Sprint(i)]; n < 1 || n > 2 {
			t.Errorf("request %d arrived %d times, want 1 or 2", i, n)
		}
	}
}
