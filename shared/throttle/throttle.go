// Package throttle holds each client to its rate of requests: in one process ([Process]), or in all processes of a
// deployment together ([Shared]).
package throttle

import (
	"context"
	"time"

	"nepenthes/shared/fault"
)

// Class is a class of requests that are counted together.
type Class string

// The classes. Of events a client may push eventsTimes as many as it may make other requests.
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

// burst is how many seconds' worth of requests a client may make at once.
const burst = 2

// sharesMax bounds the memory: above it, clients that have been silent for longer than a burst are forgotten.
const sharesMax = 10_000

// name is what is counted by itself.
type name struct {
	client string
	class  Class
}

// Counter counts until it expires (store.State).
type Counter interface {
	Count(ctx context.Context, key string, by int64, expires time.Time) (int64, error)
}

func tooMany(rate float64, wait time.Duration) error {
	return fault.New(fault.TooManyRequests, "This client makes more than %g requests a second.", rate).
		With("Wait as long as Retry-After says, and spread requests out.").After(wait)
}
