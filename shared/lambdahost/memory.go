package lambdahost

import (
	"math"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// limitMemory tells the garbage collector how much memory the function has. Without a limit the heap grows to twice the
// memory that is in use, and Lambda would kill a function whose catalogue takes half of its memory. A limit that was set
// by GOMEMLIMIT remains.
func limitMemory() {
	if limit := memoryLimit(lambdacontext.MemoryLimitInMB); limit > 0 && debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(limit)
	}
}

// memoryLimit returns the number of bytes that Go may use in a function with the given memory: four fifths. The rest is
// for the code of the program and for the system. Outside Lambda megabytes is 0, and so is the result.
func memoryLimit(megabytes int) (bytes int64) {
	return int64(megabytes) << 20 / 5 * 4
}
