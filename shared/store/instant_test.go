package store_test

import (
	"math"
	"testing"
	"time"

	"nepenthes/shared/store"
)

func TestUnixNano(t *testing.T) {
	for text, want := range map[string]int64{
		"0000-01-01T00:00:00+23:59":      math.MinInt64,
		"0001-01-01T00:00:00Z":           math.MinInt64,
		"1677-09-21T00:12:43.145224193Z": math.MinInt64 + 1,
		"1969-12-31T23:59:59.999999999Z": -1,
		"1970-01-01T00:00:00Z":           0,
		"2262-04-11T23:47:16.854775807Z": math.MaxInt64,
		"2262-04-11T23:47:16.854775808Z": math.MaxInt64,
		"9999-12-31T23:59:59-23:59":      math.MaxInt64,
	} {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := store.UnixNano(at); got != want {
			t.Errorf("%s: got %d, want %d", text, got, want)
		}
	}
}
