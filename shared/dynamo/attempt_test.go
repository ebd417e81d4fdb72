package dynamo_test

import (
	"testing"
	"time"

	"nepenthes/shared/delivery"
	"nepenthes/shared/dynamo"
)

// TestAttemptsOfEverySizeAreFound records two attempts of one delivery, each of any size, and reads both back, wherever
// they are stored.
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
				t.Errorf("after responses of %d and %d bytes: a write of the row takes %g units, want 1", first, second, got)
			}
		}
	}
}

// TestAttemptsThatAreNotRecordedAreLeftOut has a holder die between the write of the attempt and the write of the row.
// The next holder of the delivery makes an attempt with the same number.
func TestAttemptsThatAreNotRecordedAreLeftOut(t *testing.T) {
	cfg, wire := through(local(t))
	s := open(t, cfg, time.Now)
	for name, size := range map[string]int{"the next attempt in the row": 100, "the next attempt beside the row": 4000} {
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
			is(t, "the attempts before the next one", []delivery.Attempt{*first})(s.Attempts(t.Context(), d.Key))
			next := attempt(2, &delivery.Response{Status: 503, Body: []byte(noise(size))})
			stored(t, s, d, next)
			is(t, "the attempts after the next one", []delivery.Attempt{*first, *next})(s.Attempts(t.Context(), d.Key))
		})
	}
}

// TestTheAttemptOfALoserIsDeleted has the later of two attempts lose. Its id would win if it stayed.
func TestTheAttemptOfALoserIsDeleted(t *testing.T) {
	s := open(t, local(t), time.Now)
	d := claimed(t, s)
	first := attempt(1, &delivery.Response{Status: 503, Body: []byte(noise(4000))})
	later := attempt(1, &delivery.Response{Status: 200, Body: []byte(noise(4000))})
	now := stored(t, s, d, first)
	got, won, err := s.PutDelivery(t.Context(), d, later)
	must(t, err)
	if won {
		t.Error("a write under an old version won")
	}
	is(t, "the row that the loser gets", now)(got, nil)
	is(t, "the attempts", []delivery.Attempt{*first})(s.Attempts(t.Context(), d.Key))
}

// claimed stores a delivery in its first version.
func claimed(t *testing.T, s *dynamo.Store) delivery.Delivery {
	t.Helper()
	e := event(t, 1200)
	return stored(t, s, e.Delivery(webhookIDs(1)[0]), nil)
}

// stored stores the next version of d and an attempt that ended, if any.
func stored(t *testing.T, s *dynamo.Store, d delivery.Delivery, ended *delivery.Attempt) delivery.Delivery {
	t.Helper()
	d.AttemptCount++ // to change the row
	now, won, err := s.PutDelivery(t.Context(), d, ended)
	must(t, err)
	if !won {
		t.Fatal("the write lost")
	}
	return now
}
