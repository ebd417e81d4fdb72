package throttle

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"nepenthes/shared/tables"
)

// SharedConfig is what a Shared is made of.
type SharedConfig struct {
	// PerSecond is how many requests a second a client may make; at least 1.
	PerSecond float64
	// Counter is the one of all processes.
	Counter Counter
	// Now is the time; nil means time.Now. The clocks of the processes may be apart by less than a second.
	Now    func() time.Time
	Logger *slog.Logger
	// Patience is how long a request waits for the counter; 0 means half a second.
	Patience time.Duration
}

// Shared counts in all processes together, by one counter for each client, class and second. A second's allowance that
// is used up is borrowed from the next one: so a client makes twice its rate at once, and its rate from then on.
//
// A write for every request would cost more than the request. So a process takes a lease of one request first, and of
// two, four … as it uses them up within a second, up to a tenth of a second's allowance. A lease ends with the second
// whose allowance it is of. What is then left of it the process takes less of in the next second: else a client whose
// requests are spread over many processes would get less than its rate.
//
// A counter that cannot be reached lets everything pass, and a warning tells so: the rate protects from clients that
// are too eager, and must not be a reason to refuse those that are not. It is safe for concurrent use.
type Shared struct {
	SharedConfig

	mu     sync.Mutex // protects shares, and used of each
	shares map[name]*share
}

const (
	// leaseShare is which part of a second's allowance a lease is at most.
	leaseShare = 10
	// counterKept is how long a counter outlives its second: for processes whose clocks are behind.
	counterKept = 5 * time.Second
	// counterPatience is the patience with the counter unless told otherwise.
	counterPatience = 500 * time.Millisecond
)

// NewShared makes a Shared; it panics when a part is missing.
func NewShared(c SharedConfig) *Shared {
	if !(c.PerSecond >= 1) || c.Counter == nil || c.Logger == nil {
		panic("throttle: a part of SharedConfig is missing")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Patience == 0 {
		c.Patience = counterPatience
	}
	return &Shared{SharedConfig: c, shares: map[name]*share{}}
}

// share is what this process has of a client's allowance. Seconds are those since 1970.
type share struct {
	used int64 // the last second in which it was asked for

	mu     sync.Mutex // protects what follows, also while a lease is taken
	now    int64      // the second of the last request
	left   int64      // of the lease
	of     int64      // the second of whose allowance the lease is
	credit int64      // what was left of the last second's lease, and is still to be taken less
	size   int64      // of the next lease
	spent  int64      // the last second whose allowance is known to be used up
	blind  int64      // a second in which the counter could not be reached
}

// Take counts one request of the client; a fault of kind TooManyRequests says when the next one is possible.
func (s *Shared) Take(ctx context.Context, client string, class Class) error {
	allowance := int64(s.PerSecond * class.times())
	h := s.share(name{client, class})
	h.mu.Lock()
	defer h.mu.Unlock()
	now := s.Now()
	second := now.Unix()
	h.turn(second)
	for of := max(second, h.spent+1); h.left == 0 && of < second+burst; of++ {
		if h.blind == second {
			return nil
		}
		if err := s.lease(ctx, h, name{client, class}, of, allowance); err != nil {
			h.blind = second
			s.Logger.WarnContext(ctx, "rate.not_counted", "client", client, "error", err)
			return nil
		}
	}
	if h.left == 0 {
		return tooMany(float64(allowance), time.Unix(second+1, 0).Sub(now))
	}
	h.left--
	return nil
}

// turn begins a second, if it has not begun yet.
func (h *share) turn(second int64) {
	if h.now == second {
		return
	}
	h.now, h.size, h.credit = second, 1, 0
	if h.of >= second { // a lease of what was borrowed is of this second
		return
	}
	if h.of == second-1 {
		h.credit = h.left
	}
	h.left = 0
}

// lease takes some of a second's allowance. It may get less than it asks for, or nothing.
func (s *Shared) lease(ctx context.Context, h *share, n name, of, allowance int64) error {
	ctx, cancel := context.WithTimeout(ctx, s.Patience)
	defer cancel()
	most := max(1, allowance/leaseShare)
	size := min(h.size, most)
	by := max(1, size-h.credit) // something: by 0 would begin no counter
	taken, err := s.Counter.Count(ctx, counterKey(n, of), by, time.Unix(of+1, 0).Add(counterKept))
	if err != nil {
		return err
	}
	h.credit -= size - by
	h.left = size - min(by, max(0, taken-allowance))
	h.of, h.size = of, min(2*size, most)
	if taken >= allowance {
		h.spent = of
	}
	return nil
}

// counterKey names the counter of a client's requests in a second.
func counterKey(n name, second int64) string {
	return tables.Rates + n.client + "/" + string(n.class) + "/" + strconv.FormatInt(second, 10)
}

func (s *Shared) share(n name) *share {
	s.mu.Lock()
	defer s.mu.Unlock()
	second := s.Now().Unix()
	h := s.shares[n]
	if h == nil {
		if len(s.shares) >= sharesMax {
			for other, o := range s.shares {
				if o.used < second-burst {
					delete(s.shares, other)
				}
			}
		}
		h = &share{}
		s.shares[n] = h
	}
	h.used = second
	return h
}
