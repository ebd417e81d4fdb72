package delivery_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"nepenthes/events"
	"nepenthes/shared/delivery"
	"nepenthes/shared/id"
	"nepenthes/shared/limits"
	"nepenthes/shared/record"
	"nepenthes/shared/webhook"
)

var start = time.Date(2026, 1, 2, 11, 0, 0, 0, time.UTC)

const someWebhook = "wh_01JGK0000000000000000000AA"

// recorded returns a recorded event.
func recorded() record.Event {
	return record.Event{
		Event:      events.Event{ID: "evt_1", Source: events.DefaultSource, Type: "work_package:updated"},
		ReceivedAt: start, ExpiresAt: start.Add(30 * 24 * time.Hour), Trigger: delivery.TriggerSchedule,
	}
}

// fresh returns a delivery before its first attempt.
func fresh() delivery.Delivery {
	r := recorded()
	return r.Delivery(someWebhook)
}

// try claims d and records an answer with the given status, as the sender does. Status 0 means that no answer came.
func try(t rapid.TB, d *delivery.Delivery, now time.Time, status int, rules delivery.Rules) {
	t.Helper()
	_, trigger := d.Judge(now)
	attemptID := id.New(id.Attempt, now)
	if err := d.Claim(attemptID, trigger, now); err != nil {
		t.Fatal(err)
	}
	if err := d.Record(answered(attemptID, d, trigger, now, status), rules, now); err != nil {
		t.Fatal(err)
	}
}

// answered returns the attempt of d with an answer of the given status.
func answered(attemptID string, d *delivery.Delivery, trigger delivery.Trigger, now time.Time, status int) *delivery.Attempt {
	a := &delivery.Attempt{ID: attemptID, Number: d.AttemptCount + 1, Trigger: trigger, StartedAt: now, Outcome: delivery.OutcomeFailed}
	switch {
	case status == 0:
		a.ErrorClass = delivery.ErrTimeout
	case status/100 == 2:
		a.Outcome, a.Response = delivery.OutcomeDelivered, &delivery.Response{Status: status}
	default:
		a.ErrorClass, a.Response = delivery.ErrStatus, &delivery.Response{Status: status}
	}
	return a
}

// exact returns rules without jitter: 0.5 is the middle of the dice.
func exact(name webhook.ScheduleName) delivery.Rules {
	return delivery.Rules{Schedule: name, Dice: 0.5}
}

func TestScheduleRunsOut(t *testing.T) {
	for name, want := range map[webhook.ScheduleName][]time.Duration{
		webhook.ScheduleStandard: {
			5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
			10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
		},
		webhook.ScheduleShort: {5 * time.Second, time.Minute, 10 * time.Minute, 50 * time.Minute},
		webhook.ScheduleNone:  nil,
	} {
		t.Run(string(name), func(t *testing.T) {
			d, now := fresh(), start
			var got []time.Duration
			for {
				try(t, &d, now, 500, exact(name))
				if d.State == delivery.Dead {
					break
				}
				got = append(got, d.NextAttemptAt.Sub(now))
				now = d.NextAttemptAt
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if d.Reason != delivery.Exhausted || d.AttemptCount != len(want)+1 || !d.FinishedAt.Equal(now) {
				t.Errorf("got %s after %d attempts at %v, want exhausted after %d at %v", d.Reason, d.AttemptCount, d.FinishedAt, len(want)+1, now)
			}
			if !d.SweepAt.IsZero() || !d.NextAttemptAt.IsZero() {
				t.Errorf("got a dead delivery that waits: %+v", d)
			}
		})
	}
}

func TestWaits(t *testing.T) {
	for name, c := range map[string]struct {
		retryAfter time.Duration
		dice       float64
		want       time.Duration
	}{
		"no jitter":                   {0, 0.5, 5 * time.Second},
		"jitter down":                 {0, 0, 4500 * time.Millisecond},
		"jitter up":                   {0, 1, 5500 * time.Millisecond},
		"Retry-After is later":        {time.Hour, 0, time.Hour},
		"Retry-After with jitter":     {time.Hour, 1, 66 * time.Minute},
		"Retry-After is earlier":      {time.Second, 0.5, 5 * time.Second},
		"Retry-After beyond 24 hours": {100 * time.Hour, 1, 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			d := fresh()
			rules := delivery.Rules{Schedule: webhook.ScheduleStandard, RetryAfter: c.retryAfter, Dice: c.dice}
			try(t, &d, start, 503, rules)
			if got := d.NextAttemptAt.Sub(start); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestSpeedDividesWaits(t *testing.T) {
	d := fresh()
	rules := exact(webhook.ScheduleStandard)
	rules.Clock.Speed = 60
	try(t, &d, start, 500, rules)
	now := d.NextAttemptAt
	try(t, &d, now, 500, rules)
	if got, want := d.NextAttemptAt.Sub(now), 5*time.Second; got != want {
		t.Errorf("got a wait of %v for 5 minutes, want %v", got, want)
	}
	if got, want := d.SweepAt.Sub(d.NextAttemptAt), 2*time.Second; got != want {
		t.Errorf("got a margin of %v for the sweeper, want %v", got, want)
	}
}

func TestSweepAt(t *testing.T) {
	d, now := fresh(), start
	var got []time.Duration
	for range 4 {
		try(t, &d, now, 500, exact(webhook.ScheduleStandard))
		got = append(got, d.SweepAt.Sub(d.NextAttemptAt))
		now = d.NextAttemptAt
	}
	// A lane can delay a doorbell for 5 s and 5 min, but not for 30 min and 2 h.
	want := []time.Duration{2 * time.Minute, 2 * time.Minute, -14 * time.Minute, -14 * time.Minute}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSweepBacksOff(t *testing.T) {
	d := fresh()
	for range 3 {
		try(t, &d, start, 500, exact(webhook.ScheduleStandard))
		d.NextAttemptAt = start // the next attempt is due at once
	}
	d.NextAttemptAt = start.Add(30 * time.Minute)
	d.SweepAt = start.Add(16 * time.Minute)
	delay, ring := d.Sweep(d.SweepAt, delivery.Clock{})
	if !ring || delay != 14*time.Minute {
		t.Fatalf("got delay %v, ring %v for the first doorbell, want 14m and true", delay, ring)
	}
	var got []time.Duration
	last := d.NextAttemptAt
	for range 8 {
		got = append(got, d.SweepAt.Sub(last))
		last = d.SweepAt
		if delay, ring := d.Sweep(last, delivery.Clock{}); !ring || delay != 0 {
			t.Fatalf("got delay %v, ring %v for an attempt that is due, want 0 and true", delay, ring)
		}
	}
	want := []time.Duration{2, 4, 8, 16, 32, 60, 60, 60}
	for i := range want {
		want[i] *= time.Minute
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestJudge(t *testing.T) {
	claimed := fresh()
	if err := claimed.Claim("att_1", delivery.TriggerSchedule, start); err != nil {
		t.Fatal(err)
	}
	waiting := fresh()
	try(t, &waiting, start, 500, exact(webhook.ScheduleStandard))
	done := fresh()
	try(t, &done, start, 200, exact(webhook.ScheduleStandard))
	asked := done
	if _, err := asked.Ask(delivery.TriggerManual, start, delivery.Clock{}); err != nil {
		t.Fatal(err)
	}
	manual := asked
	if err := manual.Claim("att_2", delivery.TriggerManual, start); err != nil {
		t.Fatal(err)
	}
	at := waiting.NextAttemptAt
	for name, c := range map[string]struct {
		d           delivery.Delivery
		now         time.Time
		want        delivery.Verdict
		wantTrigger delivery.Trigger
	}{
		"no row yet":                          {fresh(), start, delivery.Go, delivery.TriggerSchedule},
		"claimed":                             {claimed, start.Add(limits.Lease - 1), delivery.Busy, ""},
		"the sender died":                     {claimed, start.Add(limits.Lease), delivery.Go, delivery.TriggerSchedule},
		"the sender of an extra attempt died": {manual, start.Add(limits.Lease), delivery.Go, delivery.TriggerManual},
		"more than a second early":            {waiting, at.Add(-time.Second - 1), delivery.Early, ""},
		"a second early":                      {waiting, at.Add(-time.Second), delivery.Go, delivery.TriggerSchedule},
		"due":                                 {waiting, at, delivery.Go, delivery.TriggerSchedule},
		"delivered":                           {done, start, delivery.Nothing, ""},
		"extra attempt":                       {asked, start, delivery.Go, delivery.TriggerManual},
	} {
		t.Run(name, func(t *testing.T) {
			got, trigger := c.d.Judge(c.now)
			if got != c.want || trigger != c.wantTrigger {
				t.Errorf("got %v %q, want %v %q", got, trigger, c.want, c.wantTrigger)
			}
		})
	}
}

func TestExtraAttempt(t *testing.T) {
	t.Run("a failure keeps state and schedule", func(t *testing.T) {
		d := fresh()
		try(t, &d, start, 500, exact(webhook.ScheduleStandard))
		next, sweep := d.NextAttemptAt, d.SweepAt
		ask(t, &d, start)
		try(t, &d, start, 500, exact(webhook.ScheduleStandard))
		if d.State != delivery.Retrying || !d.NextAttemptAt.Equal(next) || !d.SweepAt.Equal(sweep) || d.AttemptCount != 2 {
			t.Errorf("got %+v, want the same state and schedule", d)
		}
		try(t, &d, next, 500, exact(webhook.ScheduleStandard))
		if got, want := d.NextAttemptAt.Sub(next), 5*time.Minute; got != want {
			t.Errorf("got the next attempt after %v, want %v as in the schedule", got, want)
		}
	})
	for name, status := range map[string]int{"500 after dead": 500, "204 after dead": 204, "410 after dead": 410} {
		t.Run(name, func(t *testing.T) {
			d := fresh()
			try(t, &d, start, 500, exact(webhook.ScheduleNone))
			ask(t, &d, start)
			if d.Extra == nil || d.SweepAt.Sub(start) != 2*time.Minute {
				t.Errorf("got %+v, want an extra attempt that is swept after 2m", d)
			}
			try(t, &d, start, status, exact(webhook.ScheduleNone))
			want := map[int]struct {
				delivery.State
				delivery.Reason
			}{500: {delivery.Dead, delivery.Exhausted}, 204: {delivery.Delivered, ""}, 410: {delivery.Dead, delivery.Gone}}[status]
			if d.State != want.State || d.Reason != want.Reason || d.Extra != nil || !d.SweepAt.IsZero() {
				t.Errorf("got %+v, want %v", d, want)
			}
		})
	}
	t.Run("asked for twice", func(t *testing.T) {
		d := fresh()
		try(t, &d, start, 500, exact(webhook.ScheduleNone))
		ask(t, &d, start)
		if added, err := d.Ask(delivery.TriggerManual, start.Add(time.Second), delivery.Clock{}); added || err != nil {
			t.Errorf("got %v, %v the second time, want false", added, err)
		}
	})
	t.Run("asked for during an attempt", func(t *testing.T) {
		d := fresh()
		try(t, &d, start, 500, exact(webhook.ScheduleStandard))
		now := d.NextAttemptAt
		if err := d.Claim("att_x", delivery.TriggerSchedule, now); err != nil {
			t.Fatal(err)
		}
		ask(t, &d, now)
		if err := d.Record(answered("att_x", &d, delivery.TriggerSchedule, now, 500), exact(webhook.ScheduleStandard), now); err != nil {
			t.Fatal(err)
		}
		if _, trigger := d.Judge(now); trigger != delivery.TriggerManual {
			t.Errorf("got trigger %s, want the extra attempt: %+v", trigger, d)
		}
	})
	t.Run("pending", func(t *testing.T) {
		d := fresh()
		if _, err := d.Ask(delivery.TriggerManual, start, delivery.Clock{}); err == nil {
			t.Error("got no error, want one")
		}
	})
}

func ask(t *testing.T, d *delivery.Delivery, now time.Time) {
	t.Helper()
	if added, err := d.Ask(delivery.TriggerManual, now, delivery.Clock{}); !added || err != nil {
		t.Fatalf("Ask: got %v, %v, want true", added, err)
	}
}

func TestIllegalActions(t *testing.T) {
	claimed := fresh()
	if err := claimed.Claim("att_1", delivery.TriggerSchedule, start); err != nil {
		t.Fatal(err)
	}
	done := fresh()
	try(t, &done, start, 200, exact(webhook.ScheduleStandard))
	for name, act := range map[string]func(d delivery.Delivery) error{
		"claim a claimed delivery": func(delivery.Delivery) error { d := claimed; return d.Claim("att_2", delivery.TriggerSchedule, start) },
		"claim an ended delivery":  func(delivery.Delivery) error { d := done; return d.Claim("att_2", delivery.TriggerSchedule, start) },
		"record without a claim": func(d delivery.Delivery) error {
			return d.Record(&delivery.Attempt{ID: "att_9"}, delivery.Rules{}, start)
		},
		"record with another claim": func(delivery.Delivery) error {
			d := claimed
			return d.Record(&delivery.Attempt{ID: "att_9"}, delivery.Rules{}, start)
		},
		"skip a claimed delivery":  func(delivery.Delivery) error { d := claimed; return d.Skip(delivery.Disabled, start) },
		"skip for the reason gone": func(d delivery.Delivery) error { return d.Skip(delivery.Gone, start) },
	} {
		t.Run(name, func(t *testing.T) {
			if err := act(fresh()); err == nil {
				t.Error("got no error, want one")
			}
		})
	}
}

func TestPing(t *testing.T) {
	r := recorded()
	r.Trigger = delivery.TriggerPing
	d := r.Delivery(someWebhook)
	try(t, &d, start, 500, exact(webhook.ScheduleStandard))
	if d.State != delivery.Dead || d.Reason != delivery.Exhausted || d.NeedsPerson() {
		t.Errorf("got %s %s, needs a person %v, want dead, exhausted and false", d.State, d.Reason, d.NeedsPerson())
	}
}

// TestDeliveryProperties checks deliveries after any sequence of steps. A delivery that waits has a SweepAt. A delivery
// that neither waits nor is claimed has none. A delivery has no more attempts than its schedule.
func TestDeliveryProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		schedule := rapid.SampledFrom(webhook.Schedules()).Draw(t, "schedule")
		clock := delivery.Clock{Speed: rapid.SampledFrom([]float64{0, 1, 60}).Draw(t, "speed")}
		d, now := fresh(), start
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3*3600).Draw(t, "seconds")) * time.Second)
			step(t, &d, now, delivery.Rules{Schedule: schedule, Clock: clock, Dice: rapid.Float64Range(0, 0.99).Draw(t, "dice")})
			waits := d.Extra != nil || !d.NextAttemptAt.IsZero()
			if waits && d.SweepAt.IsZero() {
				t.Fatalf("the delivery waits but has no SweepAt: %+v", d)
			}
			if !waits && d.Lease == nil && !d.SweepAt.IsZero() {
				t.Fatalf("the delivery does not wait but has a SweepAt: %+v", d)
			}
			mayWait := d.State == delivery.Retrying || d.State == delivery.Pending // a released delivery waits before its first attempt
			if d.State == delivery.Retrying && d.NextAttemptAt.IsZero() || !mayWait && !d.NextAttemptAt.IsZero() {
				t.Fatalf("got state %s with next attempt %v", d.State, d.NextAttemptAt)
			}
			if d.State == delivery.Held && (d.Lease != nil || d.Extra != nil || !d.SweepAt.IsZero() || d.Reason != delivery.Paused) {
				t.Fatalf("got a held delivery that waits for something: %+v", d)
			}
			if finished := slices.Contains([]delivery.State{delivery.Delivered, delivery.Dead, delivery.Skipped}, d.State); finished == d.FinishedAt.IsZero() {
				t.Fatalf("got state %s, finished at %v", d.State, d.FinishedAt)
			}
			if most := attempts(schedule); d.Scheduled > most {
				t.Fatalf("got %d attempts of schedule %s, want at most %d", d.Scheduled, schedule, most)
			}
		}
	})
}

// attempts returns the number of attempts in a schedule.
func attempts(name webhook.ScheduleName) int {
	for n := 1; ; n++ {
		if _, more := name.Wait(n); !more {
			return n
		}
	}
}

// step makes a random step that can happen to a delivery.
func step(t *rapid.T, d *delivery.Delivery, now time.Time, rules delivery.Rules) {
	before := d.State
	switch rapid.SampledFrom([]string{"doorbell", "doorbell", "sender dies", "ask", "sweep", "skip", "hold", "release", "drop"}).Draw(t, "step") {
	case "doorbell":
		if verdict, _ := d.Judge(now); verdict == delivery.Go {
			try(t, d, now, rapid.SampledFrom([]int{0, 200, 410, http.StatusBadGateway, 500}).Draw(t, "status"), rules)
		}
	case "sender dies":
		if verdict, trigger := d.Judge(now); verdict == delivery.Go {
			if err := d.Claim(id.New(id.Attempt, now), trigger, now); err != nil {
				t.Fatal(err)
			}
		}
	case "ask":
		_, _ = d.Ask(delivery.TriggerManual, now, rules.Clock)
	case "sweep":
		if !d.SweepAt.IsZero() && !d.SweepAt.After(now) {
			d.Sweep(now, rules.Clock)
		}
	case "hold":
		if verdict, trigger := d.Judge(now); verdict == delivery.Go && trigger == delivery.TriggerSchedule {
			if err := d.Hold(delivery.Paused, now); err != nil {
				t.Fatal(err)
			}
		}
	case "release":
		if err := d.Release(now.Add(time.Minute), now, rules.Clock); (err == nil) != (before == delivery.Held) {
			t.Fatalf("release from state %s: %v", before, err)
		}
	case "drop":
		if err := d.Drop(now); (err == nil) != (before == delivery.Held) {
			t.Fatalf("drop from state %s: %v", before, err)
		}
	case "skip":
		if verdict, _ := d.Judge(now); verdict == delivery.Go {
			if err := d.Skip(delivery.Disabled, now); err != nil {
				t.Fatal(err)
			}
		}
	}
}
