package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	kills     = 30
	producers = 4
	// loadMax is the longest time that a process works under load before it is killed.
	loadMax = 400 * time.Millisecond
	// arriveLimit is how long the last events may take after the last start.
	arriveLimit = 60 * time.Second
)

// arrivals is a receiver that records in which life of the program each delivery arrived.
type arrivals struct {
	mu    sync.Mutex
	life  int
	lives map[string][]int // by event id
	news  chan struct{}
	conns map[net.Conn]bool // open ones
	empty *sync.Cond        // signalled when a connection ends
}

func newArrivals() *arrivals {
	a := &arrivals{lives: map[string][]int{}, news: make(chan struct{}, 1), conns: map[net.Conn]bool{}}
	a.empty = sync.NewCond(&a.mu)
	return a
}

// track records the open connections (http.Server.ConnState).
func (a *arrivals) track(c net.Conn, state http.ConnState) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch state {
	case http.StateNew:
		a.conns[c] = true
	case http.StateClosed:
		delete(a.conns, c)
		a.empty.Broadcast()
	}
}

// settle waits until all requests of a killed process have been read. Connections are accepted in order, so when a
// connection of settle has been accepted, those of the process are known. Each of them ends when it has been read.
func (a *arrivals) settle(t *testing.T, url string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	check(t, err)
	_ = resp.Body.Close()
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.conns) > 0 {
		a.empty.Wait()
	}
}

func (a *arrivals) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	_, rest, found := strings.Cut(string(body), `"subject":"`)
	if !found {
		return // the request of settle
	}
	eventID, _, _ := strings.Cut(rest, `"`)
	a.mu.Lock()
	a.lives[eventID] = append(a.lives[eventID], a.life)
	a.mu.Unlock()
	select {
	case a.news <- struct{}{}:
	default:
	}
}

func (a *arrivals) begin(life int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.life = life
}

// missing returns an accepted event that has not arrived, or "" if all have arrived.
func (a *arrivals) missing(accepted map[string]bool) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for eventID := range accepted {
		if len(a.lives[eventID]) == 0 {
			return eventID
		}
	}
	return ""
}

// TestKilledAtAnyMoment kills the program at a random moment under load, thirty times in a row with the same folder.
// Every event that was answered 202 must arrive. A delivery may arrive twice only if it was in flight at a kill.
func TestKilledAtAnyMoment(t *testing.T) {
	folder := t.TempDir()
	a := newArrivals()
	receiver := httptest.NewUnstartedServer(a)
	receiver.Config.ConnState = a.track
	receiver.Start()
	defer receiver.Close()
	accepted := map[string]bool{}
	for life := range kills {
		a.begin(life)
		p := start(t, "-demo=false", "-data", folder)
		if life == 0 {
			p.webhook("receiver", receiver.URL)
		}
		for eventID := range underLoad(p, life) {
			accepted[eventID] = true
		}
		a.settle(t, receiver.URL)
	}
	a.begin(kills)
	start(t, "-demo=false", "-data", folder)
	deadline := time.After(arriveLimit)
	for eventID := a.missing(accepted); eventID != ""; eventID = a.missing(accepted) {
		select {
		case <-a.news:
		case <-deadline:
			t.Fatalf("%s, one of %d accepted events, never arrived", eventID, len(accepted))
		}
	}
	twice := 0
	a.mu.Lock() // deliveries that were in flight at the last kill may still arrive a second time
	defer a.mu.Unlock()
	for eventID, lives := range a.lives {
		for i := 1; i < len(lives); i++ {
			twice++
			if lives[i] == lives[i-1] {
				t.Errorf("%s arrived twice without a kill in between: in lives %v", eventID, lives)
			}
		}
	}
	t.Logf("%d events accepted, %d second arrivals around %d kills", len(accepted), twice, kills)
}

// underLoad pushes events until the program is killed, and returns the ids of those that were answered 202.
func underLoad(p *program, life int) map[string]bool {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	var mu sync.Mutex
	accepted := map[string]bool{}
	var pushing sync.WaitGroup
	for producer := range producers {
		pushing.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				eventID := fmt.Sprintf("life%d-%d-%d", life, producer, i)
				body := fmt.Sprintf(`{"id":%q,"type":"work_package:updated","occurredAt":"2026-01-02T11:00:00Z","data":{"subject":%q}}`, eventID, eventID)
				resp, err := p.client.Do(p.request(http.MethodPost, "/api/v3/events", body))
				if err != nil {
					continue // killed meanwhile: the producer does not know whether the event was accepted
				}
				_ = resp.Body.Close()
				if resp.StatusCode == http.StatusAccepted {
					mu.Lock()
					accepted[eventID] = true
					mu.Unlock()
				}
			}
		})
	}
	<-time.After(time.Duration(rand.Int64N(int64(loadMax)))) // the random moment of the kill
	p.kill()
	cancel()
	pushing.Wait()
	return accepted
}
