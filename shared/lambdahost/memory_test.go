package lambdahost_test

import (
	"math"
	"runtime/debug"
	"testing"

	"nepenthes/shared/lambdahost"
)

func TestTheCollectorKnowsTheFunctionsMemory(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	for _, c := range []struct {
		size, limit string
		want        int64
	}{
		{"256", "", 214748364},
		{"512", "", 429496729},
		{"", "", math.MaxInt64}, // not on Lambda
		{"junk", "", math.MaxInt64},
		{"0", "", math.MaxInt64},
		{"256", "100MiB", math.MaxInt64}, // the runtime has read it at its start
	} {
		debug.SetMemoryLimit(math.MaxInt64)
		t.Setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", c.size)
		t.Setenv("GOMEMLIMIT", c.limit)
		lambdahost.LimitMemory()
		if got := debug.SetMemoryLimit(-1); got/16 != c.want/16 {
			t.Errorf("of %q MB, GOMEMLIMIT %q: got %d, want %d", c.size, c.limit, got, c.want)
		}
	}
}
