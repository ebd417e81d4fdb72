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

func recorded() record.Event {
	return record.Event{
		Event:      events.Event{ID: "evt_1", Source: events.DefaultSource, Type: "work_package:updated"},
		ReceivedAt: start, ExpiresAt: start.Add(30 * 24 * time.Hour), Trigger: delivery.TriggerSchedule,
	}
}

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

// plain is the middle of the jitter, at which the waits of the schedule are exact.
func plain(name webhook.ScheduleName) delivery.Rules {
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
				try(t, &d, now, 500, plain(name))
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
				t.Errorf("got %s after %d attempts at %v", d.Reason, d.AttemptCount, d.FinishedAt)
			}
			if !d.SweepAt.IsZero() || !d.NextAttemptAt.IsZero() {
				t.Errorf("a dead delivery still waits: %+v", d)
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
		"plain":                              {0, 0.5, 5 * time.Second},
		"jitter down":                        {0, 0, 4500 * time.Millisecond},
		"jitter up":                          {0, 1, 5500 * time.Millisecond},
		"Retry-After is later":               {time.Hour, 0, time.Hour},
		"Retry-After moves upwards only":     {time.Hour, 1, 66 * time.Minute},
		"Retry-After is earlier":             {time.Second, 0.5, 5 * time.Second},
		"Retry-After is never over 24 hours": {100 * time.Hour, 1, 24 * time.Hour},
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
	rules := plain(webhook.ScheduleStandard)
	rules.Clock.Speed = 60
	try(t, &d, start, 500, rules)
	now := d.NextAttemptAt
	try(t, &d, now, 500, rules)
	if got, want := d.NextAttemptAt.Sub(now), 5*time.Second; got != want {
		t.Errorf("5 minutes took %v, want %v", got, want)
	}
	if got, want := d.SweepAt.Sub(d.NextAttemptAt), 2*time.Second; got != want {
		t.Errorf("the sweeper's margin is %v, want %v", got, want)
	}
}

func TestSweepAt(t *testing.T) {
	d, now := fresh(), start
	var got []time.Duration
	for range 4 {
		try(t, &d, now, 500, plain(webhook.ScheduleStandard))
		got = append(got, d.SweepAt.Sub(d.NextAttemptAt))
		now = d.NextAttemptAt
	}
	// 5 s and 5 min fit a lane's delay; 30 min and 2 h do not.
	want := []time.Duration{2 * time.Minute, 2 * time.Minute, -14 * time.Minute, -14 * time.Minute}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSweepBacksOff(t *testing.T) {
	d := fresh()
	for range 3 {
		try(t, &d, start, 500, plain(webhook.ScheduleStandard))
		d.NextAttemptAt = start // the next one is due at once
	}
	d.NextAttemptAt = start.Add(30 * time.Minute)
	d.SweepAt = start.Add(16 * time.Minute)
	delay, ring := d.Sweep(d.SweepAt, delivery.Clock{})
	if !ring || delay != 14*time.Minute {
		t.Fatalf("the first ringing waits %v (%v), want 14m", delay, ring)
	}
	var got []time.Duration
	last := d.NextAttemptAt
	for range 8 {
		got = append(got, d.SweepAt.Sub(last))
		last = d.SweepAt
		if delay, ring := d.Sweep(last, delivery.Clock{}); !ring || delay != 0 {
			t.Fatalf("a forgotten attempt: delay %v, ring %v", delay, ring)
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
	try(t, &waiting, start, 500, plain(webhook.ScheduleStandard))
	done := fresh()
	try(t, &done, start, 200, plain(webhook.ScheduleStandard))
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
		"live lease":                          {claimed, start.Add(limits.Lease - 1), delivery.Busy, ""},
		"the holder died":                     {claimed, start.Add(limits.Lease), delivery.Go, delivery.TriggerSchedule},
		"the holder of an extra one died":     {manual, start.Add(limits.Lease), delivery.Go, delivery.TriggerManual},
		"an earlier copy":                     {waiting, at.Add(-time.Second - 1), delivery.Early, ""},
		"one second before, to be waited out": {waiting, at.Add(-time.Second), delivery.Go, delivery.TriggerSchedule},
		"due":                                 {waiting, at, delivery.Go, delivery.TriggerSchedule},
		"delivered":                           {done, start, delivery.Nothing, ""},
		"asked for by hand":                   {asked, start, delivery.Go, delivery.TriggerManual},
	} {
		t.Run(name, func(t *testing.T) {
			got, trigger := c.d.Judge(c.now)
			if got != c.want || trigger != c.wantTrigger {
				t.Errorf("got %v %q, want %v %q", got, trigger, c.want, c.wantTrigger)
			}
		})
	}
}

func TestRetryByHand(t *testing.T) {
	t.Run("another failure leaves state and schedule", func(t *testing.T) {
		d := fresh()
		try(t, &d, start, 500, plain(webhook.ScheduleStandard))
		next, sweep := d.NextAttemptAt, d.SweepAt
		ask(t, &d, start)
		try(t, &d, start, 500, plain(webhook.ScheduleStandard))
		if d.State != delivery.Retrying || !d.NextAttemptAt.Equal(next) || !d.SweepAt.Equal(sweep) || d.AttemptCount != 2 {
			t.Errorf("got %+v", d)
		}
		try(t, &d, next, 500, plain(webhook.ScheduleStandard))
		if got, want := d.NextAttemptAt.Sub(next), 5*time.Minute; got != want {
			t.Errorf("the extra attempt moved the schedule: next after %v, want %v", got, want)
		}
	})
	for name, status := range map[string]int{"dead stays dead": 500, "2xx delivers": 204, "410 is gone": 410} {
		t.Run(name, func(t *testing.T) {
			d := fresh()
			try(t, &d, start, 500, plain(webhook.ScheduleNone))
			ask(t, &d, start)
			if d.Owed == nil || d.SweepAt.Sub(start) != 2*time.Minute {
				t.Errorf("what is owed is not in the clock: %+v", d)
			}
			try(t, &d, start, status, plain(webhook.ScheduleNone))
			want := map[int]struct {
				delivery.State
				delivery.Reason
			}{500: {delivery.Dead, delivery.Exhausted}, 204: {delivery.Delivered, ""}, 410: {delivery.Dead, delivery.Gone}}[status]
			if d.State != want.State || d.Reason != want.Reason || d.Owed != nil || !d.SweepAt.IsZero() {
				t.Errorf("got %+v, want %v", d, want)
			}
		})
	}
	t.Run("a second request adds nothing", func(t *testing.T) {
		d := fresh()
		try(t, &d, start, 500, plain(webhook.ScheduleNone))
		ask(t, &d, start)
		if added, err := d.Ask(delivery.TriggerManual, start.Add(time.Second), delivery.Clock{}); added || err != nil {
			t.Errorf("got %v %v", added, err)
		}
	})
	t.Run("a request during an attempt is kept", func(t *testing.T) {
		d := fresh()
		try(t, &d, start, 500, plain(webhook.ScheduleStandard))
		now := d.NextAttemptAt
		if err := d.Claim("att_x", delivery.TriggerSchedule, now); err != nil {
			t.Fatal(err)
		}
		ask(t, &d, now)
		if err := d.Record(answered("att_x", &d, delivery.TriggerSchedule, now, 500), plain(webhook.ScheduleStandard), now); err != nil {
			t.Fatal(err)
		}
		if _, trigger := d.Judge(now); trigger != delivery.TriggerManual {
			t.Errorf("the request was lost: %+v", d)
		}
	})
	t.Run("pending refuses", func(t *testing.T) {
		d := fresh()
		if _, err := d.Ask(delivery.TriggerManual, start, delivery.Clock{}); err == nil {
			t.Error("a pending delivery was asked for")
		}
	})
}

func ask(t *testing.T, d *delivery.Delivery, now time.Time) {
	t.Helper()
	if added, err := d.Ask(delivery.TriggerManual, now, delivery.Clock{}); !added || err != nil {
		t.Fatalf("ask: %v %v", added, err)
	}
}

func TestIllegalMovesAreFaults(t *testing.T) {
	claimed := fresh()
	if err := claimed.Claim("att_1", delivery.TriggerSchedule, start); err != nil {
		t.Fatal(err)
	}
	done := fresh()
	try(t, &done, start, 200, plain(webhook.ScheduleStandard))
	for name, move := range map[string]func(d delivery.Delivery) error{
		"claim what is claimed": func(delivery.Delivery) error { d := claimed; return d.Claim("att_2", delivery.TriggerSchedule, start) },
		"claim what is done":    func(delivery.Delivery) error { d := done; return d.Claim("att_2", delivery.TriggerSchedule, start) },
		"record without claim": func(d delivery.Delivery) error {
			return d.Record(&delivery.Attempt{ID: "att_9"}, delivery.Rules{}, start)
		},
		"record under another's claim": func(delivery.Delivery) error {
			d := claimed
			return d.Record(&delivery.Attempt{ID: "att_9"}, delivery.Rules{}, start)
		},
		"skip what is claimed":      func(delivery.Delivery) error { d := claimed; return d.Skip(delivery.Disabled, start) },
		"skip for a foreign reason": func(d delivery.Delivery) error { return d.Skip(delivery.Gone, start) },
	} {
		t.Run(name, func(t *testing.T) {
			if err := move(fresh()); err == nil {
				t.Error("it was allowed")
			}
		})
	}
}

func TestPing(t *testing.T) {
	r := recorded()
	r.Trigger = delivery.TriggerPing
	d := r.Delivery(someWebhook)
	try(t, &d, start, 500, plain(webhook.ScheduleStandard))
	if d.State != delivery.Dead || d.Reason != delivery.Exhausted || d.NeedsPerson() {
		t.Errorf("got %s %s, needs a person: %v", d.State, d.Reason, d.NeedsPerson())
	}
}

// After any sequence of steps, a delivery that waits has a SweepAt, a delivery that neither waits nor is claimed has none,
// and no delivery has made more attempts than its schedule allows.
func TestDeliveryProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		schedule := rapid.SampledFrom(webhook.Schedules()).Draw(t, "schedule")
		clock := delivery.Clock{Speed: rapid.SampledFrom([]float64{0, 1, 60}).Draw(t, "speed")}
		d, now := fresh(), start
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3*3600).Draw(t, "seconds")) * time.Second)
			step(t, &d, now, delivery.Rules{Schedule: schedule, Clock: clock, Dice: rapid.Float64Range(0, 0.99).Draw(t, "dice")})
			waits := d.Owed != nil || !d.NextAttemptAt.IsZero()
			if waits && d.SweepAt.IsZero() {
				t.Fatalf("the delivery waits but has no SweepAt: %+v", d)
			}
			if !waits && d.Lease == nil && !d.SweepAt.IsZero() {
				t.Fatalf("the delivery does not wait but has a SweepAt: %+v", d)
			}
			if (d.State == delivery.Retrying) == d.NextAttemptAt.IsZero() {
				t.Fatalf("state %s, next attempt %v", d.State, d.NextAttemptAt)
			}
			if finished := slices.Contains([]delivery.State{delivery.Delivered, delivery.Dead, delivery.Skipped}, d.State); finished == d.FinishedAt.IsZero() {
				t.Fatalf("state %s, finished at %v", d.State, d.FinishedAt)
			}
			if most, _ := attempts(schedule); d.Scheduled > most {
				t.Fatalf("%d attempts of schedule %s", d.Scheduled, schedule)
			}
		}
	})
}

func attempts(name webhook.ScheduleName) (most int, _ bool) {
	for most = 1; ; most++ {
		if _, more := name.Wait(most); !more {
			return most, true
		}
	}
}

// step makes a random step that can happen to a delivery.
func step(t *rapid.T, d *delivery.Delivery, now time.Time, rules delivery.Rules) {
	switch rapid.SampledFrom([]string{"doorbell", "doorbell", "doorbell dies", "ask", "sweep", "skip"}).Draw(t, "step") {
	case "doorbell":
		if verdict, _ := d.Judge(now); verdict == delivery.Go {
			try(t, d, now, rapid.SampledFrom([]int{0, 200, 410, http.StatusBadGateway, 500}).Draw(t, "status"), rules)
		}
	case "doorbell dies":
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
	case "skip":
		if verdict, _ := d.Judge(now); verdict == delivery.Go {
			if err := d.Skip(delivery.Disabled, now); err != nil {
				t.Fatal(err)
			}
		}
	}
}
