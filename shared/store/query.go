package store

import (
	"errors"
	"time"

	"nepenthes/shared/delivery"
)

// Query asks for deliveries, newest first: those of one webhook, or, without a webhook, those of all webhooks that
// need a person.
type Query struct {
	Webhook string
	// State and EventType keep only such deliveries; empty: all.
	State     delivery.State
	EventType string
	// Since (inclusive) and Until (exclusive) bound CreatedAt; zero: no bound.
	Since, Until time.Time
	// From is where the last page ended, exclusive; zero: the beginning.
	From delivery.Key
	// Backward asks for the page before From instead of after it; it is newest first as well.
	Backward bool
	// Limit is the most deliveries to return, at least 1.
	Limit int
}

// Page is an answer to a Query. It may hold fewer deliveries than asked for, even none, and still go on: what
// filters leave out costs reading too.
type Page struct {
	Deliveries []delivery.Delivery
	// More is where the next page in the asked direction begins; nil: this was the last.
	More *delivery.Key
}

// Change is an entry of the catalogue's change log: version Version changed the settings, or one webhook.
type Change struct {
	Version int64
	// Webhook is the id of the webhook that was made, changed or deleted; empty: the settings changed.
	Webhook string
}

// ErrGap says that the change log does not reach back far enough: load everything.
var ErrGap = errors.New("the change log has a gap")
