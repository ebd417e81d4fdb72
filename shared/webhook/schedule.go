package webhook

import (
	"time"
)

// ScheduleName is the name of a retry schedule.
type ScheduleName string

// The schedules.
const (
	ScheduleStandard ScheduleName = "standard"
	ScheduleShort    ScheduleName = "short"
	ScheduleNone     ScheduleName = "none"
)

// schedules holds the waits before the second and all later attempts. The standard schedule has 10 attempts in about 75
// hours, at the times that Standard Webhooks recommends. The short schedule has 5 attempts in about an hour.
var schedules = map[ScheduleName][]time.Duration{
	ScheduleStandard: {
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
		10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	},
	ScheduleShort: {5 * time.Second, time.Minute, 10 * time.Minute, 50 * time.Minute},
	ScheduleNone:  {},
}

// Schedules returns the names of the schedules, the default first.
func Schedules() []ScheduleName {
	return []ScheduleName{ScheduleStandard, ScheduleShort, ScheduleNone}
}

// Wait returns the wait after the given number of attempts, and reports whether the schedule has another attempt. An
// unknown schedule has only one attempt.
func (n ScheduleName) Wait(made int) (time.Duration, bool) {
	waits := schedules[n]
	if made < 1 || made > len(waits) {
		return 0, false
	}
	return waits[made-1], true
}
