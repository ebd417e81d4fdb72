// Package sender makes one attempt to deliver one event to one webhook.
//
// A doorbell names a delivery. The sender reads the rules as they are now, claims the delivery with a lease, signs
// and POSTs, records the outcome, and rings again when the schedule wants another attempt soon. The claim makes a
// doorbell that comes twice harmless; a holder that dies leaves a lease that ends, and its message comes again. A
// receiver's failure is an outcome; only our own failures are errors, and bring the message back.
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
	"nepenthes/shared/webhook"
)

// Catalogue gives webhooks as they are at the moment of the question; a fault of kind NotFound for one deleted.
type Catalogue interface {
	Webhook(ctx context.Context, id string) (*webhook.Webhook, error)
}

// Events reads events; a fault of kind NotFound for one that has expired.
type Events interface {
	Event(ctx context.Context, key events.Key) (record.Event, error)
}

// Deliveries keeps the rows of deliveries, see store.Deliveries.
type Deliveries interface {
	Delivery(ctx context.Context, key delivery.Key) (delivery.Delivery, error)
	PutDelivery(ctx context.Context, d delivery.Delivery, ended *delivery.Attempt) (now delivery.Delivery, won bool, err error)
}

// Webhooks changes webhooks: a receiver that answers 410 is switched off.
type Webhooks interface {
	Webhook(ctx context.Context, id string) (webhook.Webhook, error)
	PutWebhook(ctx context.Context, w *webhook.Webhook) error
}

// Bell rings on the lane of retries; nil means that the messages are durable.
type Bell interface {
	Send(ctx context.Context, messages ...lane.Message) error
}

// Opener opens sealed secrets, see package vault.
type Opener interface {
	Open(ctx context.Context, sealed []byte, info webhook.SealInfo) ([]byte, error)
}

// Client makes POSTs to strangers' URLs, see package outbound.
type Client interface {
	Post(ctx context.Context, r outbound.Request) outbound.Result
}

// Config names what a Sender needs.
type Config struct {
	Catalogue  Catalogue
	Events     Events
	Deliveries Deliveries
	Webhooks   Webhooks
	Retries    Bell
	Opener     Opener
	Client     Client
	// Clock is the speed of waits.
	Clock delivery.Clock
	// Now is the time; nil means time.Now.
	Now func() time.Time
	// Dice gives uniform numbers in [0,1) for the jitter; nil means math/rand.
	Dice   func() float64
	Logger *slog.Logger
}

// Sender handles messages of the two sender lanes. It is safe for concurrent use.
type Sender struct {
	Config
	reader  reader
	keyring keyring
}

// New makes a Sender; it panics when a part is missing.
func New(c Config) *Sender {
	if c.Catalogue == nil || c.Events == nil || c.Deliveries == nil || c.Webhooks == nil ||
		c.Retries == nil || c.Opener == nil || c.Client == nil || c.Logger == nil {
		panic("sender: a part of Config is missing")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Dice == nil {
		c.Dice = rand.Float64
	}
	return &Sender{Config: c, reader: reader{store: c.Events}, keyring: keyring{opener: c.Opener}}
}

// errBusy brings a message back whose delivery is in somebody's hands: it may be the holder's own message, which
// must not be acknowledged before the outcome is stored.
var errBusy = errors.New("the delivery is being attempted")

// Handle answers one doorbell. Nil means done for ever: an attempt was made and recorded, the delivery was ended
// by the rules, or no attempt is due. An error means that the message must come again; it was not an attempt.
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

// row is the delivery as far as it is known: as stored when a row is expected, else as one that has none yet.
// Guessing wrong costs a write that loses, and tells the truth.
func (s *Sender) row(ctx context.Context, event *record.Event, key delivery.Key, expected bool) (delivery.Delivery, error) {
	if expected {
		d, err := s.Deliveries.Delivery(ctx, key)
		if !fault.Is(err, fault.NotFound) {
			return d, err
		}
	}
	return event.Delivery(key.Webhook), nil
}

// deliver claims the delivery and makes an attempt, or finds that there is none to make. Whenever somebody else
// wrote the row first, it judges again by what that one stored.
func (s *Sender) deliver(ctx context.Context, event *record.Event, d delivery.Delivery) error {
	for {
		verdict, trigger := d.Judge(s.Now())
		switch verdict {
		case delivery.Busy:
			return errBusy
		case delivery.Nothing, delivery.Early:
			return nil
		}
		if err := sleepUntil(ctx, d.NextAttemptAt.Sub(s.Now()), trigger); err != nil {
			return err
		}
		now, won, err := s.begin(ctx, event, d, trigger)
		if won || err != nil {
			return err
		}
		if d = now; d.Version == 0 { // the row is gone: it had expired
			d = event.Delivery(d.Webhook)
		}
	}
}

// begin reads the rules and takes the delivery by them: it ends one that they no longer want, and claims and
// attempts one that they do. Without a win it gives the row that somebody else stored.
func (s *Sender) begin(ctx context.Context, event *record.Event, d delivery.Delivery, trigger delivery.Trigger) (now delivery.Delivery, won bool, err error) {
	w, refusal, err := s.rules(ctx, event, d.Webhook)
	if err != nil {
		return d, false, err
	}
	at := s.Now()
	if refusal != "" {
		return s.skip(ctx, d, refusal, at)
	}
	keys, err := s.keyring.of(ctx, w, at) // before the claim: a failure to open them is ours, and no attempt
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

// rules reads the webhook as it is now, and the reason for which it does not want the event any more. A ping asks
// for nothing but that the webhook exists.
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
	no := w.Refusals(event.Type, project.Of(event.Event))
	switch {
	case len(no) == 0:
		return w, "", nil
	case no[0] == webhook.RuleEnabled:
		return w, delivery.Disabled, nil
	}
	return w, delivery.Unsubscribed, nil
}

func (s *Sender) skip(ctx context.Context, d delivery.Delivery, reason delivery.Reason, at time.Time) (delivery.Delivery, bool, error) {
	if err := d.Skip(reason, at); err != nil {
		return d, false, err
	}
	now, won, err := s.Deliveries.PutDelivery(ctx, d, nil)
	if won && err == nil {
		s.Logger.InfoContext(ctx, "delivery.skipped", "event", d.EventID, "type", d.EventType,
			"webhook", d.Webhook, "delivery", d.ID(), "reason", reason)
	}
	return now, won, err
}

// expire ends the delivery of an event that can no longer be read. One without a row was over before.
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

// sleepUntil waits out the last moment before an attempt of the schedule. What is asked for by hand is not early.
func sleepUntil(ctx context.Context, wait time.Duration, trigger delivery.Trigger) error {
	if wait <= 0 || trigger == delivery.TriggerManual || trigger == delivery.TriggerReplay {
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
