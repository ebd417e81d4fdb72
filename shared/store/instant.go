package store

import (
	"math"
	"time"
)

// The instants that nanoseconds in an int64 reach, in the years 1677 and 2262.
var (
	earliest = time.Unix(0, math.MinInt64)
	latest   = time.Unix(0, math.MaxInt64)
)

// UnixNano is t in nanoseconds since 1970, as stores keep times that they compare. What lies beyond their reach, such as
// an expiry meant as "never", is the last instant within it, where [time.Time.UnixNano] gives an arbitrary number.
func UnixNano(t time.Time) int64 {
	switch {
	case t.Before(earliest):
		return math.MinInt64
	case t.After(latest):
		return math.MaxInt64
	}
	return t.UnixNano()
}
