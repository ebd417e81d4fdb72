package throttle

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"nepenthes/shared/required"
	"nepenthes/shared/tables"
)

// SharedConfig holds the parts of a Shared.
type SharedConfig struct {
	// PerSecond is the number of requests that a client may make in a second, at least 1.
	PerSecond float64
	// Counter must be the same for all processes.
	Counter Counter
	// Now returns the time; nil means time.Now. The clocks of the processes may differ by less than a second.
	Now    func() time.Time
	Logger *slog.Logger
	// Patience is how long a request waits for the counter; 0 means half a second.
	Patience time.Duration
}

// Shared limits the rate of the requests to all processes together. It has a counter for each client, class and second.
// When the allowance of a second is used up, a client borrows from the next second. It can thus make twice its rate of
// requests at once, and after that its rate.
//
// Writing to the counter for every request would cost more than the request. A process therefore takes leases. The
// first lease allows one request. If it is used up within the second, the next lease allows two, then four, and so on
// up to a tenth of the allowance of a second. A lease ends with the second to whose allowance it belongs. The process
// then deducts what was left of it from its lease in the next second. Otherwise a client whose requests are spread over
// many processes would get less than its rate.
//
// If the counter cannot be reached, Shared lets all requests pass and logs a warning. The limit protects against clients
// that make too many requests, and its failure must not stop the others. A Shared is safe for concurrent use.
type Shared struct {
	SharedConfig

	mu     sync.Mutex // protects shares, and used of each
	shares map[name]*share
}

const (
	// leaseShare divides the allowance of a second to give the size of the largest lease.
	leaseShare = 10
	// counterKept is how long a counter exists after its second, for processes whose clocks are behind.
	counterKept = 5 * time.Second
	// counterPatience is the default of Patience.
	counterPatience = 500 * time.Millisecond
)

// NewShared returns a new Shared. It panics if a part of the SharedConfig is missing.
func NewShared(c SharedConfig) *Shared {
	required.Fields(c)
	required.That(c.PerSecond >= 1, c, "PerSecond is below 1")
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Patience == 0 {
		c.Patience = counterPatience
	}
	return &Shared{SharedConfig: c, shares: map[name]*share{}}
}

// share is what this process holds of the allowance of a client. Seconds are counted from 1970.
type share struct {
	used int64 // the last second in which the share was used

	mu     sync.Mutex // protects the fields below, also while a lease is taken
	now    int64      // the second of the last request
	left   int64      // the requests that the current lease still allows
	leased int64      // the second to whose allowance the current lease belongs
	credit int64      // what was left of the previous second's lease and is not deducted yet
	size   int64      // the size of the next lease
	spent  int64      // the last second whose allowance is known to be used up
	failed int64      // the last second in which the counter could not be reached
}

// Take counts a request of the client. If the client has exceeded its rate, Take returns a fault of kind
// TooManyRequests, whose RetryAfter is the time until the next request is possible.
func (s *Shared) Take(ctx context.Context, client string, class Class) error {
	allowance := int64(s.PerSecond * class.times())
	h := s.share(name{client, class})
	h.mu.Lock()
	defer h.mu.Unlock()
	now := s.Now()
	second := now.Unix()
	h.begin(second)
	for of := max(second, h.spent+1); h.left == 0 && of < second+burst; of++ {
		if h.failed == second {
			return nil
		}
		if err := s.lease(ctx, h, name{client, class}, of, allowance); err != nil {
			h.failed = second
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

// begin prepares the share for the given second, unless an earlier request did so.
func (h *share) begin(second int64) {
	if h.now == second {
		return
	}
	h.now, h.size, h.credit = second, 1, 0
	if h.leased >= second { // the lease was borrowed from this second or a later one
		return
	}
	if h.leased == second-1 {
		h.credit = h.left
	}
	h.left = 0
}

// lease takes a lease from the allowance of the second of. The lease may be smaller than h.size, or empty.
func (s *Shared) lease(ctx context.Context, h *share, n name, of, allowance int64) error {
	ctx, cancel := context.WithTimeout(ctx, s.Patience)
	defer cancel()
	most := max(1, allowance/leaseShare)
	size := min(h.size, most)
	by := max(1, size-h.credit) // at least 1, because counting by 0 would not create the counter
	taken, err := s.Counter.Count(ctx, counterKey(n, of), by, time.Unix(of+1, 0).Add(counterKept))
	if err != nil {
		return err
	}
	h.credit -= size - by
	h.left = size - min(by, max(0, taken-allowance))
	h.leased, h.size = of, min(2*size, most)
	if taken >= allowance {
		h.spent = of
	}
	return nil
}

// counterKey returns the key of the counter for n in a second.
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
