package throttle

import (
	"context"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Process limits the rate of the requests to this process alone. It is safe for concurrent use.
type Process struct {
	rate float64
	now  func() time.Time

	mu      sync.Mutex // protects buckets
	buckets map[name]*rate.Limiter
}

// NewProcess returns a new Process that allows each client perSecond requests a second. It panics if perSecond is not
// greater than 0. now returns the time; nil means time.Now.
func NewProcess(perSecond float64, now func() time.Time) *Process {
	if !(perSecond > 0) {
		panic("throttle.NewProcess: perSecond is not greater than 0")
	}
	if now == nil {
		now = time.Now
	}
	return &Process{rate: perSecond, now: now, buckets: map[name]*rate.Limiter{}}
}

// Take counts a request of the client. If the client has exceeded its rate, Take returns a fault of kind
// TooManyRequests, whose RetryAfter is the time until the next request is possible.
func (p *Process) Take(_ context.Context, client string, class Class) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	bucket := p.bucket(name{client, class}, now)
	reserved := bucket.ReserveN(now, 1)
	wait := reserved.DelayFrom(now)
	if wait <= 0 {
		return nil
	}
	reserved.CancelAt(now)
	return tooMany(float64(bucket.Limit()), wait)
}

// bucket returns the bucket for n, which it creates if necessary. The caller must hold mu.
func (p *Process) bucket(n name, now time.Time) *rate.Limiter {
	if b := p.buckets[n]; b != nil {
		return b
	}
	if len(p.buckets) >= sharesMax {
		for other, b := range p.buckets {
			if b.TokensAt(now) >= float64(b.Burst()) {
				delete(p.buckets, other)
			}
		}
	}
	limit := p.rate * n.class.times()
	b := rate.NewLimiter(rate.Limit(limit), int(max(1, math.Floor(burst*limit))))
	p.buckets[n] = b
	return b
}
