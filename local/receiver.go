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

// receiver receives the webhooks. It verifies every request with the official Standard Webhooks library and prints a
// line about it, whatever it answers.
type receiver struct {
	verifier *standardwebhooks.Webhook
	now      func() time.Time

	mu    sync.Mutex // protects what follows
	out   io.Writer
	flaky map[string]int // attempts seen, by webhook-id
}

// newReceiver returns a new receiver that verifies with the secret and prints to out.
func newReceiver(secret string, out io.Writer) (*receiver, error) {
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return nil, fmt.Errorf("the Standard Webhooks library does not accept the receiver's secret: %w", err)
	}
	return &receiver{verifier: verifier, now: time.Now, out: out, flaky: map[string]int{}}, nil
}

// ServeHTTP reads the whole request, prints a line about it, and answers as its path says.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	arrived := r.now()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the sender closed the connection before the body was complete
	}
	mark := "✓"
	if r.verifier.Verify(body, req.Header) != nil {
		mark = "✗"
	}
	r.print(fmt.Sprintf("%s %s attempt=%s %s %s", mark, word(req.Header.Get("X-Nepenthes-Event")),
		word(req.Header.Get("X-Nepenthes-Attempt")), latency(req.Header.Get("webhook-id"), arrived), word(req.URL.EscapedPath())))
	r.answer(w, req)
}

// longestWord is the maximum number of bytes of a request's text that are printed.
const longestWord = 100

// word makes a text of a request safe to print on a terminal. Any web page can make a browser send a request here. The
// result is one word of visible ASCII, quoted if the text has other characters. So it cannot move the cursor, end the
// line, change the writing direction, or look like a line of this program.
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

// print writes one line. Lines do not mix when many requests come at once.
func (r *receiver) print(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintln(r.out, line)
}

// latency returns the time since the event was pushed. The delivery's id contains the time of the push.
func latency(deliveryID string, arrived time.Time) string {
	key, err := delivery.ParseKey(deliveryID)
	if err != nil {
		return "-"
	}
	return arrived.Sub(time.UnixMilli(key.ReceivedMs)).Round(time.Millisecond).String()
}

// answer answers according to the first part of the path: 200 for /hooks/; 500, 500 and then 200 for each delivery to
// /flaky/; nothing for /hang/; and the code for /status/<code>.
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

// flakyFailures is how often a delivery to /flaky/ fails before it succeeds.
const flakyFailures = 2

// fails reports whether the current attempt of the delivery must fail.
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
