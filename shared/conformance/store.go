package conformance

import (
	"testing"
	"time"
)

// OpenStore gives a store with nothing in it for one test, which goes by the clock now, and has it closed by
// t.Cleanup.
type OpenStore func(t *testing.T, now func() time.Time) Store

// TestStore tests that the stores which open gives keep what Store promises. Every sub-test opens its own.
func TestStore(t *testing.T, open OpenStore) {
	for _, noun := range []struct {
		name string
		test func(*testing.T, OpenStore)
	}{} {
		t.Run(noun.name, func(t *testing.T) { noun.test(t, open) })
	}
}
