package webhook

import (
	"time"
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
