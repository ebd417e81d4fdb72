package store

import (
	"errors"
	"time"

	"nepenthes/shared/delivery"
)

// Query selects a page of deliveries, newest first. With a Webhook it selects the deliveries of that webhook. Without a
// Webhook it selects the deliveries of all webhooks that need a person.
type Query struct {
	Webhook string
	// State and EventType are filters. An empty filter selects all deliveries.
	State     delivery.State
	EventType string
	// Since (inclusive) and Until (exclusive) are bounds for CreatedAt. The zero Time is no bound.
	Since, Until time.Time
	// From is the last delivery of the previous page, which is not selected again. The zero Key means the beginning of
	// the list.
	From delivery.Key
	// Backward selects the page before From instead of the page after it. This page is newest first too.
	Backward bool
	// Limit is the largest number of deliveries to return. It is at least 1.
	Limit int
	// MayLag allows the list of a webhook to be a second behind, which can make reading cheaper.
	MayLag bool
}

// Page is the answer to a Query. A page that is not the last may have fewer deliveries than Limit, even none, because a
// store stops reading when the filters leave out many rows.
type Page struct {
	Deliveries []delivery.Delivery
	// More is the From of the next page in the same direction. It is nil if this is the last page.
	More *delivery.Key
}

// Change is an entry of the catalogue's change log. It describes what changed in one version of the catalogue.
type Change struct {
	Version int64
	// Webhook is the id of the webhook that was created, changed or deleted. It is empty if the settings were changed.
	Webhook string
}

// ErrGap means that the change log does not reach back far enough. The caller must load the whole catalogue.
var ErrGap = errors.New("the change log has a gap")
