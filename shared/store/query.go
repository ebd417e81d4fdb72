package store

import (
	"errors"
	"time"

	"nepenthes/shared/delivery"
)

// Query asks for a page of deliveries, newest first. With a Webhook it asks for the deliveries of that webhook.
// Without one it asks for the deliveries of all webhooks that need a person.
type Query struct {
	Webhook string
	// State and EventType keep only the deliveries that have them. An empty one keeps all deliveries.
	State     delivery.State
	EventType string
	// Since (inclusive) and Until (exclusive) are bounds for CreatedAt. The zero Time is no bound.
	Since, Until time.Time
	// From is where the last page ended, exclusive. The zero Key is the beginning of the list.
	From delivery.Key
	// Backward asks for the page before From instead of the page after it. That page is newest first as well.
	Backward bool
	// Limit is the largest number of deliveries to return. It is at least 1.
	Limit int
}

// Page answers a Query. A page may hold fewer deliveries than Limit, even none, and still not be the last one: rows
// that the filters leave out cost reading too.
type Page struct {
	Deliveries []delivery.Delivery
	// More is where the next page in the direction of the Query begins. It is nil if this is the last page.
	More *delivery.Key
}

// Change is an entry of the catalogue's change log. It says what the version Version of the catalogue changed.
type Change struct {
	Version int64
	// Webhook is the id of the webhook that was created, changed or deleted. It is empty if the settings were changed.
	Webhook string
}

// ErrGap says that the change log does not reach back far enough. The caller has to load the whole catalogue.
var ErrGap = errors.New("the change log has a gap")
