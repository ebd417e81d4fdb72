package sqlite

import (
	"container/heap"
	"math"
	"time"

	"nepenthes/shared/lane"
)

// never is later than every message.
const never = time.Duration(math.MaxInt64)

// keptBytes is how much of a lane's messages is kept in memory, so that what is received soon after it was sent is
// not read again. About 40,000 doorbells, and as much of a backlog of events as does no harm.
const keptBytes = 8 << 20

// keptOverhead is what a kept message costs beside its body, in bytes, about.
const keptOverhead = 256

// queue shares out the messages of one lane. It knows of every message no more than it needs for that, about 70
// bytes; times count from the database's start, on the monotonic clock, so that setting the wall clock wakes and
// hides nothing. It is not safe for concurrent use.
type queue struct {
	share  int // messages that a group can have in flight
	groups map[string]*group
	turns  fifo[*group] // groups that may have a message received; each has one turn, then goes to the end
	hidden hidden       // delayed and in flight
	held   map[int64]*message
	kept   int // bytes, about
}

// group is the messages that share a message group, and those that have none.
type group struct {
	name     string
	members  int // messages that are not deleted; without any, the group is forgotten
	inFlight int
	queued   bool // in turns
	ready    fifo[*message]
}

// message is one message that is not deleted. One that has been received is also in held, by its id.
type message struct {
	id       int64
	due      time.Duration // when it becomes visible
	group    *group
	kept     *lane.Message // nil: in the table only
	received int32
	position int32 // in hidden
	inFlight bool
	deleted  bool // while it is still in ready, which is not searched
}

// taken is what a receiver gets of a message; it shares no memory with the queue.
type taken struct {
	id      int64
	count   int // of receives, this one included
	group   string
	message *lane.Message // nil: to be read from the table
}

func newQueue(share int) *queue {
	return &queue{share: share, groups: map[string]*group{}, held: map[int64]*message{}}
}

// add adds a message that becomes visible at due and has been received so many times. Its body is kept as long as
// there is room; a nil body is one that is not known.
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
	heap.Push(&q.hidden, added)
}

// take receives up to max of the messages that are visible at now, and hides them until due.
func (q *queue) take(max int, now, due time.Duration) (batch []taken) {
	q.reveal(now)
	for len(batch) < max && q.turns.size() > 0 {
		g := q.turns.pop()
		g.queued = false
		if m := g.next(); m != nil {
			batch = append(batch, q.hide(m, due))
		}
		q.offer(g)
	}
	return batch
}

// reveal makes visible what is due.
func (q *queue) reveal(now time.Duration) {
	for len(q.hidden) > 0 && q.hidden[0].due <= now {
		q.show(heap.Pop(&q.hidden).(*message))
	}
}

// show lines up a message that is hidden no longer.
func (q *queue) show(m *message) {
	if m.inFlight {
		m.inFlight = false
		m.group.inFlight--
	}
	m.group.ready.push(m)
	q.offer(m.group)
}

// offer gives the group a turn if a message of it may be received.
func (q *queue) offer(g *group) {
	if !g.queued && g.ready.size() > 0 && (g.name == "" || g.inFlight < q.share) {
		g.queued = true
		q.turns.push(g)
	}
}

// next is the first message that is not deleted, nil when all are.
func (g *group) next() *message {
	for g.ready.size() > 0 {
		if m := g.ready.pop(); !m.deleted {
			return m
		}
	}
	return nil
}

// hide puts a message in flight. What is kept of it goes with it: a second receive is rare, and reads the table.
func (q *queue) hide(m *message, due time.Duration) taken {
	m.received++
	m.inFlight = true
	m.group.inFlight++
	m.due = due
	q.held[m.id] = m
	heap.Push(&q.hidden, m)
	t := taken{id: m.id, count: int(m.received), group: m.group.name, message: m.kept}
	q.drop(m)
	return t
}

// drop lets go of what is kept of m.
func (q *queue) drop(m *message) {
	if m.kept != nil {
		q.kept -= len(m.kept.Body) + keptOverhead
		m.kept = nil
	}
}

// giveBack undoes the receive of a batch.
func (q *queue) giveBack(batch []taken) {
	for _, t := range batch {
		if m := q.held[t.id]; m != nil && m.inFlight && int(m.received) == t.count {
			heap.Remove(&q.hidden, int(m.position))
			m.received--
			q.show(m)
		}
	}
}

// remove forgets messages; those it does not hold are none of its business.
func (q *queue) remove(ids []int64) {
	for _, id := range ids {
		m := q.held[id]
		if m == nil {
			continue
		}
		delete(q.held, id)
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

// visible is how many messages are hidden neither by a delay nor by a receive at now.
func (q *queue) visible(now time.Duration) int {
	q.reveal(now)
	n := -len(q.hidden)
	for _, g := range q.groups {
		n += g.members
	}
	return n
}

// ready reports whether a message may be received.
func (q *queue) ready() bool { return q.turns.size() > 0 }

// next is when the next hidden message becomes visible; never when there is none.
func (q *queue) next() time.Duration {
	if len(q.hidden) == 0 {
		return never
	}
	return q.hidden[0].due
}

// hidden is a heap, the message that becomes visible first at its top; of two at the same time the older one.
type hidden []*message

func (h hidden) Len() int { return len(h) }

func (h hidden) Less(i, j int) bool {
	return h[i].due < h[j].due || h[i].due == h[j].due && h[i].id < h[j].id
}

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

// fifo is a queue; what has left it is freed when it next grows.
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
