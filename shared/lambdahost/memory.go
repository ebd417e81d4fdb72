package lambdahost

import (
	"math"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// limitMemory tells the garbage collector how much memory the function has. Without a limit the heap grows to twice
// what is in use, and Lambda would end a function whose catalogue takes half of its memory. A limit that is set
// already, by GOMEMLIMIT, stays as it is.
func limitMemory() {
	if limit := memoryLimit(lambdacontext.MemoryLimitInMB); limit > 0 && debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(limit)
	}
}

// memoryLimit returns how many bytes Go may use in a function with so many megabytes of memory: all but a fifth,
// which is left to the program's code and to the system. It returns 0 when megabytes is 0, as it is outside Lambda.
func memoryLimit(megabytes int) (bytes int64) {
	return int64(megabytes) << 20 / 5 * 4
}
