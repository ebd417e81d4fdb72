package lambdahost_test

import (
	"math"
	"runtime/debug"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"nepenthes/shared/lambdahost"
)

func TestLimitMemory(t *testing.T) {
	limit, megabytes := debug.SetMemoryLimit(-1), lambdacontext.MemoryLimitInMB
	t.Cleanup(func() {
		debug.SetMemoryLimit(limit)
		lambdacontext.MemoryLimitInMB = megabytes
	})
	const byEnvironment = 100 << 20 // the limit that GOMEMLIMIT=100MiB sets before main begins
	for _, c := range []struct {
		name         string
		megabytes    int
		before, want int64
	}{
		{"a function behind a queue", 256, math.MaxInt64, 214748364},
		{"a function behind the API", 512, math.MaxInt64, 429496729},
		{"outside Lambda", 0, math.MaxInt64, math.MaxInt64},
		{"a limit set by the environment", 256, byEnvironment, byEnvironment},
	} {
		t.Run(c.name, func(t *testing.T) {
			debug.SetMemoryLimit(c.before)
			lambdacontext.MemoryLimitInMB = c.megabytes
			lambdahost.LimitMemory()
			if got := debug.SetMemoryLimit(-1); got/16 != c.want/16 {
				t.Errorf("got a limit of %d bytes, want %d", got, c.want)
			}
		})
	}
}
