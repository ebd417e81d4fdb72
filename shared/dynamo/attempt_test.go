package dynamo_test

import (
	"testing"
	"time"

	"nepenthes/shared/delivery"
	"nepenthes/shared/dynamo"
)

// TestAttemptsOfEverySizeAreFound records two attempts of one delivery, each of any size: each finds its place, in the row or beside it.
func TestAttemptsOfEverySizeAreFound(t *testing.T) {
	var units meter
	s := open(t, units.attach(local(t)), time.Now)
	for _, first := range []int{0, 200, 450, 600, 4000} {
		for _, second := range []int{0, 200, 450, 600, 4000} {
			d := claimed(t, s)
			var want []delivery.Attempt
			for number, size := range []int{first, second} {
				a := attempt(number+1, &delivery.Response{Status: 503, Body: []byte(noise(size))})
				want = append(want, *a)
				d = stored(t, s, d, a)
			}
			is(t, "the attempts", want)(s.Attempts(t.Context(), d.Key))
			is(t, "the delivery", d)(s.Delivery(t.Context(), d.Key))
			if got := units.of(func() { stored(t, s, d, nil) }); got != 1 {
				t.Errorf("with answers of %d and %d bytes a write of the row takes %g units, want 1", first, second, got)
			}
		}
	}
}

// TestAnAttemptThatNobodyRecordedIsNotTold lets a holder die between the attempt and the row. Whoever takes the
// delivery over makes an attempt of the same number.
func TestAnAttemptThatNobodyRecordedIsNotTold(t *testing.T) {
	cfg, wire := through(local(t))
	s := open(t, cfg, time.Now)
	for name, size := range map[string]int{"the next in the row": 100, "the next beside it": 4000} {
		t.Run(name, func(t *testing.T) {
			d := claimed(t, s)
			first := attempt(1, &delivery.Response{Status: 503, Body: []byte(noise(4000))})
			d = stored(t, s, d, first)
			wire.begin(func(_ int, operation string) failure {
				if operation == "UpdateItem" {
					return reset
				}
				return nil
			})
			_, _, err := s.PutDelivery(t.Context(), d, attempt(2, &delivery.Response{Status: 503, Body: []byte(noise(4000))}))
			isUnavailable(t, err)
			wire.begin(nil)
			is(t, "the attempts before the next", []delivery.Attempt{*first})(s.Attempts(t.Context(), d.Key))
			next := attempt(2, &delivery.Response{Status: 503, Body: []byte(noise(size))})
			stored(t, s, d, next)
			is(t, "the attempts after it", []delivery.Attempt{*first, *next})(s.Attempts(t.Context(), d.Key))
		})
	}
}

// TestALosersAttemptIsTakenAway lets the later of two attempts lose, whose id would win.
func TestALosersAttemptIsTakenAway(t *testing.T) {
	s := open(t, local(t), time.Now)
	d := claimed(t, s)
	first := attempt(1, &delivery.Response{Status: 503, Body: []byte(noise(4000))})
	later := attempt(1, &delivery.Response{Status: 200, Body: []byte(noise(4000))})
	now := stored(t, s, d, first)
	got, won, err := s.PutDelivery(t.Context(), d, later)
	must(t, err)
	if won {
		t.Error("a write under a version that has passed was won")
	}
	is(t, "the row that the loser is told", now)(got, nil)
	is(t, "the attempts", []delivery.Attempt{*first})(s.Attempts(t.Context(), d.Key))
}

// claimed stores a delivery in its first version.
func claimed(t *testing.T, s *dynamo.Store) delivery.Delivery {
	t.Helper()
	e := event(t, 1200)
	return stored(t, s, e.Delivery(hooks(1)[0]), nil)
}

func stored(t *testing.T, s *dynamo.Store, d delivery.Delivery, ended *delivery.Attempt) delivery.Delivery {
	t.Helper()
	d.AttemptCount++ // makes it another than before
	now, won, err := s.PutDelivery(t.Context(), d, ended)
	must(t, err)
	if !won {
		t.Fatal("the write is lost")
	}
	return now
}
