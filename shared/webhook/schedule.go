package webhook

import (
	"time"

	"nepenthes/shared/limits"
)

// ScheduleName chooses a retry schedule.
type ScheduleName string

// The schedules.
const (
	ScheduleStandard ScheduleName = "standard"
	ScheduleShort    ScheduleName = "short"
	ScheduleNone     ScheduleName = "none"
)

// schedules holds the wait before each attempt after the first. Standard makes 10 attempts in about 75 hours,
// the times of the Standard Webhooks recommendation; short makes 5 in about an hour.
var schedules = map[ScheduleName][]time.Duration{
	ScheduleStandard: {
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
		10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	},
	ScheduleShort: {5 * time.Second, time.Minute, 10 * time.Minute, 50 * time.Minute},
	ScheduleNone:  {},
}

// Schedules lists the names, the default first.
func Schedules() []ScheduleName {
	return []ScheduleName{ScheduleStandard, ScheduleShort, ScheduleNone}
}

// Wait is the time to wait after the made-th attempt of the schedule (1 is the first), and whether there is
// another attempt at all. An unknown name is a schedule of one attempt.
func (n ScheduleName) Wait(made int) (time.Duration, bool) {
	waits := schedules[n]
	if made < 1 || made > len(waits) {
		return 0, false
	}
	return waits[made-1], true
}

// jitterShare is how far a wait is moved at random, so that what failed together does not come back together.
const jitterShare = 0.1

// backoff is the wait that follows when the schedule says wait, the receiver asked for retryAfter (zero: for
// nothing), and dice is uniform in [0,1). The later of the two counts. The schedule is moved by up to ±10 %, a
// Retry-After only upwards, since the receiver said "not before", and never beyond 24 h.
func backoff(wait, retryAfter time.Duration, dice float64) time.Duration {
	scheduled := wait + time.Duration((2*dice-1)*jitterShare*float64(wait))
	asked := min(retryAfter, limits.RetryAfterMax)
	asked = min(asked+time.Duration(dice*jitterShare*float64(asked)), limits.RetryAfterMax)
	return max(scheduled, asked)
}
