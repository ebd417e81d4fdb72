// Package costtest lets tests check that a function stays within a limit of processor time and memory.
//
// A test computes the limit from the cost of harmless input of the same size in the same run. Wall-clock time is not
// measured, because it depends on how busy the machine is. The cost of the whole process is measured, so a test that
// measures must not run in parallel with others.
package costtest

import (
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Cost is the cost of a call.
type Cost struct {
	// CPU is the processor time of the process, including the garbage collector.
	CPU time.Duration
	// Bytes is the size of all allocations, including memory that was freed again.
	Bytes uint64
}

// Of calls work and returns its cost. The cost may include the collection of earlier garbage, so limits must be
// generous.
func Of(work func()) Cost {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := processorTime()
	work()
	ended := processorTime()
	runtime.ReadMemStats(&after)
	return Cost{CPU: ended - began, Bytes: after.TotalAlloc - before.TotalAlloc}
}

// processorTime returns the user and system time of the process since its start.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // getrusage does not fail for the calling process
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// Max returns the greater processor time and the greater memory of c and other.
func (c Cost) Max(other Cost) Cost {
	return Cost{max(c.CPU, other.CPU), max(c.Bytes, other.Bytes)}
}

// Times returns n times the cost.
func (c Cost) Times(n int) Cost { return Cost{c.CPU * time.Duration(n), c.Bytes * uint64(n)} }

// String returns the cost as text for messages.
func (c Cost) String() string { return fmt.Sprintf("%v and %d KiB", c.CPU, c.Bytes>>10) }

// Within fails the test if the processor time or the memory exceeds the limit.
func (c Cost) Within(t testing.TB, what string, limit Cost) {
	t.Helper()
	if c.CPU > limit.CPU || c.Bytes > limit.Bytes {
		t.Errorf("%s: used %v, want at most %v", what, c, limit)
	}
}

// Texts returns texts of about size bytes, by name. They are expensive for code that reads a text more than once: they
// have long words, many different letters, many combining marks or many parts.
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

// Letters returns a text of different letters of at least size bytes. It repeats letters only after it has used all.
func Letters(size int) string {
	var b strings.Builder
	for b.Len() < size {
		for r := rune(0x4e00); r < 0x9fff && b.Len() < size; r++ {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// List returns about size bytes of entries separated by commas. The entries are made from pattern and numbered from 0.
func List(size int, pattern string) string {
	return strings.TrimSuffix(numbered(size, pattern+","), ",")
}

// numbered repeats pattern, numbered from 0, until the text has at least size bytes.
func numbered(size int, pattern string) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, pattern, i)
	}
	return b.String()
}
