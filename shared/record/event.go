// Package record is the noun of an event as the service keeps it, with what it learnt when it was recorded.
package record

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"nepenthes/events"
	"nepenthes/shared/delivery"
	"nepenthes/shared/limits"
)

// Event is an event as the service keeps it. Its plan, the webhooks that it matched, is kept beside it: it is
// the deduplication key and the audit trail in one.
type Event struct {
	events.Event
	// ReceivedAt is when fan-out recorded the event, in whole milliseconds; every delivery sorts by it.
	ReceivedAt time.Time
	ExpiresAt  time.Time
	// Trigger is schedule, or ping for an event that a person made for one webhook.
	Trigger delivery.Trigger
	// TraceID is the W3C trace id (32 hex digits) under which the event was pushed; empty: none.
	TraceID string
	// MatchCount is the length of the plan.
	MatchCount int
}

// Key is the event's place in its table.
func (r *Event) Key() events.Key { return events.KeyOf(r.Source, r.ID) }

// Trace is the W3C trace id that goes with every delivery of the event: the producer's, or one derived from the
// event so that each attempt, and each look at it, gives the same.
func (r *Event) Trace() string {
	if r.TraceID != "" {
		return r.TraceID
	}
	sum := sha256.Sum256([]byte("trace\x00" + r.Source + "\x00" + r.ID))
	return hex.EncodeToString(sum[:16])
}

// DeliveryKey is the key of the event's delivery to a webhook.
func (r *Event) DeliveryKey(webhookID string) delivery.Key {
	return delivery.Key{Webhook: webhookID, ReceivedMs: r.ReceivedAt.UnixMilli(), Event: r.Key()}
}

// Delivery is the delivery of the event to a webhook before its first attempt: pending, in no table yet.
func (r *Event) Delivery(webhookID string) delivery.Delivery {
	return delivery.Delivery{
		Key: r.DeliveryKey(webhookID), EventID: r.ID, EventSource: r.Source, EventType: r.Type,
		Origin: r.Trigger, State: delivery.Pending, CreatedAt: r.ReceivedAt, ExpiresAt: r.ExpiresAt.Add(limits.RowKept),
	}
}
