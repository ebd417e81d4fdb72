package main

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"nepenthes/shared/catalogue"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fanout"
	"nepenthes/shared/lambdahost"
	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
	"nepenthes/shared/sender"
	"nepenthes/shared/sqlite"
	"nepenthes/shared/sweep"
)

// The number of messages in progress at once. For fan-out it limits how many events can share one commit of the database.
// For the sender, one webhook may use a tenth of the slots, which limits the concurrent requests to one receiver.
const (
	fanoutSlots = 100
	senderSlots = 400
)

// pipeline takes events from their lane to the receivers. In the cloud the functions fanout, sender and sweeper do this.
type pipeline struct {
	catalogue *catalogue.Catalogue
	sender    *sender.Sender
	sweeper   *sweep.Sweeper
	consumers []*consumer
	clock     delivery.Clock
	logger    *slog.Logger
}

// ledger has the methods of a store that a pipeline needs.
type ledger interface {
	catalogue.Store
	fanout.Recorder
	fanout.Projects
	sender.Events
	sender.Deliveries
	sender.Webhooks
	sweep.Deliveries
	sweep.Held
	sweep.ReleaseJobs
}

// ends are the two ends of a lane.
type ends interface {
	fanout.Sender
	source
}

// parts are the parts of a pipeline.
type parts struct {
	store  ledger
	lane   func(lane.Name) ends
	opener sender.Opener
	client sender.Client
	clock  delivery.Clock
	twice  bool
	logger *slog.Logger
}

// laneOptions returns the numbers of slots, for the lanes of the database.
func laneOptions() map[lane.Name]sqlite.LaneOptions {
	return map[lane.Name]sqlite.LaneOptions{
		lane.Events:     {Slots: fanoutSlots},
		lane.Deliveries: {Slots: senderSlots},
		lane.Retries:    {Slots: senderSlots},
	}
}

func newPipeline(p parts) *pipeline {
	l := &pipeline{catalogue: catalogue.New(p.store), clock: p.clock, logger: p.logger}
	fan := fanout.New(fanout.Config{
		Matcher: l.catalogue, Recorder: p.store, Projects: p.store,
		Deliveries: p.lane(lane.Deliveries), DeadLetters: p.lane(lane.Events.DeadLetters()), Logger: p.logger,
	})
	l.sender = sender.New(sender.Config{
		Catalogue: l.catalogue, Events: p.store, Deliveries: p.store, Webhooks: p.store, Retries: p.lane(lane.Retries),
		Opener: p.opener, Client: p.client, Clock: p.clock, Logger: p.logger,
	})
	l.sweeper = sweep.New(sweep.Config{Deliveries: p.store, Held: p.store, Jobs: p.store, Webhooks: p.store, Retries: p.lane(lane.Retries), Clock: p.clock, Logger: p.logger})
	l.consume(p, lane.Events, fan.Handle, fanoutSlots)
	l.consume(p, lane.Deliveries, l.sender.Handle, senderSlots)
	l.consume(p, lane.Retries, l.sender.Handle, senderSlots)
	return l
}

func (l *pipeline) consume(p parts, name lane.Name, handle lambdahost.Consumer, slots int) {
	l.consumers = append(l.consumers, &consumer{
		source: p.lane(name), batch: lambdahost.Queue(handle, p.logger), slots: slots, twice: p.twice, logger: p.logger,
	})
}

// run runs the pipeline until ctx ends, and returns when nothing is in progress any more.
func (l *pipeline) run(ctx context.Context) {
	var running sync.WaitGroup
	for _, c := range l.consumers {
		running.Go(func() { c.run(ctx) })
	}
	running.Go(func() { l.sweep(ctx) })
	running.Wait()
}

// sweep sweeps at once, since much may be due after a downtime, and then every minute.
func (l *pipeline) sweep(ctx context.Context) {
	tick := time.NewTicker(l.clock.Scaled(limits.SweepPeriod))
	defer tick.Stop()
	for {
		l.sweepOnce(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// sweepOnce sweeps once. Neither an error nor a panic stops the clock. In the cloud the sweeper is also called again
// after a minute.
func (l *pipeline) sweepOnce(ctx context.Context) {
	defer func() {
		if p := recover(); p != nil {
			l.logger.ErrorContext(ctx, "sweep.panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	if err := l.sweeper.Sweep(ctx); err != nil && !errors.Is(err, context.Canceled) {
		l.logger.ErrorContext(ctx, "sweep.failed", "error", err)
	}
}
