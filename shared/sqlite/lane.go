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

// LaneOptions says how a lane is consumed. Zero values have the defaults named here.
type LaneOptions struct {
	// Visibility is how long a received message stays hidden; default: limits.Visibility of the function that
	// consumes the lane.
	Visibility time.Duration
	// Slots is how many messages the consumer works on at once; a tenth of them is the most that one message group
	// can have in flight. Default: 100.
	Slots int
	// MaxReceiveCount is how often a message is received before it becomes a dead letter; default:
	// limits.MaxReceiveCount.
	MaxReceiveCount int
}

// groupShare is the part of a lane's slots that one message group can have (contract of delivery, promise 4).
const groupShare = 10

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

// Lane is one lane of a database; it is safe for concurrent use.
//
// The rows of the table are what must survive. What wakes, hides and shares out messages is in memory: a start
// makes every received message visible anyway, so that a first receive writes nothing.
type Lane struct {
	db          *DB
	name        lane.Name
	options     LaneOptions
	deadLetters *Lane // nil for a dead-letter lane, where nothing dies again

	// wake holds a token when there may be something to receive. Who takes it passes it on when more is left.
	wake chan struct{}

	mu    sync.Mutex // protects the fields below
	queue *queue
	timer *time.Timer   // wakes a receiver for what becomes visible; nil before the first
	alarm time.Duration // when it does; never: not set
}

// Lane gives the lane of a name, which must be one of lane.Names or one of their DeadLetters.
func (db *DB) Lane(name lane.Name) *Lane {
	l, ok := db.lanes[name]
	if !ok {
		panic(fmt.Sprintf("there is no lane %q", name))
	}
	return l
}

func (db *DB) makeLanes(options map[lane.Name]LaneOptions) {
	db.lanes = map[lane.Name]*Lane{}
	for _, name := range lane.Names() {
		dead := db.newLane(name.DeadLetters(), options[name.DeadLetters()])
		db.newLane(name, options[name]).deadLetters = dead
	}
}

func (db *DB) newLane(name lane.Name, options LaneOptions) *Lane {
	options = options.withDefaults(name)
	l := &Lane{db: db, name: name, options: options, wake: make(chan struct{}, 1), alarm: never}
	l.queue = newQueue(max(1, options.Slots/groupShare))
	db.lanes[name] = l
	return l
}

// Send implements lane.Sender: all messages become durable, or none does.
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
	l.change(func(now time.Duration) {
		for i := range rows {
			l.queue.add(rows[i].id, &rows[i].message, 0, now+rows[i].message.Delay)
		}
	})
	return nil
}

// Receive implements lane.Consumer. A group that has its share in flight is passed over until one of its
// messages is deleted or comes back; messages without a group have no share.
func (l *Lane) Receive(ctx context.Context, max int) (received []lane.Message, err error) {
	defer fault.Wrap(&err, "receive from lane %s", l.name)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for !l.db.isClosed() {
		var batch []taken
		l.change(func(now time.Duration) { batch = l.queue.take(max, now, now+l.options.Visibility) })
		if len(batch) > 0 {
			if received, err = l.complete(ctx, batch); err != nil || len(received) > 0 {
				return received, err
			}
			continue // every one was a dead letter
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

// complete fetches from the table what the batch lacks, and settles what is no longer to be received here. When
// the table cannot be used, the whole batch is visible again.
func (l *Lane) complete(ctx context.Context, batch []taken) ([]lane.Message, error) {
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

// fetch reads messages that are not kept in memory. A repeated receive is counted in the table, so that a message
// which brings the process down again and again becomes a dead letter all the same; it is the count before this
// receive that is stored, since a receive that a kill interrupts does not count.
func (l *Lane) fetch(ctx context.Context, batch []taken) error {
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
	var dead []taken
	err := l.db.write(ctx, func(conn *sqlite.Conn) (err error) {
		dead, err = l.bury(conn, batch)
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

// bury moves those of the batch that have been received too often, and counts the receive of the others.
func (l *Lane) bury(conn *sqlite.Conn, batch []taken) (dead []taken, err error) {
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
		if n, err := strconv.ParseInt(id, 10, 64); err == nil { // another text is no id of ours, and so is gone
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

// change lets f change the queue; then it sets the alarm for the next message that becomes visible, and wakes a
// receiver when there is something to receive now.
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

// ring is the alarm. An alarm whose message is deleted meanwhile still rings: that wakes one receiver for nothing.
func (l *Lane) ring() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.alarm = never
	l.signal()
}

func (l *Lane) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// close silences the alarm.
func (l *Lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
	}
	l.alarm = 0 // before every message: no other is set
}
