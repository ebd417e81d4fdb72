// Package sweep is the clock of deliveries: it finds those whose attempt is due or was forgotten, and rings for
// them. DynamoDB is the ledger and SQS the doorbell; a doorbell that got lost, or that no lane could hold for so
// long, is rung from here.
package sweep

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
)

// Deliveries is what the sweeper reads and moves, see store.Deliveries.
type Deliveries interface {
	Due(ctx context.Context, until time.Time, limit int) ([]delivery.Key, error)
	Delivery(ctx context.Context, key delivery.Key) (delivery.Delivery, error)
	PutDelivery(ctx context.Context, d delivery.Delivery, ended *delivery.Attempt) (now delivery.Delivery, won bool, err error)
}

// Bell rings on the lane of retries; nil means that the messages are durable.
type Bell interface {
	Send(ctx context.Context, messages ...lane.Message) error
}

// Config names what a Sweeper needs.
type Config struct {
	Deliveries Deliveries
	Retries    Bell
	Clock      delivery.Clock
	// Now is the time; nil means time.Now.
	Now    func() time.Time
	Logger *slog.Logger
}

// Sweeper looks for what is due.
type Sweeper struct{ Config }

// New makes a Sweeper; it panics when a part is missing.
func New(c Config) *Sweeper {
	if c.Deliveries == nil || c.Retries == nil || c.Logger == nil {
		panic("sweep: a part of Config is missing")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Sweeper{c}
}

// spread is how far the next look at a delivery is moved at random. What was listed together does not come back in
// one heap; and what two sweepers write at the same moment differs, so that one of them wins: a store takes a write
// that equals what is stored for a repeat whose answer was lost.
const spread = time.Second

// page is how many deliveries are looked at between two sends.
const page = 100

// Sweep rings for everything that is due now, each with the exact delay that remains. Every delivery is first
// moved out of the way on condition that nobody else changed it, so that two sweepers ring once. A crash between
// the two loses that ringing; the next one follows in 2 minutes, then 4 and so on to 60. After an error the rest
// is left to the next sweep.
func (s *Sweeper) Sweep(ctx context.Context) (err error) {
	defer fault.Wrap(&err, "sweep")
	seen, rung := map[delivery.Key]bool{}, 0
	for {
		keys, err := s.Deliveries.Due(ctx, s.Now(), page)
		if err != nil {
			return err
		}
		bells, news, err := s.move(ctx, keys, seen)
		if len(bells) > 0 {
			if err := s.Retries.Send(ctx, bells...); err != nil {
				return err
			}
		}
		rung += len(bells)
		if err != nil {
			return err
		}
		if !news { // only what this sweep has seen: the index lags behind, or somebody else is at it
			break
		}
	}
	if rung > 0 {
		s.Logger.InfoContext(ctx, "sweep.rang", "deliveries", rung)
	}
	return nil
}

// move takes those of the keys that were not seen yet out of the way, and gives the bells to ring for them, also
// when it fails half-way.
func (s *Sweeper) move(ctx context.Context, keys []delivery.Key, seen map[delivery.Key]bool) (bells []lane.Message, news bool, err error) {
	for _, key := range keys {
		if seen[key] {
			continue
		}
		seen[key], news = true, true
		delay, ring, err := s.moveOne(ctx, key)
		if err != nil {
			return bells, news, err
		}
		if ring {
			bells = append(bells, lane.DoorbellAgain(key.ID(), key.Webhook, delay))
		}
	}
	return bells, news, nil
}

// moveOne moves one delivery and says whether to ring for it. One that is gone, or that somebody else changed
// since it was listed, is left alone: whoever changed it rang or finished it.
func (s *Sweeper) moveOne(ctx context.Context, key delivery.Key) (delay time.Duration, ring bool, err error) {
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
