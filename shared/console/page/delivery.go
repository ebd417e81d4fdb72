package page

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"nepenthes/shared/api"
	"nepenthes/shared/delivery"
	"nepenthes/shared/payload"
	"nepenthes/shared/webhook"
)

// Delivery is the page of one delivery.
type Delivery struct {
	Frame
	Trail                []Crumb
	Summary              *Summary
	ID, EventType        string
	EventID              string
	Webhook, WebhookHref string
	Received             *Time
	State                Mark
	Sentence             []Part
	RetryAction          string
	NoRetry              string // why the delivery cannot be retried; empty if it can
	Follow               bool
	Attempts             []Attempt
	Bodies               []Body
	Curl                 *Curl
}

// Part is a part of a sentence: a text, which a time can follow.
type Part struct {
	Text string
	At   *Time
}

// Attempt is an attempt on the page.
type Attempt struct {
	Number                         int
	Outcome                        Mark
	StartedAt                      *Time
	Trigger                        string
	Explanation                    *Explanation
	Timing                         Waterfall
	Open                           bool
	URL                            string
	RequestHeaders, AnswerHeaders  []HeaderLine
	BodyNote                       string
	Answered                       bool
	Status, AnswerBody, AnswerNote string
}

// HeaderLine is the name and value of a header.
type HeaderLine struct{ Name, Value string }

// DeliveryOptions configures the page of a delivery.
type DeliveryOptions struct {
	// Retriable shows the button to retry.
	Retriable bool
	// Raw shows the bodies of requests as they were sent.
	Raw bool
	Now time.Time
}

// NewDelivery returns the page. webhooks has the delivery's webhook by id. It is nil if the client may not see the
// webhook, and empty if the webhook was deleted. refused is the fault of a retry, or nil.
func NewDelivery(f Frame, d *api.DeliveryDetails, webhooks map[string]*webhook.Webhook, o DeliveryOptions, refused error) *Delivery {
	f.Title = "Delivery of " + d.EventType
	p := &Delivery{
		Frame: f, Trail: []Crumb{{"Deliveries", f.To("/deliveries")}}, Summary: SummaryOf(refused, nil),
		ID: d.ID(), EventType: d.EventType, EventID: d.EventID, Webhook: webhookName(d.Webhook, webhooks), Received: Moment(d.CreatedAt),
		State: deliveryMark(d.State), Sentence: sentence(&d.Delivery, webhooks, o.Now), Follow: follows(&d.Delivery, webhooks, o.Now),
	}
	if webhooks[d.Webhook] != nil {
		p.WebhookHref = f.To("/webhooks/" + d.Webhook)
		p.Trail = []Crumb{{"Webhooks", f.To("/webhooks")}, {p.Webhook, p.WebhookHref}}
	}
	self := f.To("/deliveries/" + p.ID)
	if o.Retriable && d.State != delivery.Pending && d.State != delivery.Held {
		if p.NoRetry = noRetry(d.Webhook, webhooks); p.NoRetry == "" {
			p.RetryAction = self + "/retry"
		}
	}
	requests := payload.Requests(d.Event, d.Key, d.Attempts, d.ShowBodies)
	for i, r := range slices.Backward(requests) {
		shown := attempt(&r)
		shown.Open, shown.BodyNote = i == len(requests)-1, bodyNote(d, &r) // only the newest attempt is open
		p.Attempts = append(p.Attempts, shown)
	}
	p.Bodies = bodies(requests, self, o.Raw)
	p.Curl = curl(requests, self)
	return p
}

// soon is the longest wait for an attempt during which the page is followed. Nobody watches a page for hours.
const soon = time.Minute

// follows reports whether the page must be followed: an attempt is running, was requested, or is due soon, or the delivery
// is held and its webhook was resumed.
func follows(d *delivery.Delivery, webhooks map[string]*webhook.Webhook, now time.Time) bool {
	if d.UnderWay() {
		return true
	}
	switch d.State {
	case delivery.Held:
		w := webhooks[d.Webhook]
		return w != nil && w.State() == webhook.Active
	case delivery.Pending:
		return d.NextAttemptAt.Before(now.Add(soon))
	case delivery.Retrying:
		return !d.NextAttemptAt.IsZero() && d.NextAttemptAt.Before(now.Add(soon))
	}
	return false
}

// sentence describes the state of the delivery.
func sentence(d *delivery.Delivery, webhooks map[string]*webhook.Webhook, now time.Time) []Part {
	failed := "Failed " + timesText(d.AttemptCount)
	switch d.State {
	case delivery.Pending:
		if !d.NextAttemptAt.IsZero() {
			return []Part{{"No attempt yet. The first one is due at ", Moment(d.NextAttemptAt)}}
		}
		return []Part{{Text: "The first attempt is about to be made."}}
	case delivery.Retrying:
		if d.UnderWay() || !d.NextAttemptAt.After(now) {
			return []Part{{Text: failed + ", the next attempt is being made."}}
		}
		return []Part{{failed + ", next attempt at ", Moment(d.NextAttemptAt)}}
	case delivery.Held:
		return []Part{{Text: heldSentence(d.Webhook, webhooks)}}
	case delivery.Delivered:
		return []Part{{"Arrived with " + attemptText(d.AttemptCount) + " at ", Moment(d.FinishedAt)}}
	}
	if d.UnderWay() {
		return []Part{{Text: endReason(d) + " Another attempt is being made."}}
	}
	return []Part{{endReason(d) + " Since ", Moment(d.FinishedAt)}}
}

// endReason returns the reason why the schedule has no further attempts.
func endReason(d *delivery.Delivery) string {
	switch d.Reason {
	case delivery.Exhausted:
		why := ", and the schedule has no more attempts."
		if d.Origin == delivery.TriggerPing {
			why = ", and a test event is not retried."
		}
		return "Failed " + timesText(d.AttemptCount) + why
	case delivery.Gone:
		return "The receiver answered 410 Gone, so it gets no further attempts."
	case delivery.Expired:
		return "Given up, because the event has expired."
	case delivery.Dropped:
		return "Not sent, because somebody resumed the webhook and dropped what was held."
	case delivery.Disabled:
		return "Not sent, because the webhook was disabled when the delivery was due."
	case delivery.Deleted:
		return "Not sent, because the webhook was deleted."
	case delivery.Unsubscribed:
		return "Not sent, because the webhook was no longer subscribed when the delivery was due."
	}
	return "The delivery has ended."
}

func timesText(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}

func attemptText(n int) string {
	if n <= 1 {
		return "the first attempt"
	}
	return fmt.Sprintf("attempt %d", n)
}

var triggers = map[delivery.Trigger]string{delivery.TriggerManual: "requested by a person", delivery.TriggerPing: "test event"}

// attempt returns the attempt as the page shows it.
func attempt(r *payload.Request) Attempt {
	a := r.Attempt
	shown := Attempt{
		Number: a.Number, StartedAt: Moment(a.StartedAt), Trigger: triggers[a.Trigger], Timing: waterfall(&a.Timing),
		URL: a.URL, RequestHeaders: headerLines(r.Headers), Outcome: Mark{good, "check", "Delivered"},
	}
	status := 0
	if a.Response != nil {
		status, shown.Answered = a.Response.Status, true
		shown.Status = statusText(status)
		shown.AnswerHeaders = headerLines(delivery.Joined(a.Response.Headers))
		shown.AnswerBody, shown.AnswerNote = answerBody(a.Response)
	}
	if a.Outcome != delivery.OutcomeDelivered {
		shown.Outcome = Mark{bad, "cross", "Failed"}
	}
	if a.ErrorClass != "" {
		shown.Outcome.Text = "Failed: " + shown.Status
		if a.ErrorClass != delivery.ErrStatus {
			shown.Outcome.Text = "Failed: " + className(a.ErrorClass)
		}
		shown.Explanation = explain(a.ErrorClass, status)
	}
	return shown
}

// headerLines returns the headers in alphabetical order. The order in which they were sent is not stored.
func headerLines(headers map[string]string) []HeaderLine {
	var lines []HeaderLine
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		lines = append(lines, HeaderLine{name, visible(headers[name])})
	}
	return lines
}

// bodyNote returns where the body of a request is shown, or why it is not.
func bodyNote(d *api.DeliveryDetails, r *payload.Request) string {
	switch {
	case r.Body != nil:
		return "The body is shown below."
	case d.Event == nil:
		return "The body is no longer available, because the event has expired."
	}
	return "Only applications with the scope events:read can see bodies."
}

// answerBody returns the body of an answer as the page shows it, and a note about it.
func answerBody(r *delivery.Response) (body, note string) {
	var notes []string
	text, isText := r.Text()
	if !isText {
		text = base64.StdEncoding.EncodeToString(r.Body)
		notes = append(notes, "The body is not text and is shown in base64.")
	}
	if r.Truncated {
		notes = append(notes, "Only the beginning was stored.")
	}
	if text == "" {
		notes = append(notes, "There is no body.")
	}
	return visible(text), strings.Join(notes, " ")
}

// visible replaces control characters by their pictures (Unicode block "Control Pictures"), and characters that change
// the direction of text by replacement characters. So a foreign text can neither hide a part of itself nor move the text
// next to it.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < ' ':
			return 0x2400 + r
		case r == 0x7f:
			return 0x2421
		case r >= 0x80 && r < 0xa0, r == 0x200e, r == 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return utf8.RuneError
		}
		return r
	}, strings.ReplaceAll(text, "\r\n", "\n"))
}

// Body is the body of one or more requests.
type Body struct {
	ID, Label, Text               string
	Toggle, ToggleHref, WholeHref string
	Size, Cut                     string
}

// bodyShown is how much of a body the page shows, in bytes.
const bodyShown = 16 << 10

// bodies returns each different body that was sent. Attempts have different bodies only if the webhook's format changed.
func bodies(requests []payload.Request, self string, raw bool) []Body {
	var list []Body
	var seen []*string
	for _, r := range slices.Backward(requests) {
		if r.Body == nil || slices.Contains(seen, r.Body) {
			continue
		}
		seen = append(seen, r.Body)
		b := Body{
			ID: fmt.Sprintf("body-%d", r.Attempt.Number), Label: "Request body", Text: *r.Body, Size: size(len(*r.Body)),
			Toggle: "As it was sent", ToggleHref: self + "?body=raw", WholeHref: bodyHref(self, r.Attempt),
		}
		if len(list) > 0 {
			b.Label = fmt.Sprintf("Request body up to attempt %d", r.Attempt.Number)
		}
		cut := false
		if raw {
			b.Toggle, b.ToggleHref = "Pretty-printed", self
			b.Text, cut = truncate(b.Text, bodyShown)
		} else {
			b.Text, cut = pretty(b.Text, bodyShown)
		}
		if b.Text = visible(b.Text); cut {
			b.Cut = "Only the first 16 KiB are shown here."
		}
		list = append(list, b)
	}
	return list
}

func size(bytes int) string {
	if bytes < 1000 {
		return plural(bytes, "byte", "bytes")
	}
	return fmt.Sprintf("%.1f KB", float64(bytes)/1000)
}
