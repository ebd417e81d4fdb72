package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"

	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
)

// LaneOptions configures a lane. A zero value means the default.
type LaneOptions struct {
	// Visibility is how long a received message stays hidden. Default: limits.Visibility of the function that consumes
	// the lane.
	Visibility time.Duration
	// Slots is the number of messages that the consumer processes at once. One message group can have a tenth of them
	// in flight. Default: 100.
	Slots int
	// MaxReceiveCount is how often a message is received before it becomes a dead letter. Default:
	// limits.MaxReceiveCount.
	MaxReceiveCount int
}

// groupShare divides the slots of a lane: one message group can have this fraction of them in flight.
const groupShare = 10

// withDefaults returns o with the defaults of the lane.
func (o LaneOptions) withDefaults(name lane.Name) LaneOptions {
	if o.Visibility == 0 {
		o.Visibility = limits.Visibility(limits.SenderTimeout)
		if name == lane.Events {
			o.Visibility = limits.Visibility(limits.FanoutTimeout)
		}
	}
	if o.Slots == 0 {
		o.Slots = 100
	}
	if o.MaxReceiveCount == 0 {
		o.MaxReceiveCount = limits.MaxReceiveCount
	}
	return o
}

// Lane is a lane of a database. It is safe for concurrent use.
//
// The table holds what must survive a restart. Which messages are hidden, and whose turn it is, is kept in memory. A
// start makes every received message visible anyway, so a first receive need not write.
type Lane struct {
	db          *DB
	name        lane.Name
	options     LaneOptions
	deadLetters *Lane // nil for a dead-letter lane, whose messages never become dead letters

	// wake holds a token when there may be a message to receive. A receiver that takes the token puts it back if there
	// are more messages.
	wake chan struct{}

	mu    sync.Mutex // protects the fields below
	queue *queue
	timer *time.Timer   // runs ring when the next message becomes visible; nil before the first
	alarm time.Duration // when timer runs, or never
}

// Lane returns the lane with the given name. It panics if the name is neither one of lane.Names nor one of their
// DeadLetters.
func (db *DB) Lane(name lane.Name) *Lane {
	l, ok := db.lanes[name]
	if !ok {
		panic(fmt.Sprintf("there is no lane %q", name))
	}
	return l
}

// makeLanes creates all lanes. Each lane knows its dead-letter lane, to which it moves messages by itself.
func (db *DB) makeLanes(options map[lane.Name]LaneOptions) {
	db.lanes = map[lane.Name]*Lane{}
	for _, name := range lane.Names() {
		dead := db.newLane(name.DeadLetters(), options[name.DeadLetters()])
		db.newLane(name, options[name]).deadLetters = dead
	}
}

// newLane creates a lane. Every group can have at least one message in flight.
func (db *DB) newLane(name lane.Name, options LaneOptions) *Lane {
	options = options.withDefaults(name)
	l := &Lane{db: db, name: name, options: options, wake: make(chan struct{}, 1), alarm: never}
	l.queue = newQueue(max(1, options.Slots/groupShare))
	db.lanes[name] = l
	return l
}

// Send implements lane.Sender. Either all messages become durable or none does.
func (l *Lane) Send(ctx context.Context, messages ...lane.Message) (err error) {
	defer fault.Wrap(&err, "send to lane %s", l.name)
	if len(messages) == 0 {
		return nil
	}
	rows := make([]row, len(messages))
	for i, m := range messages {
		if rows[i], err = l.db.newRow(m); err != nil {
			return err
		}
	}
	if err := l.db.write(ctx, func(conn *sqlite.Conn) error { return insert(conn, l.name, rows) }); err != nil {
		return err
	}
	// Only now are the messages on disk, so only now may they be received.
	l.change(func(now time.Duration) {
		for i := range rows {
			l.queue.add(rows[i].id, &rows[i].message, 0, now+rows[i].message.Delay)
		}
	})
	return nil
}

// Receive implements lane.Consumer. It passes over a group that has its share in flight, until a message of the group
// is deleted or becomes visible again. Messages without a group have no share.
func (l *Lane) Receive(ctx context.Context, max int) (received []lane.Message, err error) {
	defer fault.Wrap(&err, "receive from lane %s", l.name)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for !l.db.isClosed() {
		var batch []receipt
		l.change(func(now time.Duration) { batch = l.queue.take(max, now, now+l.options.Visibility) })
		if len(batch) > 0 {
			if received, err = l.complete(ctx, batch); err != nil || len(received) > 0 {
				return received, err
			}
			continue // all of them were dead letters or deleted
		}
		select {
		case <-l.wake:
		case <-l.db.closed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, l.db.explain(errClosed)
}

// complete reads the bodies that are not in memory, and leaves out messages that are no longer on this lane. If the
// table cannot be read, the whole batch becomes visible again.
func (l *Lane) complete(ctx context.Context, batch []receipt) ([]lane.Message, error) {
	if err := l.fetch(ctx, batch); err != nil {
		l.change(func(time.Duration) { l.queue.giveBack(batch) })
		return nil, err
	}
	received := make([]lane.Message, 0, len(batch))
	var gone []int64
	for _, t := range batch {
		if t.message == nil {
			gone = append(gone, t.id)
			continue
		}
		t.message.ReceiveCount = t.count
		received = append(received, *t.message)
	}
	if len(gone) > 0 {
		l.change(func(time.Duration) { l.queue.remove(gone) })
	}
	return received, nil
}

// fetch reads the messages of a batch that are not in memory. It stores the receive count of a message that is received
// again, so that a message that keeps crashing the process becomes a dead letter too. It stores the count before this
// receive, because a receive that a kill interrupts does not count.
func (l *Lane) fetch(ctx context.Context, batch []receipt) error {
	absent, repeated := false, false
	for _, t := range batch {
		absent = absent || t.message == nil
		repeated = repeated || t.count > 1
	}
	switch {
	case !absent:
		return nil
	case !repeated:
		return l.db.read(ctx, func(conn *sqlite.Conn) error { return load(conn, l.name, batch) })
	}
	var dead []receipt
	err := l.db.write(ctx, func(conn *sqlite.Conn) (err error) {
		dead, err = l.moveDead(conn, batch)
		return errors.Join(err, load(conn, l.name, batch))
	})
	if err == nil && len(dead) > 0 {
		l.deadLetters.change(func(now time.Duration) {
			for _, t := range dead {
				l.deadLetters.queue.add(t.id, &lane.Message{Group: t.group}, 0, now)
			}
		})
	}
	return err
}

// moveDead moves the messages of the batch that were received too often to the dead-letter lane, and returns them. It
// stores the receive counts of the others.
func (l *Lane) moveDead(conn *sqlite.Conn, batch []receipt) (dead []receipt, err error) {
	for _, t := range batch {
		switch {
		case t.count == 1:
		case l.deadLetters == nil || t.count <= l.options.MaxReceiveCount:
			err = count(conn, l.name, t.id, t.count-1)
		default:
			var moved bool
			if moved, err = move(conn, l.name, l.deadLetters.name, t.id); moved {
				dead = append(dead, t)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return dead, nil
}

// Delete implements lane.Consumer.
func (l *Lane) Delete(ctx context.Context, ids ...string) (err error) {
	defer fault.Wrap(&err, "delete from lane %s", l.name)
	numbers := make([]int64, 0, len(ids))
	for _, id := range ids {
		if n, err := strconv.ParseInt(id, 10, 64); err == nil { // any other text is not the id of a message
			numbers = append(numbers, n)
		}
	}
	if len(numbers) == 0 {
		return nil
	}
	if err := l.db.write(ctx, func(conn *sqlite.Conn) error { return remove(conn, l.name, numbers) }); err != nil {
		return err
	}
	l.change(func(time.Duration) { l.queue.remove(numbers) })
	return nil
}

// Waiting implements lane.Consumer.
func (l *Lane) Waiting(ctx context.Context) (waiting int, err error) {
	defer fault.Wrap(&err, "count the messages of lane %s", l.name)
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	l.change(func(now time.Duration) { waiting = l.queue.visible(now) })
	return waiting, nil
}

// change calls f to change the queue. Then it sets the alarm for the next message that becomes visible, and wakes a
// receiver if there is a message to receive now.
func (l *Lane) change(f func(now time.Duration)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.db.elapsed()
	f(now)
	l.queue.reveal(now)
	if next := l.queue.next(); next < l.alarm {
		if l.timer != nil {
			l.timer.Stop()
		}
		l.alarm, l.timer = next, time.AfterFunc(next-now, l.ring)
	}
	if l.queue.ready() {
		l.signal()
	}
}

// ring runs when the alarm goes off. It does so even if its message has been deleted, which wakes one receiver in vain.
func (l *Lane) ring() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.alarm = never
	l.signal()
}

// signal puts a token into wake unless it has one.
func (l *Lane) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// close stops the alarm.
func (l *Lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
	}
	l.alarm = 0 // earlier than any message, so no alarm is set again
}
