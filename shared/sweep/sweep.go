// Package sweep is the clock of deliveries. It sends the doorbells of deliveries whose next attempt is due, if the first
// doorbell was lost or if the wait was longer than a lane can delay a message.
package sweep

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/required"
)

// Deliveries reads and changes deliveries. See store.Deliveries.
type Deliveries interface {
	Due(ctx context.Context, until time.Time, limit int) ([]delivery.Key, error)
	Delivery(ctx context.Context, key delivery.Key) (delivery.Delivery, error)
	PutDelivery(ctx context.Context, d delivery.Delivery, ended *delivery.Attempt) (now delivery.Delivery, won bool, err error)
}

// Bell sends doorbells to the retries lane. A nil error means that all messages are durable.
type Bell interface {
	Send(ctx context.Context, messages ...lane.Message) error
}

// Config holds the dependencies of a Sweeper.
type Config struct {
	Deliveries Deliveries
	Held       Held
	Jobs       ReleaseJobs
	Webhooks   Webhooks
	Retries    Bell
	// Clock scales the waits.
	Clock delivery.Clock
	// Now returns the current time. Nil means time.Now.
	Now    func() time.Time
	Logger *slog.Logger
}

// Sweeper sends the doorbells of deliveries that are due. Several sweepers may run at the same time.
type Sweeper struct{ Config }

// New returns a Sweeper. It panics if a dependency is missing.
func New(c Config) *Sweeper {
	required.Fields(c)
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Sweeper{c}
}

// spread is the largest random time that is added to the next check of a delivery. It spreads deliveries that were listed
// together. It also makes the writes of two concurrent sweepers differ, so that only one of them succeeds. Of two equal
// writes both would succeed, because a store takes the second for a repetition of the first.
const spread = time.Second

// page is the number of deliveries that are postponed before their doorbells are sent.
const page = 100

// Sweep sends the doorbells of what is due, and then releases what is held for webhooks that can receive again.
func (s *Sweeper) Sweep(ctx context.Context) (err error) {
	defer fault.Wrap(&err, "sweep")
	if err := s.ringDue(ctx); err != nil {
		return err
	}
	return s.releaseAll(ctx)
}

// ringDue sends a doorbell for every delivery that is due now, with the delay that remains. Before that it postpones the
// next check of the delivery, on the condition that the row has not changed, so that only one of two sweepers sends a
// doorbell. If the sweeper dies in between, the doorbell is lost; the next check is 2 minutes later, then 4, and so on up
// to 60. After an error the remaining deliveries are left to the next sweep.
func (s *Sweeper) ringDue(ctx context.Context) error {
	seen, rung := map[delivery.Key]bool{}, 0
	for {
		keys, err := s.Deliveries.Due(ctx, s.Now(), page)
		if err != nil {
			return err
		}
		bells, progress, err := s.postponeAll(ctx, keys, seen)
		if len(bells) > 0 {
			if err := s.Retries.Send(ctx, bells...); err != nil {
				return err
			}
		}
		rung += len(bells)
		if err != nil {
			return err
		}
		if !progress { // this sweep has seen all keys: the index is behind, or another sweeper is at work
			break
		}
	}
	if rung > 0 {
		s.Logger.InfoContext(ctx, "sweep.rang", "deliveries", rung)
	}
	return nil
}

// postponeAll postpones the next check of each delivery that this sweep has not seen yet, and returns the doorbells to
// send. progress reports whether there was such a delivery. If postponeAll fails halfway, it returns the doorbells of the
// deliveries that it has postponed.
func (s *Sweeper) postponeAll(ctx context.Context, keys []delivery.Key, seen map[delivery.Key]bool) (bells []lane.Message, progress bool, err error) {
	for _, key := range keys {
		if seen[key] {
			continue
		}
		seen[key], progress = true, true
		delay, ring, err := s.postpone(ctx, key)
		if err != nil {
			return bells, progress, err
		}
		if ring {
			bells = append(bells, lane.DoorbellAgain(key.ID(), key.Webhook, delay))
		}
	}
	return bells, progress, nil
}

// postpone postpones the next check of a delivery and reports whether to send a doorbell. It does nothing if the delivery
// no longer exists or is no longer due: the process that changed it has sent a doorbell or has ended the delivery.
func (s *Sweeper) postpone(ctx context.Context, key delivery.Key) (delay time.Duration, ring bool, err error) {
	d, err := s.Deliveries.Delivery(ctx, key)
	if fault.Is(err, fault.NotFound) {
		return 0, false, nil
	}
	now := s.Now()
	if err != nil || d.SweepAt.IsZero() || d.SweepAt.After(now) {
		return 0, false, err
	}
	delay, ring = d.Sweep(now, s.Clock)
	if !d.SweepAt.IsZero() {
		d.SweepAt = d.SweepAt.Add(rand.N(spread))
	}
	_, won, err := s.Deliveries.PutDelivery(ctx, d, nil)
	return delay, ring && won, err
}
