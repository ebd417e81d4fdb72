package store

import (
	"math"
	"time"
)

// The first and the last time whose nanoseconds since 1970 fit into an int64. They are in the years 1677 and 2262.
var (
	earliest = time.Unix(0, math.MinInt64)
	latest   = time.Unix(0, math.MaxInt64)
)

// UnixNano returns t in nanoseconds since 1970. Stores keep the times that they compare in this form. For a time that
// does not fit into an int64, such as an expiry that means "never", UnixNano returns the nearest value that does;
// [time.Time.UnixNano] is undefined there.
func UnixNano(t time.Time) int64 {
	switch {
	case t.Before(earliest):
		return math.MinInt64
	case t.After(latest):
		return math.MaxInt64
	}
	return t.UnixNano()
}
