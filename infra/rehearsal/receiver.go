package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// receiver is the receiver of the story's webhook. It verifies requests with the official library. It answers 500 to
// the first attempt of each event of the faulty type.
type receiver struct {
	server *http.Server
	url    string
	faulty string // the event type

	mu       sync.Mutex
	secret   *standardwebhooks.Webhook
	got      []request
	failures []error
	changed  chan struct{} // closed and replaced at every request
}

// request is a verified request.
type request struct {
	id, event string
	attempt   int
	body      string
}

func listen(host, faulty string) (*receiver, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, fmt.Errorf("cannot listen on RECEIVER_HOST=%s: %w", host, err)
	}
	r := &receiver{url: "http://" + listener.Addr().String() + "/hooks", faulty: faulty, changed: make(chan struct{})}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = r.server.Serve(listener) }()
	return r, nil
}

func (r *receiver) close() { _ = r.server.Close() }

// trust makes the receiver verify with the secret from now on.
func (r *receiver) trust(secret string) error {
	verifier, err := standardwebhooks.NewWebhook(secret)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secret = verifier
	return err
}

// ServeHTTP verifies and records a request.
func (r *receiver) ServeHTTP(w http.ResponseWriter, in *http.Request) {
	body, err := io.ReadAll(in.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { close(r.changed); r.changed = make(chan struct{}) }()
	if err == nil {
		err = r.secret.Verify(body, in.Header)
	}
	if err != nil {
		r.failures = append(r.failures, err)
		http.Error(w, "not verified", http.StatusBadRequest)
		return
	}
	got := request{id: in.Header.Get("Webhook-Id"), event: in.Header.Get("X-Nepenthes-Event"), body: string(body)}
	got.attempt, _ = strconv.Atoi(in.Header.Get("X-Nepenthes-Attempt"))
	r.got = append(r.got, got)
	if got.event == r.faulty && got.attempt == 1 {
		http.Error(w, "not just now", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// wait waits for n verified requests and returns all that have arrived. It returns an error as soon as a request could
// not be verified.
func (r *receiver) wait(ctx context.Context, n int) ([]request, error) {
	for {
		r.mu.Lock()
		got, failed, changed := r.got[:len(r.got):len(r.got)], errors.Join(r.failures...), r.changed
		r.mu.Unlock()
		if failed != nil {
			return got, fmt.Errorf("a request could not be verified: %w", failed)
		}
		if len(got) >= n {
			return got, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return got, fmt.Errorf("%d of %d requests arrived: %w", len(got), n, ctx.Err())
		}
	}
}
