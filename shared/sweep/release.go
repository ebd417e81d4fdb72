package sweep

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
	"nepenthes/shared/webhook"
)

// Held lists what is held. See store.Held.
type Held interface {
	Held(ctx context.Context, webhookID string, after delivery.Key, limit int) (held []delivery.Delivery, last delivery.Key, err error)
}

// ReleaseJobs stores the jobs that release what is held. See store.Held.
type ReleaseJobs interface {
	ReleaseJobs(ctx context.Context) ([]delivery.ReleaseJob, error)
	PutReleaseJob(ctx context.Context, j *delivery.ReleaseJob) error
	DeleteReleaseJob(ctx context.Context, webhookID string, version int64) error
}

// Webhooks reads webhooks. See store.Catalogue.
type Webhooks interface {
	Webhook(ctx context.Context, id string) (webhook.Webhook, error)
}

// concurrency is the number of held deliveries that are written at the same time. DynamoDB needs some milliseconds for
// each, and a minute has 6,000 of them at the largest rate.
const concurrency = 10

// margin is how long before its deadline a sweep stops working on jobs.
const margin = 5 * time.Second

// releaseAll works on the release jobs in random order, so that none of them is always last when the time is short.
func (s *Sweeper) releaseAll(ctx context.Context) error {
	jobs, err := s.Jobs.ReleaseJobs(ctx)
	if err != nil {
		return err
	}
	rand.Shuffle(len(jobs), func(i, k int) { jobs[i], jobs[k] = jobs[k], jobs[i] })
	var errs []error
	for i := range jobs {
		if isAlmostOver(ctx) {
			break
		}
		if err := s.release(ctx, jobs[i]); err != nil {
			errs = append(errs, err) // the other webhooks need not wait
		}
	}
	return errors.Join(errs...)
}

// isAlmostOver reports whether the time of the sweep is almost over.
func isAlmostOver(ctx context.Context) bool {
	deadline, hasDeadline := ctx.Deadline()
	return hasDeadline && time.Until(deadline) < margin
}

// release works on one job: it moves on what is held for a webhook, and deletes the job when nothing can be held any more.
// It does nothing while the webhook is paused, or while another sweeper has the lease.
func (s *Sweeper) release(ctx context.Context, job delivery.ReleaseJob) (err error) {
	defer fault.Wrap(&err, "release what is held for %s", job.Webhook)
	now := s.Now()
	if job.LeaseUntil.After(now) {
		return nil
	}
	r, err := s.receiver(ctx, job.Webhook)
	if err != nil || r.paused {
		return err
	}
	// The job is claimed after the webhook was read: a pause in between has replaced the job, so the claim fails.
	m := mover{Sweeper: s, receiver: r, webhook: job.Webhook, next: now, end: now.Add(s.Clock.Scaled(limits.SweepPeriod))}
	if job.PacedUntil.After(now) {
		m.next = job.PacedUntil
	}
	// The random time makes the claims of two sweepers differ, as spread explains.
	job.LeaseUntil, job.PacedUntil = now.Add(limits.SweepPeriod+rand.N(spread)), m.end
	if job.ReceivingSince.IsZero() {
		job.ReceivingSince = now
	}
	if err := s.Jobs.PutReleaseJob(ctx, &job); err != nil {
		return ignoreLost(err)
	}
	empty, err := m.moveAll(ctx)
	m.log(ctx)
	// A sender that read the webhook before the pause ended can hold deliveries for one lease more.
	if empty && !now.Before(job.ReceivingSince.Add(limits.Lease)) {
		return ignoreLost(s.Jobs.DeleteReleaseJob(ctx, job.Webhook, job.Version))
	}
	job.LeaseUntil, job.PacedUntil = time.Time{}, m.next
	return errors.Join(err, ignoreLost(s.Jobs.PutReleaseJob(ctx, &job)))
}

// ignoreLost returns nil if the write of a job was refused because a pause has replaced the job, or another sweeper has
// changed or deleted it.
func ignoreLost(err error) error {
	if fault.Is(err, fault.UpdateConflict) || fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// receiver is what a release must know about a webhook.
type receiver struct {
	webhook.Release
	paused bool
	// ended is why the webhook gets nothing any more. It is empty for a webhook that gets deliveries.
	ended delivery.Reason
}

func (s *Sweeper) receiver(ctx context.Context, webhookID string) (receiver, error) {
	w, err := s.Webhooks.Webhook(ctx, webhookID)
	switch {
	case fault.Is(err, fault.NotFound):
		return receiver{ended: delivery.Deleted}, nil
	case err != nil:
		return receiver{}, err
	case !w.Enabled:
		return receiver{ended: delivery.Disabled}, nil
	}
	return receiver{Release: w.Release, paused: w.Paused}, nil
}

// mover moves the held deliveries of one webhook on.
type mover struct {
	*Sweeper
	receiver
	webhook string
	// next is the time at which the next delivery is released. A sweep gives places up to end, and leaves the others to the
	// next sweep.
	next, end time.Time

	released, dropped, skipped, expired atomic.Int64
}

// moveAll moves deliveries, oldest first, until there is none, no place, or no time left. empty reports whether it has
// looked at everything and found nothing. If the webhook changes in the meantime, moveAll stops: a new pause must stop a
// release.
func (m *mover) moveAll(ctx context.Context) (empty bool, err error) {
	empty = true
	for after := (delivery.Key{}); ; {
		held, last, err := m.Held.Held(ctx, m.webhook, after, page)
		if err != nil {
			return false, err
		}
		empty = empty && len(held) == 0
		if err := m.moveEach(ctx, held); err != nil {
			return false, err
		}
		if last == (delivery.Key{}) {
			return empty, nil
		}
		if isAlmostOver(ctx) || !m.next.Before(m.end) {
			return false, nil
		}
		if r, err := m.Sweeper.receiver(ctx, m.webhook); err != nil || r != m.receiver {
			return false, err
		}
		after = last
	}
}

// moveEach moves deliveries and sends the doorbells of those that it released, also if it fails halfway.
func (m *mover) moveEach(ctx context.Context, held []delivery.Delivery) error {
	var group errgroup.Group
	group.SetLimit(concurrency)
	bells := make([]lane.Message, len(held))
	for i := range held {
		at, hasPlace := m.place()
		if !hasPlace {
			break
		}
		group.Go(func() (err error) {
			defer panicToError(&err)
			bells[i], err = m.move(ctx, held[i], at)
			return err
		})
	}
	err := group.Wait()
	bells = slices.DeleteFunc(bells, func(bell lane.Message) bool { return bell.Body == nil })
	if len(bells) > 0 {
		err = errors.Join(err, m.Retries.Send(ctx, bells...))
	}
	return err
}

// panicToError sets err to a panic. Nobody else could recover the panic of a goroutine, and it would end the process.
func panicToError(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
	}
}

// place returns the time at which the next delivery is released. What ends at once needs no place.
func (m *mover) place() (at time.Time, hasPlace bool) {
	if m.ended != "" || m.Drop {
		return m.next, true
	}
	at = m.next
	if !at.Before(m.end) {
		return at, false
	}
	perSecond := m.PerSecond
	if perSecond == 0 {
		perSecond = limits.ReleaseRate
	}
	m.next = at.Add(m.Clock.Scaled(time.Second / time.Duration(perSecond)))
	return at, true
}

// move moves one delivery. It returns the doorbell of a delivery that it released, and else a message without a body. It
// leaves a delivery alone that somebody else has changed.
func (m *mover) move(ctx context.Context, d delivery.Delivery, at time.Time) (bell lane.Message, err error) {
	now, moved := m.Now(), &m.released
	switch {
	case d.EventExpired(now):
		moved = &m.expired
		d.Expire(now)
	case m.ended != "":
		moved = &m.skipped
		err = d.Skip(m.ended, now)
	case m.Drop && d.Reason == delivery.Paused:
		moved = &m.dropped
		err = d.Drop(now)
	default:
		err = d.Release(at, now, m.Clock)
	}
	if err != nil {
		return bell, err
	}
	_, won, err := m.Deliveries.PutDelivery(ctx, d, nil)
	if !won || err != nil {
		return bell, err
	}
	moved.Add(1)
	if moved == &m.released {
		bell = lane.DoorbellAgain(d.ID(), d.Webhook, max(0, at.Sub(now)))
	}
	return bell, nil
}

// log writes a line if something was moved.
func (m *mover) log(ctx context.Context) {
	released, dropped, skipped, expired := m.released.Load(), m.dropped.Load(), m.skipped.Load(), m.expired.Load()
	if released+dropped+skipped+expired > 0 {
		m.Logger.InfoContext(ctx, "release.moved", "webhook", m.webhook,
			"released", released, "dropped", dropped, "skipped", skipped, "expired", expired)
	}
}
