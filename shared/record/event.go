// Package record holds the recorded event: an event as the service keeps it.
package record

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"nepenthes/events"
	"nepenthes/shared/delivery"
	"nepenthes/shared/limits"
)

// Event is a recorded event. Its plan, the list of the webhooks that it matched, is stored beside it. The record
// serves both to find duplicates and as the audit trail.
type Event struct {
	events.Event
	// ReceivedAt is when fan-out recorded the event, in whole milliseconds. Deliveries are sorted by it.
	ReceivedAt time.Time
	ExpiresAt  time.Time
	// Trigger is schedule, or ping for an event that a person sent to one webhook.
	Trigger delivery.Trigger
	// TraceID is the W3C trace id (32 hex digits) that the producer sent with the event. It is empty if there was none.
	TraceID string
	// MatchCount is the length of the plan.
	MatchCount int
}

// Key returns the key of the event in its table.
func (r *Event) Key() events.Key { return events.KeyOf(r.Source, r.ID) }

// Trace returns the W3C trace id that every delivery of the event carries: the producer's, or else one that is derived
// from source and id, so that it is the same for each attempt.
func (r *Event) Trace() string {
	if r.TraceID != "" {
		return r.TraceID
	}
	sum := sha256.Sum256([]byte("trace\x00" + r.Source + "\x00" + r.ID))
	return hex.EncodeToString(sum[:16])
}

// DeliveryKey returns the key of the event's delivery to a webhook.
func (r *Event) DeliveryKey(webhookID string) delivery.Key {
	return delivery.Key{Webhook: webhookID, ReceivedMs: r.ReceivedAt.UnixMilli(), Event: r.Key()}
}

// Delivery returns the delivery of the event to a webhook as it is before its first attempt: pending and not stored.
func (r *Event) Delivery(webhookID string) delivery.Delivery {
	return delivery.Delivery{
		Key: r.DeliveryKey(webhookID), EventID: r.ID, EventSource: r.Source, EventType: r.Type,
		Origin: r.Trigger, State: delivery.Pending, CreatedAt: r.ReceivedAt, ExpiresAt: r.ExpiresAt.Add(limits.RowKept),
	}
}
