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

// attempt makes the claimed attempt and records its outcome. If this process broke off the exchange, attempt records
// nothing: the claim ends by itself and the message comes again.
func (s *Sender) attempt(ctx context.Context, w *webhook.Webhook, keys keys, event *record.Event, d delivery.Delivery) error {
	a := &delivery.Attempt{
		ID: d.Lease.Attempt, Number: d.AttemptCount + 1, Trigger: d.Lease.Trigger, StartedAt: s.Now(),
		URL: w.PayloadURL, Format: w.PayloadFormat,
		Signed: len(keys.secrets) > 0, Legacy: w.LegacySignature && keys.legacy != nil, HeaderNames: keys.headerNames,
	}
	result := s.Client.Post(ctx, request(w, keys, event, d.Key, a))
	if result.Aborted {
		return context.Canceled // package lambdahost does not log this error while the process shuts down
	}
	setResult(a, result)
	return s.record(ctx, event, d, a, delivery.Rules{
		Schedule: w.RetrySchedule, Clock: s.Clock, RetryAfter: retryAfter(result, s.Now()), Dice: s.Dice(),
	})
}

// request returns the request of an attempt: the headers and the body from package payload, the custom headers and the
// signatures. The signatures are of exactly the bytes that are sent.
func request(w *webhook.Webhook, keys keys, event *record.Event, key delivery.Key, a *delivery.Attempt) outbound.Request {
	header, body := payload.Headers(event, key, a), payload.Body(a.Format, event.Event)
	for i, name := range keys.headerNames { // package webhook has refused the names of all other headers
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

// setResult stores the result of the exchange in the attempt.
func setResult(a *delivery.Attempt, result outbound.Result) {
	a.Outcome = delivery.OutcomeFailed
	if result.Class == "" {
		a.Outcome = delivery.OutcomeDelivered
	}
	a.ErrorClass, a.ErrorMessage, a.Timing = result.Class, result.Message, result.Timing
	if result.Answer != nil {
		a.Response = kept(result.Answer)
	}
}

// record stores the outcome and then acts on it. If the row has changed during the attempt, for example because a person
// asked for another attempt, record adds the outcome to the changed row. If the lease has ended and another sender has
// claimed the delivery, the attempt of that sender counts, and record only logs this one.
func (s *Sender) record(ctx context.Context, event *record.Event, d delivery.Delivery, a *delivery.Attempt, rules delivery.Rules) error {
	for {
		now := s.Now()
		next := d
		if err := next.Record(a, rules, now); err != nil {
			s.Logger.WarnContext(ctx, "delivery.claim_lost", s.facts(&d, a)...)
			return nil //nolint:nilerr // the outcome of the other sender counts
		}
		stored, won, err := s.Deliveries.PutDelivery(ctx, next, a)
		if err != nil {
			return err
		}
		if won {
			if s.Logger.Enabled(ctx, slog.LevelInfo) { // facts allocates; do not call it for nothing
				s.Logger.InfoContext(ctx, "delivery.attempted", s.facts(&stored, a)...)
			}
			return s.follow(ctx, event, &stored, a, now)
		}
		d = stored
	}
}

// follow acts on a stored outcome: it disables the webhook after a 410 and sends the doorbell of a retry. A 410 that
// answers a ping does not disable the webhook, because a person is testing it.
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

// disable disables a webhook because its receiver is gone. It does nothing if the webhook is disabled already or has
// been deleted.
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
			continue // a person has changed the webhook; read it again
		}
		if err == nil {
			s.Logger.WarnContext(ctx, "webhook.disabled", "webhook", webhookID, "reason", webhook.Gone)
		}
		return err
	}
}

// facts returns the attributes of the log line about an attempt: ids and figures, never bodies, headers or secrets.
func (s *Sender) facts(d *delivery.Delivery, a *delivery.Attempt) []any {
	summary := a.Summary()
	return []any{
		slog.String("event", d.EventID), slog.String("type", d.EventType), slog.String("webhook", d.Webhook),
		slog.String("delivery", d.ID()), slog.Int("attempt", a.Number), slog.String("trigger", string(a.Trigger)),
		slog.String("outcome", string(a.Outcome)), slog.Int("status", summary.Status), slog.String("class", string(a.ErrorClass)),
		slog.Int64("ms", summary.Total.Milliseconds()), slog.String("state", string(d.State)),
	}
}
