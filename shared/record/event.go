// Package record defines the recorded event, which is an event as the service stores it.
package record

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"nepenthes/events"
	"nepenthes/shared/delivery"
	"nepenthes/shared/limits"
)

// Event is a recorded event. Its plan, which is the list of the webhooks that want it, is stored separately. A recorded
// event is used to find duplicates and to show what happened.
type Event struct {
	events.Event
	// ReceivedAt is when fan-out recorded the event, in whole milliseconds. Deliveries are sorted by it.
	ReceivedAt time.Time
	ExpiresAt  time.Time
	// Trigger is TriggerPing if a person sent the event to a single webhook, and otherwise TriggerSchedule.
	Trigger delivery.Trigger
	// TraceID is the W3C trace id (32 hex digits) that the producer sent with the event. It is empty if there was none.
	TraceID string
	// MatchCount is the length of the plan.
	MatchCount int
}

// Key returns the key of the event in its table.
func (r *Event) Key() events.Key { return events.KeyOf(r.Source, r.ID) }

// Trace returns the W3C trace id for all requests with the event. If the producer sent none, Trace derives it from
// source and id, so that all attempts have the same trace id.
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

// Delivery returns the delivery of the event to a webhook before its first attempt. It is pending and not stored yet.
func (r *Event) Delivery(webhookID string) delivery.Delivery {
	return delivery.Delivery{
		Key: r.DeliveryKey(webhookID), EventID: r.ID, EventSource: r.Source, EventType: r.Type,
		Origin: r.Trigger, State: delivery.Pending, CreatedAt: r.ReceivedAt, ExpiresAt: r.ExpiresAt.Add(limits.RowKept),
	}
}
