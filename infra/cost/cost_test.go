// Package cost_test counts what a delivery costs on AWS. It runs fan-out and sender on DynamoDB Local and on a queue that
// counts requests, and compares the costs with the budget. "make cost" prints them.
package cost_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"

	"nepenthes/events"
	"nepenthes/shared/awsclient"
	"nepenthes/shared/awstest"
	"nepenthes/shared/catalogue"
	"nepenthes/shared/delivery"
	"nepenthes/shared/dynamo"
	"nepenthes/shared/fanout"
	"nepenthes/shared/id"
	"nepenthes/shared/lambdahost"
	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
	"nepenthes/shared/metrics"
	"nepenthes/shared/outbound"
	"nepenthes/shared/record"
	"nepenthes/shared/sender"
	"nepenthes/shared/signing"
	"nepenthes/shared/sqs"
	"nepenthes/shared/tables"
	"nepenthes/shared/webhook"
)

// List prices in us-east-1, late 2026, in dollars. Free tiers and discounts are left out.
const (
	million         = 1e6
	perWriteUnit    = 0.625 / million // DynamoDB, on demand
	perReadUnit     = 0.125 / million
	perRequest      = 0.40 / million // SQS, up to 64 KiB
	perGroupRequest = 0.50 / million // with a message group
	perInvocation   = 0.20 / million // Lambda
	perGBSecond     = 0.0000133334   // arm64
	perGBLogged     = 0.50           // CloudWatch Logs
	perGBMonth      = 0.25           // DynamoDB, stored
	perKeyMonth     = 1.00           // KMS
	perSecretMonth  = 0.40           // Secrets Manager
	perAlarmMonth   = 0.10           // CloudWatch
	month           = 30 * 24 * time.Hour
	polls           = 5                // concurrent requests of an idle event source
	pollTime        = 20 * time.Second // duration of each
	memory          = 0.25             // GB, of the functions behind queues
	fanoutBatch     = 60 * time.Millisecond
	receiverAnswers = 200 * time.Millisecond // a batch waits for its slowest receiver
	senderBatch     = receiverAnswers + 60*time.Millisecond
	sweep           = 50 * time.Millisecond
	alarms          = 13
	keys            = 1
	secrets         = 2
)

// bill has the costs of a run, in dollars.
type bill struct {
	dynamodb, sqs, lambda, logs float64
}

// requests returns the costs of requests, which the budget limits.
func (b bill) requests() float64 { return b.dynamodb + b.sqs + b.lambda }

func TestCost(t *testing.T) {
	for _, c := range []struct {
		pushed           string // the event type
		webhooks, events int
		most             float64 // dollars for a million deliveries
	}{
		{pushed: common, webhooks: 1, events: 200, most: 2.60},
		{pushed: common, webhooks: 10, events: 100, most: 1.80},
		{pushed: "work_package:updated", webhooks: 1, events: 100, most: 3.20}, // an event of more than a kilobyte
	} {
		t.Run(fmt.Sprintf("1 %s to %d webhooks", c.pushed, c.webhooks), func(t *testing.T) {
			r := newRun(t, c.pushed, c.webhooks)
			r.push(t, 10) // warm up: this reads what a process reads only once
			r.meter.reset()
			r.invocations = [2]int{}
			r.push(t, c.events)
			deliveries := float64(c.events * c.webhooks)
			b := r.bill()
			scale := million / deliveries
			t.Logf("for a million deliveries: $%.2f (DynamoDB $%.2f, SQS $%.2f, Lambda $%.2f), logs $%.2f, 30 days of storage at most $%.2f",
				b.requests()*scale, b.dynamodb*scale, b.sqs*scale, b.lambda*scale, b.logs*scale, storage(c.webhooks))
			t.Logf("per delivery: %.2f write units, %.2f read units, %.2f requests that send, %d bytes of log",
				r.meter.writes/deliveries, r.meter.reads/deliveries, float64(r.meter.sends)/deliveries, r.meter.logged/int(deliveries))
			if got := b.requests() * scale; got > c.most {
				t.Errorf("a million deliveries cost $%.2f, want at most $%.2f", got, c.most)
			}
		})
	}
	t.Logf("an idle month: $%.2f", idle())
}

// TestCostOfHeld counts what deliveries cost more because they are held: two moves each, the second with a doorbell.
// TestCost counts the attempts before and after.
func TestCostOfHeld(t *testing.T) {
	const deliveries, most = 50, 6 // write units
	r := newRun(t, common, 0)
	for what, failures := range map[string]int{"before the first attempt": 0, "before a retry": 1} {
		t.Run(what, func(t *testing.T) {
			rows := make([]delivery.Delivery, deliveries)
			for i := range rows {
				rows[i] = r.waiting(t, failures)
			}
			r.meter.reset()
			for _, d := range rows {
				must(t, d.Hold(delivery.Paused, d.NextAttemptAt))
				d = r.put(t, d, nil)
				must(t, d.Release(time.Now().Add(time.Minute), time.Now(), delivery.Clock{}))
				r.put(t, d, nil)
			}
			units := r.meter.writes / deliveries
			rung := perGroupRequest / limits.BatchSize
			t.Logf("for a million deliveries that are held and released: %.2f write units each, $%.2f (DynamoDB $%.2f, doorbells $%.2f)",
				units, million*(units*perWriteUnit+rung), million*units*perWriteUnit, million*rung)
			if units > most {
				t.Errorf("holding and releasing took %.2f write units, want at most %d", units, most)
			}
		})
	}
}

// waiting returns a delivery that waits for its first attempt, or for its second attempt after a failure with a small
// answer.
func (r *run) waiting(t *testing.T, failures int) delivery.Delivery {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	e, _ := events.Example(r.pushed)
	e.ID = "evt_" + rand.Text()
	recorded := record.Event{Event: e, ReceivedAt: now, ExpiresAt: now.AddDate(0, 0, limits.RetentionDays), Trigger: delivery.TriggerSchedule}
	d := recorded.Delivery(id.New(id.Webhook, now))
	for number := range failures {
		a := &delivery.Attempt{
			ID: id.New(id.Attempt, now), Number: number + 1, Trigger: delivery.TriggerSchedule, StartedAt: now,
			URL: "https://receiver.example/hooks", Format: webhook.FormatNepenthes, Signed: true,
			Outcome: delivery.OutcomeFailed, ErrorClass: delivery.ErrStatus,
			Response: &delivery.Response{Status: 503, Body: []byte(`{"error":"upstream timed out"}`)},
		}
		must(t, d.Claim(a.ID, a.Trigger, now))
		d = r.put(t, d, nil)
		must(t, d.Record(a, delivery.Rules{Schedule: webhook.ScheduleStandard}, now))
		d = r.put(t, d, a)
	}
	return d
}

func (r *run) put(t *testing.T, d delivery.Delivery, ended *delivery.Attempt) delivery.Delivery {
	t.Helper()
	stored, won, err := r.store.PutDelivery(t.Context(), d, ended)
	if err != nil || !won {
		t.Fatal(won, err)
	}
	return stored
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// storage returns an upper limit of what storing a million deliveries costs for a month: an event of up to 1 KB, and
// delivery items of the same size.
func storage(webhooks int) float64 {
	return million * (1 + 1/float64(webhooks)) / (1 << 20) * perGBMonth
}

// idle returns the costs of a month in which nothing happens: pollers, the sweeper, keys, secrets and alarms.
func idle() float64 {
	sources := float64(len(lane.Names()))
	polled := sources * polls * month.Seconds() / pollTime.Seconds() * perRequest
	sweeps := month.Seconds() / limits.SweepPeriod.Seconds()
	// The sweeper reads the index of due deliveries and the jobs.
	swept := sweeps * (perInvocation + sweep.Seconds()*memory*perGBSecond + (tables.IndexShards*0.5+1)*perReadUnit)
	return polled + swept + keys*perKeyMonth + secrets*perSecretMonth + alarms*perAlarmMonth
}

// run is fan-out and sender, connected as in the cloud, with a store and queues that count.
type run struct {
	meter       *meter
	store       *dynamo.Store
	fanout      lambdahost.Batch
	sender      lambdahost.Batch
	pushed      string // the event type
	webhooks    int
	invocations [2]int // of fanout, of sender
}

func newRun(t *testing.T, pushed string, webhooks int) *run {
	t.Helper()
	m := &meter{}
	queue := m.queue(t)
	t.Setenv("AWS_ENDPOINT_URL", awstest.DynamoDB(t))
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	cfg, err := awsclient.Load(t.Context(), 2*limits.BatchSize)
	if err != nil {
		t.Fatal(err)
	}
	names := tables.Prefixed("cost-" + strings.ReplaceAll(pushed, ":", "-") + "-" + strconv.Itoa(webhooks) + "-")
	if err := dynamo.CreateTables(t.Context(), cfg, names); err != nil {
		t.Fatal(err)
	}
	store := dynamo.New(dynamo.Config{AWS: m.attach(cfg), Tables: names})
	for range webhooks {
		subscribe(t, store, pushed)
	}
	counted := cfg.Copy()
	counted.BaseEndpoint = aws.String(queue)
	lanes := lambdahost.Gather(sqs.New(counted, queue+"/000000000000/lane"))
	logger := slog.New(metrics.Handler(slog.NewJSONHandler(m, nil), "dev"))
	known := catalogue.New(store)
	f := fanout.New(fanout.Config{Matcher: known, Recorder: store, Projects: store, Deliveries: lanes, DeadLetters: lanes, Logger: logger})
	s := sender.New(sender.Config{
		Catalogue: catalogue.New(store), Events: store, Deliveries: store, Webhooks: store, Retries: lanes,
		Opener: opener{}, Client: receiver{}, Logger: logger,
	})
	return &run{meter: m, store: store, fanout: lambdahost.Queue(f.Handle, logger), sender: lambdahost.Queue(s.Handle, logger), pushed: pushed, webhooks: webhooks}
}

// subscribe creates a webhook that is subscribed to the pushed event type.
func subscribe(t *testing.T, store *dynamo.Store, pushed string) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	w := webhook.Webhook{
		ID: id.New(id.Webhook, now), Name: rand.Text(), PayloadURL: "https://receiver.example/hooks", Enabled: true,
		Subscription:  webhook.Subscription{Events: []string{pushed}, Projects: webhook.Projects{All: true}},
		PayloadFormat: webhook.FormatNepenthes, Timeout: limits.ExchangeTimeout, RetrySchedule: webhook.ScheduleStandard,
		Secrets:   []webhook.Secret{{ID: id.New(id.Secret, now), Kind: signing.HMAC, Sealed: []byte("sealed"), CreatedAt: now}},
		CreatedAt: now, UpdatedAt: now, StatusSince: now,
	}
	if err := store.PutWebhook(t.Context(), &w); err != nil {
		t.Fatal(err)
	}
}

// common is a type whose example compresses below 700 bytes, the size that the budget assumes.
const common = "time_entry:updated"

// push pushes n events in full batches, and delivers them in full batches.
func (r *run) push(t *testing.T, n int) {
	t.Helper()
	var messages []lane.Message
	for range n {
		e, _ := events.Example(r.pushed)
		e.ID = "evt_" + rand.Text()
		body, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, lane.Message{ID: e.ID, Body: body, SentAt: time.Now()})
	}
	r.invocations[0] += batches(t, r.fanout, messages)
	r.meter.mu.Lock()
	bells := r.meter.bells
	r.meter.bells = nil
	r.meter.mu.Unlock()
	if len(bells) != n*r.webhooks {
		t.Fatalf("%d events sent %d doorbells for %d webhooks", n, len(bells), r.webhooks)
	}
	r.invocations[1] += batches(t, r.sender, bells)
}

// batches passes messages on in batches, like an event source, and returns the number of batches.
func batches(t *testing.T, handle lambdahost.Batch, messages []lane.Message) (calls int) {
	t.Helper()
	for batch := range slices.Chunk(messages, limits.BatchSize) {
		var e lambdaevents.SQSEvent
		for i, m := range batch {
			m.ID = strconv.Itoa(i)
			e.Records = append(e.Records, lambdahost.Record(m))
		}
		answer, err := handle(t.Context(), e)
		if err != nil || len(answer.BatchItemFailures) > 0 {
			t.Fatalf("%v, %v", answer.BatchItemFailures, err)
		}
		calls++
	}
	return calls
}

// bill returns the costs. Sending, receiving and deleting a full batch takes one request each.
func (r *run) bill() bill {
	fanned, sent := float64(r.invocations[0]), float64(r.invocations[1])
	// A full batch of ten events sends its doorbells in as many requests as there are webhooks. On a busy machine a
	// handler can be too late for the request of its batch (lambdahost.Gather); that is not the price of a delivery.
	sends := fanned * float64(r.webhooks)
	return bill{
		dynamodb: r.meter.writes*perWriteUnit + r.meter.reads*perReadUnit,
		sqs:      3*fanned*perRequest + (sends+2*sent)*perGroupRequest,
		lambda: fanned*(perInvocation+fanoutBatch.Seconds()*memory*perGBSecond) +
			sent*(perInvocation+senderBatch.Seconds()*memory*perGBSecond),
		logs: float64(r.meter.logged) / (1 << 30) * perGBLogged,
	}
}

// opener opens every secret. Opening is not counted, since it costs one call for each function instance.
type opener struct{}

// Open returns a secret.
func (opener) Open(context.Context, []byte, webhook.SealInfo) ([]byte, error) {
	return []byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), nil
}

// receiver accepts every request at once, with a small answer.
type receiver struct{}

// Post answers 204.
func (receiver) Post(context.Context, outbound.Request) outbound.Result {
	return outbound.Result{Answer: &outbound.Answer{Status: 204}, Started: time.Now(), Timing: delivery.Timing{}}
}
