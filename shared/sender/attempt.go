package sender

import (
	"context"
	"log/slog"
	"time"

	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/outbound"
	"nepenthes/shared/payload"
	"nepenthes/shared/record"
	"nepenthes/shared/signing"
	"nepenthes/shared/webhook"
)

// attempt makes the attempt that d's claim is for, and records what came of it. When our own side broke the
// exchange off nothing is recorded: the claim ends by itself and the message comes again.
func (s *Sender) attempt(ctx context.Context, w *webhook.Webhook, keys keys, event *record.Event, d delivery.Delivery) error {
	a := &delivery.Attempt{
		ID: d.Lease.Attempt, Number: d.AttemptCount + 1, Trigger: d.Lease.Trigger, StartedAt: s.Now(),
		URL: w.PayloadURL, Format: w.PayloadFormat,
		Signed: len(keys.secrets) > 0, Legacy: w.LegacySignature && keys.legacy != nil, HeaderNames: keys.headerNames,
	}
	result := s.Client.Post(ctx, request(w, keys, event, d.Key, a))
	if result.Aborted {
		return context.Canceled
	}
	enter(a, result)
	return s.record(ctx, event, d, a, delivery.Rules{
		Schedule: w.RetrySchedule, Clock: s.Clock, RetryAfter: retryAfter(result, s.Now()), Dice: s.Dice(),
	})
}

// request is what is sent: what payload renders, with the custom headers and the signatures. The bytes that are
// signed are the bytes that are sent.
func request(w *webhook.Webhook, keys keys, event *record.Event, key delivery.Key, a *delivery.Attempt) outbound.Request {
	header, body := payload.Headers(event, key, a), payload.Body(a.Format, event.Event)
	for i, name := range keys.headerNames {
		header[name] = []string{keys.headerValues[i]}
	}
	if a.Signed {
		header[payload.HeaderSignature] = []string{signing.Sign(key.ID(), a.StartedAt.Unix(), body, keys.secrets)}
	}
	if a.Legacy {
		header[payload.HeaderLegacy] = []string{signing.Legacy(*keys.legacy, body)}
	}
	return outbound.Request{URL: w.PayloadURL, Header: header, Body: body, Timeout: w.Timeout}
}

// enter takes what came back into the attempt.
func enter(a *delivery.Attempt, result outbound.Result) {
	a.Outcome = delivery.OutcomeFailed
	if result.Class == "" {
		a.Outcome = delivery.OutcomeDelivered
	}
	a.ErrorClass, a.ErrorMessage, a.Timing = result.Class, result.Message, result.Timing
	if result.Answer != nil {
		a.Response = kept(result.Answer)
	}
}

// record stores the outcome, whatever was written to the row meanwhile (a person may have asked for another
// attempt), and does what follows from it. If the lease ended and somebody else took the delivery, their attempt
// stands and ours is told in the log alone.
func (s *Sender) record(ctx context.Context, event *record.Event, d delivery.Delivery, a *delivery.Attempt, rules delivery.Rules) error {
	for {
		now := s.Now()
		next := d
		if err := next.Record(a, rules, now); err != nil {
			s.Logger.WarnContext(ctx, "delivery.claim_lost", s.facts(&d, a)...)
			return nil //nolint:nilerr // another holder's outcome stands
		}
		stored, won, err := s.Deliveries.PutDelivery(ctx, next, a)
		if err != nil {
			return err
		}
		if won {
			if s.Logger.Enabled(ctx, slog.LevelInfo) {
				s.Logger.InfoContext(ctx, "delivery.attempted", s.facts(&stored, a)...)
			}
			return s.follow(ctx, event, &stored, a, now)
		}
		d = stored
	}
}

// follow does what an outcome asks for besides being stored: a 410 switches the webhook off, a retry is rung.
func (s *Sender) follow(ctx context.Context, event *record.Event, d *delivery.Delivery, a *delivery.Attempt, now time.Time) error {
	if a.Gone() && event.Trigger != delivery.TriggerPing {
		if err := s.disable(ctx, d.Webhook, now); err != nil {
			return err
		}
	}
	delay, ring := s.Clock.Doorbell(d, now)
	if !ring {
		return nil
	}
	return s.Retries.Send(ctx, lane.DoorbellAgain(d.ID(), d.Webhook, delay))
}

// disable switches the webhook off because its receiver is gone. One that is off or deleted already stays so.
func (s *Sender) disable(ctx context.Context, webhookID string, now time.Time) error {
	for {
		w, err := s.Webhooks.Webhook(ctx, webhookID)
		if fault.Is(err, fault.NotFound) || err == nil && !w.Disable(webhook.Gone, now) {
			return nil
		}
		if err != nil {
			return err
		}
		err = s.Webhooks.PutWebhook(ctx, &w)
		if fault.Is(err, fault.UpdateConflict) {
			continue
		}
		if err == nil {
			s.Logger.WarnContext(ctx, "webhook.disabled", "webhook", webhookID, "reason", webhook.Gone)
		}
		return err
	}
}

// facts are what the log line about an attempt says: ids and figures, never bodies, headers or secrets.
func (s *Sender) facts(d *delivery.Delivery, a *delivery.Attempt) []any {
	sum := a.Summary()
	return []any{
		slog.String("event", d.EventID), slog.String("type", d.EventType), slog.String("webhook", d.Webhook),
		slog.String("delivery", d.ID()), slog.Int("attempt", a.Number), slog.String("trigger", string(a.Trigger)),
		slog.String("outcome", string(a.Outcome)), slog.Int("status", sum.Status), slog.String("class", string(a.ErrorClass)),
		slog.Int64("ms", sum.Total.Milliseconds()), slog.String("state", string(d.State)),
	}
}
