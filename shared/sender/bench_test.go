package sender_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"nepenthes/events"
	"nepenthes/shared/catalogue"
	"nepenthes/shared/delivery"
	"nepenthes/shared/id"
	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
	"nepenthes/shared/outbound"
	"nepenthes/shared/payload"
	"nepenthes/shared/record"
	"nepenthes/shared/sender"
	"nepenthes/shared/signing"
	"nepenthes/shared/sqlite"
	"nepenthes/shared/webhook"
)

// receiverVariable makes the test binary a receiver, so that the receiver does not use CPU time of the benchmark.
const receiverVariable = "SENDER_BENCH_RECEIVER"

func TestMain(m *testing.M) {
	if os.Getenv(receiverVariable) != "" {
		receive()
		return
	}
	os.Exit(m.Run())
}

// receive answers 200 to every request until its standard input ends, that is, until its parent process ends.
func receive() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr())
	go func() {
		_ = http.Serve(l, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// startReceiver starts a receiver in another process and returns its URL. The process ends with the benchmark.
func startReceiver(b *testing.B) string {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), receiverVariable+"=1")
	in, err := cmd.StdinPipe()
	must(b, err)
	out, err := cmd.StdoutPipe()
	must(b, err)
	must(b, cmd.Start())
	b.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	line := make([]byte, 64)
	n, err := out.Read(line)
	must(b, err)
	return "http://" + strings.TrimSpace(string(line[:n])) + "/hooks"
}

// benchDeliveries is the number of deliveries in a round. benchAtOnce is the number of concurrent deliveries.
const (
	benchDeliveries = 10_000
	benchAtOnce     = 16
)

// BenchmarkDelivery prints the CPU time of a delivery through the sender. Its floor is a loop that signs and POSTs the
// same bytes with a client that has the same settings. The first ratio is for a store that answers at once, because in
// the cloud the store does its work elsewhere. The second ratio includes the work of SQLite in memory.
func BenchmarkDelivery(b *testing.B) {
	url := startReceiver(b)
	var floor, own, embedded time.Duration
	for b.Loop() {
		floor += bare(b, url)
		own += through(b, url, true)
		embedded += through(b, url, false)
	}
	per := float64(benchDeliveries * b.N)
	b.ReportMetric(float64(floor.Microseconds())/per, "µs-CPU/bare")
	b.ReportMetric(float64(own.Microseconds())/per, "µs-CPU/delivery")
	b.ReportMetric(float64(own)/float64(floor), "ratio")
	b.ReportMetric(float64(embedded)/float64(floor), "ratio-with-SQLite")
}

// instantStore is a store that answers at once and on which every condition holds.
type instantStore struct {
	*sqlite.DB
	events map[events.Key]record.Event
}

func (s instantStore) Event(_ context.Context, key events.Key) (record.Event, error) {
	return s.events[key], nil
}

func (instantStore) PutDelivery(_ context.Context, d delivery.Delivery, _ *delivery.Attempt) (delivery.Delivery, bool, error) {
	d.Version++
	return d, true, nil
}

// recorded records the i-th event for w.
func recorded(b *testing.B, r *rig, i int, w webhook.Webhook) record.Event {
	b.Helper()
	rec := record.Event{Event: benchEvent(i), ReceivedAt: start, ExpiresAt: time.Now().Add(time.Hour), Trigger: delivery.TriggerSchedule}
	stored, _, _, err := r.store.PutEvent(b.Context(), rec, []string{w.ID})
	must(b, err)
	return stored
}

var benchData = json.RawMessage(`{"_type":"WorkPackage","id":42,"subject":"` + strings.Repeat("x", 900) + `"}`)

func benchEvent(i int) events.Event {
	return events.Event{
		ID: "evt_" + strconv.Itoa(i), Source: events.DefaultSource, Type: "work_package:updated",
		OccurredAt: "2026-01-02T11:00:00Z", Data: benchData,
	}
}

const benchSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// bare makes the deliveries without the sender and returns their CPU time. It is the floor.
func bare(b *testing.B, url string) time.Duration {
	b.Helper()
	secret, err := signing.Parse(benchSecret)
	must(b, err)
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: benchAtOnce, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	e := benchEvent(0)
	rec := record.Event{Event: e, ReceivedAt: start}
	key := rec.DeliveryKey("wh_01JGK0000000000000000000AA")
	a := &delivery.Attempt{ID: "att_01JGK0000000000000000000AA", Number: 1, StartedAt: start}
	header, body := payload.Headers(&rec, key, a), payload.Body(webhook.FormatNepenthes, e)
	return measured(func(int) {
		ctx, cancel := context.WithTimeout(b.Context(), limits.ExchangeTimeout)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		must(b, err)
		req.Header = header.Clone()
		req.Header[payload.HeaderSignature] = []string{signing.Sign(key.ID(), start.Unix(), body, []signing.Secret{secret})}
		resp, err := client.Do(req)
		must(b, err)
		_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, limits.AnswerBodyRead))
		must(b, err)
		must(b, resp.Body.Close())
	})
}

// through makes the same deliveries through the sender and returns their CPU time.
func through(b *testing.B, url string, instant bool) time.Duration {
	b.Helper()
	r := newRig(b)
	w := r.webhook(func(w *webhook.Webhook) {
		w.PayloadURL = url
		s := webhook.Secret{ID: id.New(id.Secret, start), Kind: signing.HMAC, CreatedAt: start}
		var err error
		s.Sealed, err = r.sealer.Seal(b.Context(), []byte(benchSecret), webhook.SecretInfo(w.ID, s.ID))
		must(b, err)
		w.Secrets = []webhook.Secret{s}
	})
	client := outbound.New(outbound.Options{Loopback: true, MaxConns: benchAtOnce})
	defer client.CloseIdleConnections()
	var store ledger = r.store
	quick := instantStore{r.store, map[events.Key]record.Event{}}
	if instant {
		store = quick
	}
	s := sender.New(sender.Config{
		Catalogue: catalogue.New(store), Events: store, Deliveries: store, Webhooks: store, Retries: r,
		Opener: r.opener, Client: client, Logger: slog.New(slog.DiscardHandler),
	})
	bells := make([]lane.Message, benchDeliveries)
	for i := range bells {
		rec := recorded(b, r, i, w)
		quick.events[rec.Key()] = rec
		bells[i] = lane.Doorbell(rec.DeliveryKey(w.ID).ID(), w.ID)
	}
	return measured(func(i int) { must(b, s.Handle(b.Context(), bells[i])) })
}

// measured makes all deliveries and returns the CPU time that this process spent on them.
func measured(deliver func(i int)) time.Duration {
	before := cpu()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range benchAtOnce {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < benchDeliveries; i = next.Add(1) - 1 {
				deliver(int(i))
			}
		})
	}
	wg.Wait()
	return cpu() - before
}

// cpu returns the user and system CPU time of this process so far.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
