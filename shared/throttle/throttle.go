// Package throttle limits the rate of requests of each client, either in one process ([Process]) or in all processes of
// a deployment together ([Shared]).
package throttle

import (
	"context"
	"time"

	"nepenthes/shared/fault"
)

// Class is a class of requests. The requests of a client are counted separately for each class.
type Class string

// The classes. The rate for Events is eventsTimes the rate for Requests.
const (
	Requests Class = "requests"
	Events   Class = "events"

	eventsTimes = 20
)

func (c Class) times() float64 {
	if c == Events {
		return eventsTimes
	}
	return 1
}

// burst is the number of seconds whose requests a client may make at once.
const burst = 2

// sharesMax bounds the memory. When that many shares exist, those of clients that made no request for longer than a
// burst are dropped.
const sharesMax = 10_000

// name identifies what is counted: the requests of one client in one class.
type name struct {
	client string
	class  Class
}

// Counter holds the counters that all processes share, see store.State.
type Counter interface {
	Count(ctx context.Context, key string, by int64, expires time.Time) (int64, error)
}

func tooMany(rate float64, wait time.Duration) error {
	return fault.New(fault.TooManyRequests, "This client makes more than %g requests a second.", rate).
		With("Wait as long as Retry-After says, and spread your requests out.").After(wait)
}
