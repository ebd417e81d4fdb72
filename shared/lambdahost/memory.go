package lambdahost

import (
	"os"
	"runtime/debug"
	"strconv"
)

// limitMemory tells the garbage collector how much memory the function has. Without, it lets the heap grow to twice of
// what is in use, and Lambda would end a function whose catalogue takes half of its memory. A GOMEMLIMIT in the
// environment stays as it is.
func limitMemory() {
	limit, known := memoryLimit(os.Getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"))
	if known && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit)
	}
}

// memoryLimit is how many bytes Go may use in a function of so many megabytes: all but a fifth, which is left to the
// program's code and to the system.
func memoryLimit(megabytes string) (bytes int64, known bool) {
	size, err := strconv.ParseInt(megabytes, 10, 32)
	return size << 20 / 5 * 4, err == nil && size > 0
}
