// Package sender makes one attempt to deliver one event to one webhook.
//
// A doorbell names a delivery. The sender reads the current rules of the webhook, claims the delivery with a lease,
// signs and sends the POST, and records the outcome. If the next attempt is due soon, it sends another doorbell. The
// claim makes a duplicate doorbell harmless. If a sender dies, its lease ends and its message comes again. A receiver's
// failure is an outcome. Only our own failures are errors; after an error the message comes again.
package sender

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"nepenthes/events"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/lane"
	"nepenthes/shared/outbound"
	"nepenthes/shared/project"
	"nepenthes/shared/record"
	"nepenthes/shared/required"
	"nepenthes/shared/webhook"
)

// Catalogue returns webhooks as they are at the time of the call. For a webhook that does not exist it returns a fault
// of kind NotFound.
type Catalogue interface {
	Webhook(ctx context.Context, id string) (*webhook.Webhook, error)
}

// Events reads events. For an event that has expired it returns a fault of kind NotFound.
type Events interface {
	Event(ctx context.Context, key events.Key) (record.Event, error)
}

// Deliveries stores the rows of deliveries. See store.Deliveries.
type Deliveries interface {
	Delivery(ctx context.Context, key delivery.Key) (delivery.Delivery, error)
	PutDelivery(ctx context.Context, d delivery.Delivery, ended *delivery.Attempt) (now delivery.Delivery, won bool, err error)
}

// Webhooks changes webhooks. The sender disables the webhook of a receiver that answers 410.
type Webhooks interface {
	Webhook(ctx context.Context, id string) (webhook.Webhook, error)
	PutWebhook(ctx context.Context, w *webhook.Webhook) error
}

// Bell sends doorbells to the retries lane. A nil error means that all messages are durable.
type Bell interface {
	Send(ctx context.Context, messages ...lane.Message) error
}

// Opener opens sealed values. See package vault.
type Opener interface {
	Open(ctx context.Context, sealed []byte, info webhook.SealInfo) ([]byte, error)
}

// Client sends POST requests to the URLs of receivers. See package outbound.
type Client interface {
	Post(ctx context.Context, r outbound.Request) outbound.Result
}

// Config holds the dependencies of a Sender.
type Config struct {
	Catalogue  Catalogue
	Events     Events
	Deliveries Deliveries
	Webhooks   Webhooks
	Retries    Bell
	Opener     Opener
	Client     Client
	// Clock scales the waits between attempts.
	Clock delivery.Clock
	// Now returns the current time. Nil means time.Now.
	Now func() time.Time
	// Dice returns a random number, uniform in [0,1), for the jitter. Nil means math/rand.
	Dice   func() float64
	Logger *slog.Logger
}

// Sender handles messages of the two sender lanes. It is safe for concurrent use.
type Sender struct {
	Config
	reader  reader
	keyring keyring
}

// New returns a Sender. It panics if a dependency is missing.
func New(c Config) *Sender {
	required.Fields(c)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Dice == nil {
		c.Dice = rand.Float64
	}
	return &Sender{Config: c, reader: reader{store: c.Events}, keyring: keyring{opener: c.Opener}}
}

// errBusy sends a message back to its lane because another sender holds the delivery. It may be the same message that the
// other sender handles, which must not be acknowledged before the outcome is stored.
var errBusy = errors.New("the delivery is being attempted")

// Handle handles one doorbell. It returns nil if the message is done: an attempt was made and recorded, the rules ended
// the delivery, or no attempt is due. It returns an error if the message must come again; no attempt was recorded then.
func (s *Sender) Handle(ctx context.Context, m lane.Message) (err error) {
	defer fault.Wrap(&err, "send for message %s", m.ID)
	name, err := lane.Called(m)
	if err != nil {
		return err
	}
	key, err := delivery.ParseKey(name)
	if err != nil {
		return err
	}
	event, err := s.reader.event(ctx, key.Event, s.Now())
	if fault.Is(err, fault.NotFound) {
		return s.expire(ctx, key)
	}
	if err != nil {
		return err
	}
	d, err := s.row(ctx, event, key, m.Attributes[lane.Again] != "")
	if err != nil {
		return err
	}
	return s.deliver(ctx, event, d)
}

// row returns the stored delivery if the doorbell says that a row exists. Otherwise it returns a new delivery without
// reading the store, which saves a read for each first attempt. If the doorbell is wrong, the first write does not win
// and returns the stored row.
func (s *Sender) row(ctx context.Context, event *record.Event, key delivery.Key, exists bool) (delivery.Delivery, error) {
	if exists {
		d, err := s.Deliveries.Delivery(ctx, key)
		if !fault.Is(err, fault.NotFound) {
			return d, err
		}
	}
	return event.Delivery(key.Webhook), nil
}

// deliver claims the delivery and makes an attempt, unless no attempt is due. If another sender writes the row first,
// deliver decides again from the stored row.
func (s *Sender) deliver(ctx context.Context, event *record.Event, d delivery.Delivery) error {
	for {
		verdict, trigger := d.Judge(s.Now())
		switch verdict {
		case delivery.Busy:
			return errBusy
		case delivery.Nothing, delivery.Early:
			return nil
		}
		if err := waitUntilDue(ctx, d.NextAttemptAt.Sub(s.Now()), trigger); err != nil {
			return err
		}
		now, won, err := s.begin(ctx, event, d, trigger)
		if won || err != nil {
			return err
		}
		if d = now; d.Version == 0 { // the row has expired
			d = event.Delivery(d.Webhook)
		}
	}
}

// begin reads the rules of the webhook. If the webhook no longer wants the event, begin ends the delivery. If the webhook is
// paused, begin holds what the schedule asks for. Otherwise it claims the delivery and makes the attempt. If another sender wrote the row first, won is false and begin returns the
// stored row.
func (s *Sender) begin(ctx context.Context, event *record.Event, d delivery.Delivery, trigger delivery.Trigger) (now delivery.Delivery, won bool, err error) {
	w, refusal, err := s.rules(ctx, event, d.Webhook)
	if err != nil {
		return d, false, err
	}
	at := s.Now()
	if refusal != "" {
		return s.skip(ctx, d, refusal, at)
	}
	if w.Paused && trigger == delivery.TriggerSchedule {
		return s.hold(ctx, d, at)
	}
	keys, err := s.keyring.keysOf(ctx, w, at) // before the claim, because our own failure to open them is not an attempt
	if err != nil {
		return d, false, err
	}
	next := d
	if err := next.Claim(id.New(id.Attempt, at), trigger, at); err != nil {
		return d, false, err
	}
	now, won, err = s.Deliveries.PutDelivery(ctx, next, nil)
	if !won || err != nil {
		return now, false, err
	}
	return now, true, s.attempt(ctx, w, keys, event, now)
}

// rules returns the webhook as it is now, and the reason why it no longer wants the event, if any. A ping requires only
// that the webhook exists, because people test webhooks that are disabled.
func (s *Sender) rules(ctx context.Context, event *record.Event, webhookID string) (*webhook.Webhook, delivery.Reason, error) {
	w, err := s.Catalogue.Webhook(ctx, webhookID)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, delivery.Deleted, nil
	case err != nil:
		return nil, "", err
	case event.Trigger == delivery.TriggerPing:
		return w, "", nil
	}
	refusals := w.Refusals(event.Type, project.Of(event.Event))
	switch {
	case len(refusals) == 0:
		return w, "", nil
	case refusals[0] == webhook.RuleEnabled:
		return w, delivery.Disabled, nil
	}
	return w, delivery.Unsubscribed, nil
}

// skip ends a delivery that the webhook no longer wants. If another writer changed the row first, skip returns the stored
// row, and won is false.
func (s *Sender) skip(ctx context.Context, d delivery.Delivery, reason delivery.Reason, at time.Time) (now delivery.Delivery, won bool, err error) {
	if err := d.Skip(reason, at); err != nil {
		return d, false, err
	}
	now, won, err = s.Deliveries.PutDelivery(ctx, d, nil)
	if won && err == nil {
		s.Logger.InfoContext(ctx, "delivery.skipped", "event", d.EventID, "type", d.EventType,
			"webhook", d.Webhook, "delivery", d.ID(), "reason", reason)
	}
	return now, won, err
}

// hold keeps a delivery back because its webhook is paused. The sweeper releases it after the pause. If another writer
// changed the row first, hold returns the stored row, and won is false.
func (s *Sender) hold(ctx context.Context, d delivery.Delivery, at time.Time) (now delivery.Delivery, won bool, err error) {
	if err := d.Hold(delivery.Paused, at); err != nil {
		return d, false, err
	}
	now, won, err = s.Deliveries.PutDelivery(ctx, d, nil)
	if won && err == nil {
		s.Logger.InfoContext(ctx, "delivery.held", "event", d.EventID, "type", d.EventType,
			"webhook", d.Webhook, "delivery", d.ID(), "reason", d.Reason)
	}
	return now, won, err
}

// expire ends the delivery of an event that can no longer be read. It does nothing if the delivery has no row.
func (s *Sender) expire(ctx context.Context, key delivery.Key) error {
	for {
		d, err := s.Deliveries.Delivery(ctx, key)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if verdict, _ := d.Judge(s.Now()); verdict == delivery.Busy {
			return errBusy
		}
		d.Expire(s.Now())
		if _, won, err := s.Deliveries.PutDelivery(ctx, d, nil); won || err != nil {
			return err
		}
	}
}

// waitUntilDue waits until a scheduled attempt is due. The wait is at most a second, because deliver skips a doorbell
// that comes earlier. An attempt that a person asked for is due at once.
func waitUntilDue(ctx context.Context, wait time.Duration, trigger delivery.Trigger) error {
	if wait <= 0 || trigger == delivery.TriggerManual {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
