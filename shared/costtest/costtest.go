// Package costtest holds work to what it may cost: processor time and memory of this process, compared with what
// harmless input of the same size takes in the same run. Time on the clock is not looked at, so that a busy machine
// changes nothing. A test that measures must not run beside others.
package costtest

import (
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Cost is what some work took.
type Cost struct {
	// CPU is the processor time of the process, that of the garbage collector included.
	CPU time.Duration
	// Bytes is how much memory was allocated, whether or not it was given back.
	Bytes uint64
}

// Of does the work and measures it. Garbage of before may be collected meanwhile, which a generous limit must cover.
func Of(work func()) Cost {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := processorTime()
	work()
	ended := processorTime()
	runtime.ReadMemStats(&after)
	return Cost{CPU: ended - began, Bytes: after.TotalAlloc - before.TotalAlloc}
}

// processorTime is what the process has used since its start, in the system too.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // which it has no reason for
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// Max is more of either.
func (c Cost) Max(other Cost) Cost {
	return Cost{max(c.CPU, other.CPU), max(c.Bytes, other.Bytes)}
}

// Times is so many times the cost.
func (c Cost) Times(n int) Cost { return Cost{c.CPU * time.Duration(n), c.Bytes * uint64(n)} }

// String is for messages.
func (c Cost) String() string { return fmt.Sprintf("%v and %d KiB", c.CPU, c.Bytes>>10) }

// Within fails the test when the cost is above the limit in either.
func (c Cost) Within(t testing.TB, what string, limit Cost) {
	t.Helper()
	if c.CPU > limit.CPU || c.Bytes > limit.Bytes {
		t.Errorf("%s: took %v, want at most %v", what, c, limit)
	}
}

// Texts are texts of about so many bytes by their names, made to hurt whoever does more than read them once: long, of
// many different letters, of marks without end, of many parts.
func Texts(size int) map[string]string {
	return map[string]string{
		"one letter":                     strings.Repeat("a", size),
		"different letters":              Letters(size),
		"marks without end":              "a" + strings.Repeat("\u0301\u0323\u0345", size/6),
		"an origin of different letters": "https://" + Letters(size),
		"a secret":                       "whsec_" + strings.Repeat("AAAA", size/4),
		"many lines":                     numbered(size, "a%d\n"),
		"many words":                     numbered(size, "webhooks:x%d "),
		"many labels":                    "http://" + strings.Repeat("a.", size/2),
		"a long number":                  strings.Repeat("9", size),
		"markup":                         strings.Repeat("<&>'", size/4),
	}
}

// Letters are so many bytes of letters, no two of them the same as long as there are others.
func Letters(size int) string {
	var b strings.Builder
	for b.Len() < size {
		for r := rune(0x4e00); r < 0x9fff && b.Len() < size; r++ {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// List makes so many bytes of entries, numbered from 0 on by the pattern, with commas between them.
func List(size int, pattern string) string {
	return strings.TrimSuffix(numbered(size, pattern+","), ",")
}

// numbered repeats the pattern with numbers from 0 on.
func numbered(size int, pattern string) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, pattern, i)
	}
	return b.String()
}
