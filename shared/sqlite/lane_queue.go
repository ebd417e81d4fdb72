package sqlite

import (
	"container/heap"
	"math"
	"time"

	"nepenthes/shared/lane"
)

// never is later than the time of any message.
const never = time.Duration(math.MaxInt64)

// keptBytes is how many bytes of the messages of a lane are kept in memory, so that a message that is received soon
// after it was sent is not read again. They hold about 40,000 doorbells.
const keptBytes = 8 << 20

// keptOverhead is about how many bytes a kept message takes in addition to its body.
const keptOverhead = 256

// queue decides which message of a lane is received next. It takes about 70 bytes for a message whose body is not kept.
// Times count from the start of the database, on the monotonic clock, so that setting the wall clock has no effect. A
// queue is not safe for concurrent use.
type queue struct {
	share    int // how many messages of a group can be in flight
	groups   map[string]*group
	turns    fifo[*group]       // groups with a message to receive; a group goes to the end after its turn
	hidden   hidden             // messages that are delayed or in flight
	received map[int64]*message // messages that were received, by id
	kept     int                // about how many bytes of messages are kept
}

// group is the messages with the same message group, or all messages without one.
type group struct {
	name     string
	members  int // how many messages are not deleted; at 0 the group is removed
	inFlight int
	queued   bool // whether it is in turns
	ready    fifo[*message]
}

// message is a message that is not deleted. Once it has been received, it is also in received of the queue.
type message struct {
	id       int64
	due      time.Duration // when it becomes visible
	group    *group
	kept     *lane.Message // nil if it is only in the table
	received int32
	position int32 // its index in hidden
	inFlight bool
	deleted  bool // set while it is still in ready, which is not searched
}

// receipt describes a received message. It shares no memory with the queue.
type receipt struct {
	id      int64
	count   int // how often it was received, including this time
	group   string
	message *lane.Message // nil until it is read from the table
}

// newQueue returns a queue in which each group can have share messages in flight.
func newQueue(share int) *queue {
	return &queue{share: share, groups: map[string]*group{}, received: map[int64]*message{}}
}

// add adds a message that becomes visible at due and was received that often before. It keeps the message in memory if
// it has a body and there is room.
func (q *queue) add(id int64, m *lane.Message, received int, due time.Duration) {
	g := q.groups[m.Group]
	if g == nil {
		g = &group{name: m.Group}
		q.groups[m.Group] = g
	}
	g.members++
	added := &message{id: id, due: due, group: g, received: int32(received)}
	if size := len(m.Body) + keptOverhead; m.Body != nil && q.kept+size <= keptBytes {
		added.kept = m
		q.kept += size
	}
	// A message that is already due becomes visible at the next reveal.
	heap.Push(&q.hidden, added)
}

// take receives up to max messages that are visible at now and hides them until due.
func (q *queue) take(max int, now, due time.Duration) (batch []receipt) {
	q.reveal(now)
	for len(batch) < max && q.turns.size() > 0 {
		// The group gets its next turn after all other groups.
		g := q.turns.pop()
		g.queued = false
		if m := g.next(); m != nil {
			batch = append(batch, q.hide(m, due))
		}
		q.offer(g)
	}
	return batch
}

// reveal makes the messages visible that are due.
func (q *queue) reveal(now time.Duration) {
	for len(q.hidden) > 0 && q.hidden[0].due <= now {
		q.show(heap.Pop(&q.hidden).(*message))
	}
}

// show puts a message that is no longer hidden at the end of its group.
func (q *queue) show(m *message) {
	if m.inFlight {
		m.inFlight = false
		m.group.inFlight--
	}
	m.group.ready.push(m)
	q.offer(m.group)
}

// offer gives a group a turn if one of its messages may be received.
func (q *queue) offer(g *group) {
	if !g.queued && g.ready.size() > 0 && (g.name == "" || g.inFlight < q.share) {
		g.queued = true
		q.turns.push(g)
	}
}

// next removes and returns the first message that is not deleted. It returns nil if there is none.
func (g *group) next() *message {
	for g.ready.size() > 0 {
		if m := g.ready.pop(); !m.deleted {
			return m
		}
	}
	return nil
}

// hide puts a message in flight. It does not keep the body any longer: a second receive is rare, and reads the table.
func (q *queue) hide(m *message, due time.Duration) receipt {
	m.received++
	m.inFlight = true
	m.group.inFlight++
	m.due = due
	q.received[m.id] = m
	heap.Push(&q.hidden, m)
	t := receipt{id: m.id, count: int(m.received), group: m.group.name, message: m.kept}
	q.forgetBody(m)
	return t
}

// forgetBody removes the kept message from memory.
func (q *queue) forgetBody(m *message) {
	if m.kept != nil {
		q.kept -= len(m.kept.Body) + keptOverhead
		m.kept = nil
	}
}

// giveBack reverses the receive of a batch.
func (q *queue) giveBack(batch []receipt) {
	for _, t := range batch {
		if m := q.received[t.id]; m != nil && m.inFlight && int(m.received) == t.count {
			heap.Remove(&q.hidden, int(m.position))
			m.received--
			q.show(m)
		}
	}
}

// remove removes messages. It ignores ids of messages that were not received from this queue.
func (q *queue) remove(ids []int64) {
	for _, id := range ids {
		m := q.received[id]
		if m == nil {
			continue
		}
		delete(q.received, id)
		m.deleted = true
		if m.inFlight {
			m.inFlight = false
			m.group.inFlight--
			heap.Remove(&q.hidden, int(m.position))
			q.offer(m.group)
		}
		if m.group.members--; m.group.members == 0 {
			delete(q.groups, m.group.name)
		}
	}
}

// visible returns how many messages are neither delayed nor in flight at now.
func (q *queue) visible(now time.Duration) int {
	q.reveal(now)
	n := -len(q.hidden)
	for _, g := range q.groups {
		n += g.members
	}
	return n
}

// ready reports whether there is a message to receive.
func (q *queue) ready() bool { return q.turns.size() > 0 }

// next returns when the next hidden message becomes visible, or never if there is none.
func (q *queue) next() time.Duration {
	if len(q.hidden) == 0 {
		return never
	}
	return q.hidden[0].due
}

// hidden is a heap. Its first message is the one that becomes visible first; of two at the same time it is the older
// one.
type hidden []*message

func (h hidden) Len() int { return len(h) }

// Less breaks ties by id, so that messages that become visible at the same time keep their order.
func (h hidden) Less(i, j int) bool {
	return h[i].due < h[j].due || h[i].due == h[j].due && h[i].id < h[j].id
}

// Swap keeps the position of each message, by which giveBack and remove find it.
func (h hidden) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].position, h[j].position = int32(i), int32(j)
}

func (h *hidden) Push(x any) {
	m := x.(*message)
	m.position = int32(len(*h))
	*h = append(*h, m)
}

func (h *hidden) Pop() any {
	last := len(*h) - 1
	m := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return m
}

// fifo is a first-in, first-out list. The memory of removed items is freed when the list grows the next time.
type fifo[T any] struct{ items []T }

func (f *fifo[T]) size() int { return len(f.items) }

func (f *fifo[T]) push(item T) { f.items = append(f.items, item) }

func (f *fifo[T]) pop() T {
	var none T
	item := f.items[0]
	f.items[0] = none
	f.items = f.items[1:]
	return item
}
