package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nepenthes/shared/delivery"
)

// sink is a receiver that counts requests and records when each delivery first arrived.
type sink struct {
	*httptest.Server
	count atomic.Int64
	want  atomic.Int64
	full  chan struct{} // closed when want deliveries have arrived

	mu    sync.Mutex
	waits []time.Duration // from push to arrival
}

func newSink(t testing.TB) *sink {
	s := &sink{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived := time.Now()
		if key, err := delivery.ParseKey(r.Header.Get("webhook-id")); err == nil {
			s.mu.Lock()
			s.waits = append(s.waits, arrived.Sub(time.UnixMilli(key.ReceivedMs)))
			s.mu.Unlock()
		}
		if s.count.Add(1) == s.want.Load() {
			close(s.full)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// expect sets full to a new channel, which is closed when n more deliveries have arrived.
func (s *sink) expect(n int64) {
	s.full = make(chan struct{})
	s.count.Store(0)
	s.want.Store(n)
	s.mu.Lock()
	s.waits = nil
	s.mu.Unlock()
}

// quantile returns the wait that the given share of deliveries did not exceed.
func (s *sink) quantile(share float64) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.waits)
	return s.waits[int(share*float64(len(s.waits)-1))]
}

// pad enlarges an event to about 1 KiB.
var pad = strings.Repeat("x", 850)

func eventBody(run string, i int) string {
	return fmt.Sprintf(`{"id":"%s-%d","type":"work_package:updated","occurredAt":"2026-01-02T11:00:00Z","project":{"id":"7"},"data":{"_type":"WorkPackage","id":%d,"subject":"%s"}}`, run, i, i, pad)
}

// push pushes n events from the given number of concurrent producers.
func (p *program) push(run string, n, producers int) {
	p.t.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range producers {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				p.do(p.request(http.MethodPost, "/api/v3/events", eventBody(run, int(i))), http.StatusAccepted)
			}
		})
	}
	wg.Wait()
}

// BenchmarkPath measures the whole path with a data folder, over HTTP. The program runs in a process of its own.
func BenchmarkPath(b *testing.B) {
	b.Run("10000 events from 16 producers to 1 webhook", func(b *testing.B) { benchThroughput(b, 10_000, 16, 1) })
	b.Run("1000 events to 10 webhooks", func(b *testing.B) { benchThroughput(b, 1_000, 16, 10) })
	b.Run("50 events a second for 30 s", benchLatency)
}

func benchThroughput(b *testing.B, events, producers, webhooks int) {
	p, s := start(b, "-data", b.TempDir(), "-demo=false"), newSink(b)
	for i := range webhooks {
		p.webhook(fmt.Sprint("hook ", i), s.URL)
	}
	p.push("warm", 200, producers)
	for b.Loop() {
		s.expect(int64(events * webhooks))
		before, _ := p.used()
		begun := time.Now()
		p.push(fmt.Sprint("run", begun.UnixNano()), events, producers)
		accepted := time.Since(begun)
		<-s.full
		all := time.Since(begun)
		after, peak := p.used()
		b.ReportMetric(float64(events)/accepted.Seconds(), "accepted/s")
		b.ReportMetric(float64(events*webhooks)/all.Seconds(), "deliveries/s")
		b.ReportMetric(float64((after-before).Microseconds())/float64(events), "µs-CPU/event")
		b.ReportMetric(float64((after-before).Microseconds())/float64(events*webhooks), "µs-CPU/delivery")
		b.ReportMetric(float64(peak)/1e6, "MB")
	}
	p.interrupt()
}

func benchLatency(b *testing.B) {
	p, s := start(b, "-data", b.TempDir(), "-demo=false"), newSink(b)
	p.webhook("hook", s.URL)
	const perSecond, seconds = 50, 30
	for b.Loop() {
		s.expect(perSecond * seconds)
		run := fmt.Sprint("run", time.Now().UnixNano())
		tick := time.NewTicker(time.Second / perSecond)
		for i := range perSecond * seconds {
			<-tick.C
			p.do(p.request(http.MethodPost, "/api/v3/events", eventBody(run, i)), http.StatusAccepted)
		}
		tick.Stop()
		<-s.full
		_, peak := p.used()
		b.ReportMetric(float64(s.quantile(0.5).Microseconds())/1000, "ms-p50")
		b.ReportMetric(float64(s.quantile(0.99).Microseconds())/1000, "ms-p99")
		b.ReportMetric(float64(peak)/1e6, "MB")
	}
}

// BenchmarkNeighbour measures the p99 of ten webhooks while the receiver of another webhook hangs and 2,000 events wait
// for it, relative to their p99 without it.
func BenchmarkNeighbour(b *testing.B) {
	p, s := start(b, "-data", b.TempDir(), "-demo=false"), newSink(b)
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	b.Cleanup(hanging.CloseClientConnections)
	for i := range 10 {
		body := fmt.Sprintf(`{"name":"hook %d","payloadUrl":%q,"events":["work_package:*"]}`, i, s.URL)
		p.call(http.MethodPost, "/api/v3/webhooks", body, http.StatusCreated)
	}
	p.call(http.MethodPost, "/api/v3/webhooks", fmt.Sprintf(`{"name":"hanging","payloadUrl":%q,"events":["user:*"]}`, hanging.URL), http.StatusCreated)
	for b.Loop() {
		alone := p.p99(s, "alone")
		for i := range 2000 {
			body := fmt.Sprintf(`{"id":"hang-%d-%d","type":"user:created","occurredAt":"2026-01-02T11:00:00Z","data":1}`, b.N, i)
			p.do(p.request(http.MethodPost, "/api/v3/events", body), http.StatusAccepted)
		}
		beside := p.p99(s, "beside")
		b.ReportMetric(float64(alone.Microseconds())/1000, "ms-p99-alone")
		b.ReportMetric(float64(beside.Microseconds())/1000, "ms-p99-beside")
		b.ReportMetric(float64(beside)/float64(alone), "ratio")
	}
}

// p99 pushes twenty events a second for ten seconds and returns the p99 of their latency.
func (p *program) p99(s *sink, run string) time.Duration {
	p.t.Helper()
	const perSecond, seconds, webhooks = 20, 10, 10
	s.expect(perSecond * seconds * webhooks)
	run = fmt.Sprint(run, time.Now().UnixNano())
	tick := time.NewTicker(time.Second / perSecond)
	defer tick.Stop()
	for i := range perSecond * seconds {
		<-tick.C
		p.do(p.request(http.MethodPost, "/api/v3/events", eventBody(run, i)), http.StatusAccepted)
	}
	<-s.full
	return s.quantile(0.99)
}
