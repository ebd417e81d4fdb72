package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"nepenthes/shared/delivery"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// receiver is the other side: it verifies every request with the official Standard Webhooks library and prints
// a line about it, whatever it answers.
type receiver struct {
	verifier *standardwebhooks.Webhook
	now      func() time.Time

	mu    sync.Mutex // protects what follows
	out   io.Writer
	flaky map[string]int // attempts seen, by webhook-id
}

// newReceiver makes a receiver that verifies with the secret and prints to out.
func newReceiver(secret string, out io.Writer) (*receiver, error) {
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return nil, fmt.Errorf("the receiver's secret is not one that the Standard Webhooks library takes: %w", err)
	}
	return &receiver{verifier: verifier, now: time.Now, out: out, flaky: map[string]int{}}, nil
}

// ServeHTTP reads the request whole, prints its line, and answers as its path says.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	arrived := r.now()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the sender broke off: nothing arrived
	}
	mark := "✓"
	if r.verifier.Verify(body, req.Header) != nil {
		mark = "✗"
	}
	r.print(fmt.Sprintf("%s %s attempt=%s %s %s", mark, word(req.Header.Get("X-Nepenthes-Event")),
		word(req.Header.Get("X-Nepenthes-Attempt")), latency(req.Header.Get("webhook-id"), arrived), word(req.URL.EscapedPath())))
	r.answer(w, req)
}

// longestWord is how many bytes of a stranger's text are printed at most.
const longestWord = 100

// word makes a stranger's text safe to print on a terminal: any web page can make a browser send a request here.
// It is one word of visible ASCII, quoted where it holds anything else, so it moves no cursor, ends no line, turns
// no direction of writing and looks like no line of ours.
func word(text string) string {
	cut := ""
	if len(text) > longestWord {
		text, cut = text[:longestWord], "..."
	}
	if quoted := strconv.QuoteToASCII(text); quoted != `"`+text+`"` || strings.Contains(text, " ") {
		text = quoted
	}
	return text + cut
}

// print writes one line whole, also when many requests come at once.
func (r *receiver) print(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintln(r.out, line)
}

// latency is the time since the event was pushed, which the delivery's id carries.
func latency(deliveryID string, arrived time.Time) string {
	key, err := delivery.ParseKey(deliveryID)
	if err != nil {
		return "-"
	}
	return arrived.Sub(time.UnixMilli(key.ReceivedMs)).Round(time.Millisecond).String()
}

// answer answers by the first part of the path: /hooks/ 200, /flaky/ 500, 500, 200 for each delivery, /hang/
// never, /status/<code>.
func (r *receiver) answer(w http.ResponseWriter, req *http.Request) {
	kind, rest, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/")
	switch kind {
	case "hooks":
	case "flaky":
		if r.fails(req.Header.Get("webhook-id")) {
			w.WriteHeader(http.StatusInternalServerError)
		}
	case "hang":
		<-req.Context().Done() // until the sender or the process gives up
	case "status":
		code, err := strconv.Atoi(rest)
		if err != nil || code < 200 || code > 599 {
			code = http.StatusNotFound
		}
		w.WriteHeader(code)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// flakyFailures is how often a delivery fails at /flaky/ before it succeeds.
const flakyFailures = 2

// fails reports whether this attempt of the delivery shall fail.
func (r *receiver) fails(deliveryID string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flaky[deliveryID]++
	if r.flaky[deliveryID] <= flakyFailures {
		return true
	}
	delete(r.flaky, deliveryID)
	return false
}
