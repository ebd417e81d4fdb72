// Package stats computes figures of the deliveries of a webhook.
package stats

import (
	"slices"
	"time"

	"nepenthes/shared/delivery"
)

// Stats has figures of the deliveries whose events were received in a period. A delivery counts once: by its state, and by
// its last attempt.
type Stats struct {
	// Since (inclusive) and Until (exclusive) are the period. If Complete is false, there were more deliveries than are
	// counted, and Since is the time of the oldest delivery that is counted.
	Since, Until time.Time
	Complete     bool
	Total        int
	// States has the number of deliveries in each state. It has every state.
	States map[delivery.State]int
	// Statuses counts the last attempts with a complete answer, by its status. ErrorClasses counts all other last attempts.
	Statuses     map[int]int
	ErrorClasses map[delivery.ErrorClass]int
	// Durations describes the last attempts. It is nil if there are none.
	Durations *Durations
	// Buckets are parts of the period, oldest first. If Complete is false, the first bucket is the one that contains Since.
	Buckets []Bucket
}

// Durations has percentiles of the durations of attempts: 50, 95 and 99 of 100 attempts took no longer.
type Durations struct{ P50, P95, P99 time.Duration }

// Bucket counts the deliveries whose events were received from From (inclusive) to Until (exclusive).
type Bucket struct {
	From, Until time.Time
	// Delivered counts the deliveries that are delivered. Failed counts those that are dead, and those that are not finished
	// and whose last attempt failed.
	Delivered, Failed int
	// Durations describes the last attempts. It is nil if there are none.
	Durations *Durations
}

// Count returns the figures of the deliveries, which are sorted newest first and belong to the period from since to until.
// since must be before until. more reports whether the period has older deliveries that the list does not have.
func Count(since, until time.Time, newest []delivery.Delivery, more bool) *Stats {
	s := &Stats{
		Since: since, Until: until, Complete: !more, Total: len(newest),
		States: map[delivery.State]int{}, Statuses: map[int]int{}, ErrorClasses: map[delivery.ErrorClass]int{},
	}
	if more && len(newest) > 0 {
		s.Since = newest[len(newest)-1].CreatedAt
	}
	for _, state := range delivery.States() {
		s.States[state] = 0
	}
	for i := range newest {
		s.add(&newest[i])
	}
	s.Durations = durations(newest)
	s.Buckets = divide(since, until).buckets(newest, s.Since)
	return s
}

// add counts a delivery by its state and by its last attempt.
func (s *Stats) add(d *delivery.Delivery) {
	s.States[d.State]++
	switch last := d.Last; {
	case last == nil:
	case last.Status != 0 && (last.ErrorClass == "" || last.ErrorClass == delivery.ErrStatus):
		s.Statuses[last.Status]++
	default:
		s.ErrorClasses[last.ErrorClass]++
	}
}

// durations returns the percentiles of the last attempts of deliveries, or nil if there are none.
func durations(deliveries []delivery.Delivery) *Durations {
	all := make([]time.Duration, 0, len(deliveries))
	for i := range deliveries {
		if last := deliveries[i].Last; last != nil {
			all = append(all, last.Total)
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	return &Durations{percentile(all, 50), percentile(all, 95), percentile(all, 99)}
}

// percentile returns the smallest of the sorted durations that at least percent of 100 durations do not exceed (the nearest
// rank).
func percentile(sorted []time.Duration, percent int) time.Duration {
	return sorted[(len(sorted)*percent+99)/100-1]
}

// failed reports whether a delivery has failed so far.
func failed(d *delivery.Delivery) bool {
	switch d.State {
	case delivery.Dead:
		return true
	case delivery.Pending, delivery.Retrying, delivery.Held:
		return d.Last != nil && d.Last.Outcome == delivery.OutcomeFailed
	}
	return false
}
