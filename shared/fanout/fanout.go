// Package fanout turns one event into deliveries: it decodes the event, finds the webhooks that want it, records
// the event together with that plan, and rings for each delivery.
//
// The record is what makes an event count: it is written once, on condition that its source and id are new, and
// everything after it can be done again. A crash at any instruction leaves the event's message in its lane; the
// next try finds the record and rings the same bells once more, since nobody can tell which were rung. The
// sender's claim makes that harmless.
package fanout

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"nepenthes/events"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
	"nepenthes/shared/project"
	"nepenthes/shared/record"
	"nepenthes/shared/webhook"
)

// Matcher finds the enabled webhooks that want an event, oldest first, as of now.
type Matcher interface {
	Match(ctx context.Context, eventType, projectID string) ([]*webhook.Webhook, error)
}

// Recorder keeps events with their plans, see store.Events.
type Recorder interface {
	PutEvent(ctx context.Context, r record.Event, plan []string) (stored record.Event, storedPlan []string, created bool, err error)
}

// Sender sends on one lane; nil means that all messages are durable.
type Sender interface {
	Send(ctx context.Context, messages ...lane.Message) error
}

// Config names what a Fanout needs.
type Config struct {
	Matcher     Matcher
	Recorder    Recorder
	Projects    Projects
	Deliveries  Sender // the lane of first attempts
	DeadLetters Sender // of the events lane
	// Retention is how long an event is kept; zero means limits.RetentionDays.
	Retention time.Duration
	// Now is the clock; nil means time.Now.
	Now    func() time.Time
	Logger *slog.Logger
}

// Fanout handles messages of the events lane. It is safe for concurrent use.
type Fanout struct {
	Config
	teacher teacher
}

// New makes a Fanout; it panics when a part is missing.
func New(c Config) *Fanout {
	if c.Matcher == nil || c.Recorder == nil || c.Projects == nil || c.Deliveries == nil || c.DeadLetters == nil || c.Logger == nil {
		panic("fanout: a part of Config is missing")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Retention == 0 {
		c.Retention = limits.RetentionDays * 24 * time.Hour
	}
	return &Fanout{Config: c, teacher: teacher{store: c.Projects, now: c.Now}}
}

// Handle fans one message out. Nil means done for ever: the deliveries are rung for, or the message is a dead
// letter with its reason. An error means that the message must come again. The same event again, or the same
// message, rings the bells of the first plan again and adds nothing.
func (f *Fanout) Handle(ctx context.Context, m lane.Message) (err error) {
	defer fault.Wrap(&err, "fan out message %s", m.ID)
	e, err := events.Decode(m.Body)
	if err != nil {
		return f.bury(ctx, m, err)
	}
	matches, err := f.Matcher.Match(ctx, e.Type, project.Of(e))
	if err != nil {
		return err
	}
	r := f.recorded(e, delivery.TriggerSchedule, cmp.Or(m.SentAt, f.Now()))
	r.TraceID = traceID(m.Attributes[lane.Traceparent])
	stored, plan, created, err := f.Recorder.PutEvent(ctx, r, f.plan(ctx, e, matches))
	if err != nil {
		return err
	}
	if !created && stored.Digest() != e.Digest() {
		return f.bury(ctx, m, &events.Error{Reason: events.IDConflict})
	}
	if err := f.teacher.teach(ctx, e, stored.ReceivedAt); err != nil {
		return err
	}
	if err := f.ring(ctx, &stored, plan); err != nil {
		return err
	}
	f.Logger.InfoContext(ctx, "event.fanned_out", "event", e.ID, "source", e.Source, "type", e.Type, "matches", len(plan))
	return nil
}

// Operate records an event of our own (a ping, or news about a webhook) for the webhooks named and rings for it,
// as Handle does for a producer's. It teaches no project. The event's id must be new; one that is there already
// is fanned out again as it stands.
func (f *Fanout) Operate(ctx context.Context, e events.Event, trigger delivery.Trigger, webhookIDs ...string) (_ record.Event, err error) {
	defer fault.Wrap(&err, "record event %s", e.ID)
	stored, plan, _, err := f.Recorder.PutEvent(ctx, f.recorded(e, trigger, f.Now()), webhookIDs)
	if err != nil {
		return record.Event{}, err
	}
	return stored, f.ring(ctx, &stored, plan)
}

// recorded is what is kept of an event that was received at the time: when its lane took it, so that received-at
// tells the producer's push and not how busy we were. An event waits 14 days in its lane at the most, which is why
// retention begins at 15.
func (f *Fanout) recorded(e events.Event, trigger delivery.Trigger, at time.Time) record.Event {
	at = at.UTC().Truncate(time.Millisecond)
	return record.Event{Event: e, ReceivedAt: at, ExpiresAt: at.Add(f.Retention), Trigger: trigger}
}

// plan lists the ids of the matches, at most limits.MatchesMax: the ceiling that the contract states.
func (f *Fanout) plan(ctx context.Context, e events.Event, matches []*webhook.Webhook) []string {
	if len(matches) > limits.MatchesMax {
		f.Logger.ErrorContext(ctx, "event.too_many_matches", "event", e.ID, "matches", len(matches), "planned", limits.MatchesMax)
		matches = matches[:limits.MatchesMax]
	}
	ids := make([]string, len(matches))
	for i, w := range matches {
		ids[i] = w.ID
	}
	return ids
}

func (f *Fanout) ring(ctx context.Context, r *record.Event, plan []string) error {
	if len(plan) == 0 {
		return nil
	}
	bells := make([]lane.Message, len(plan))
	for i, id := range plan {
		bells[i] = lane.Doorbell(r.DeliveryKey(id).ID(), id)
	}
	return f.Deliveries.Send(ctx, bells...)
}
