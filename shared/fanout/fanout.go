// Package fanout turns one event into deliveries. It decodes the event, finds the webhooks that want it (the plan),
// records the event with its plan, and sends a doorbell for each delivery.
//
// The record is written once, on the condition that the source and id of the event are new. All later steps can be
// repeated. After a crash at any instruction the message of the event is still in its lane. The next try finds the
// record and sends the same doorbells again, because it cannot know which of them were sent. Duplicate doorbells are
// harmless, because the sender claims a delivery before it makes an attempt.
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
	"nepenthes/shared/required"
	"nepenthes/shared/webhook"
)

// Matcher returns the webhooks that are enabled and want an event at the time of the call, oldest first.
type Matcher interface {
	Match(ctx context.Context, eventType, projectID string) ([]*webhook.Webhook, error)
}

// Recorder stores events with their plans. See store.Events.
type Recorder interface {
	PutEvent(ctx context.Context, r record.Event, plan []string) (stored record.Event, storedPlan []string, created bool, err error)
}

// Sender sends messages to one lane. A nil error means that all messages are durable.
type Sender interface {
	Send(ctx context.Context, messages ...lane.Message) error
}

// Config holds the dependencies of a Fanout.
type Config struct {
	Matcher     Matcher
	Recorder    Recorder
	Projects    Projects
	Deliveries  Sender // the lane of first attempts
	DeadLetters Sender // the dead-letter lane of the events lane
	// Retention is how long an event is kept. Zero means limits.RetentionDays.
	Retention time.Duration
	// Now returns the current time. Nil means time.Now.
	Now    func() time.Time
	Logger *slog.Logger
}

// Fanout handles messages of the events lane. It is safe for concurrent use.
type Fanout struct {
	Config
	teacher teacher
}

// New returns a Fanout. It panics if a dependency is missing.
func New(c Config) *Fanout {
	required.Fields(c)
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Retention = cmp.Or(c.Retention, defaultRetention)
	return &Fanout{Config: c, teacher: teacher{store: c.Projects, now: c.Now}}
}

// Handle handles one message. It returns nil if the message is done: the doorbells were sent, or the message became a
// dead letter with a reason. It returns an error if the message must come again. For an event that was recorded before,
// Handle sends the doorbells of the stored plan again and records nothing.
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
	r := recorded(e, delivery.TriggerSchedule, cmp.Or(m.SentAt, f.Now()), f.Retention)
	r.TraceID = traceID(m.Attributes[lane.Traceparent])
	stored, plan, created, err := f.Recorder.PutEvent(ctx, r, f.plan(ctx, e, matches))
	if err != nil {
		return err
	}
	if !created && stored.Digest() != e.Digest() { // another event with the same source and id
		return f.bury(ctx, m, &events.Error{Reason: events.IDConflict})
	}
	if err := f.teacher.teach(ctx, e, stored.ReceivedAt); err != nil {
		return err
	}
	if err := ring(ctx, f.Deliveries, &stored, plan); err != nil {
		return err
	}
	f.Logger.InfoContext(ctx, "event.fanned_out", "event", e.ID, "source", e.Source, "type", e.Type, "matches", len(plan))
	return nil
}

// plan returns the ids of the matching webhooks, at most limits.MatchesMax.
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
