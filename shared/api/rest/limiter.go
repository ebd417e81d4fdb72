package rest

import (
	"math"
	"sync"
	"time"

	"nepenthes/shared/fault"
)

const (
	// burst is how many seconds' worth of requests a client may make at once.
	burst = 2
	// eventsTimes is how many times as many events a client may push as it may make other requests.
	eventsTimes = 20
	// bucketsMax bounds the memory of a limiter: above it, those that are full again are forgotten.
	bucketsMax = 10_000
)

// limiter bounds the rate of each client, in this process alone: a token bucket for every client and class.
type limiter struct {
	rate float64 // requests a second; 0: no limit
	now  func() time.Time

	mu      sync.Mutex // protects buckets
	buckets map[bucketName]*bucket
}

type bucketName struct {
	client string
	times  float64
}

type bucket struct {
	left float64
	at   time.Time // when left was counted
}

// take counts one request of the client, who may make times the rate; a fault of kind TooManyRequests says when the
// next one is possible.
func (l *limiter) take(client string, times float64) error {
	if l.rate <= 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now, rate := l.now(), l.rate*times
	b := l.bucket(bucketName{client, times}, rate, now)
	b.left = math.Min(rate*burst, b.left+rate*now.Sub(b.at).Seconds())
	b.at = now
	if b.left >= 1 {
		b.left--
		return nil
	}
	wait := time.Duration((1 - b.left) / rate * float64(time.Second))
	return fault.New(fault.TooManyRequests, "This client makes more than %g requests a second.", rate).
		With("Wait as long as Retry-After says, and spread requests out.").After(wait)
}

// bucket needs mu.
func (l *limiter) bucket(name bucketName, rate float64, now time.Time) *bucket {
	if b, known := l.buckets[name]; known {
		return b
	}
	if l.buckets == nil {
		l.buckets = map[bucketName]*bucket{}
	}
	if len(l.buckets) >= bucketsMax {
		for other, b := range l.buckets {
			if now.Sub(b.at) > burst*time.Second {
				delete(l.buckets, other)
			}
		}
	}
	b := &bucket{left: rate * burst, at: now}
	l.buckets[name] = b
	return b
}
