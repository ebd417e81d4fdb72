package dynamo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"nepenthes/events"
	"nepenthes/shared/delivery"
	"nepenthes/shared/dynamo"
	"nepenthes/shared/id"
	"nepenthes/shared/limits"
	"nepenthes/shared/record"
	"nepenthes/shared/webhook"
)

// meter counts the write units that DynamoDB reports for single writes. DynamoDB Local reports these correctly. It is
// off by one for transactions, which no delivery needs.
type meter struct {
	mu    sync.Mutex
	units float64
}

// attach makes clients with the returned configuration report the capacity of every write.
func (m *meter) attach(cfg aws.Config) aws.Config {
	cfg.APIOptions = append(cfg.APIOptions[:len(cfg.APIOptions):len(cfg.APIOptions)], func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Meter", m.measure), middleware.After)
	})
	return cfg
}

func (m *meter) measure(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
	middleware.InitializeOutput, middleware.Metadata, error,
) {
	switch input := in.Parameters.(type) {
	case *dynamodb.PutItemInput:
		input.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	case *dynamodb.UpdateItemInput:
		input.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	}
	out, metadata, err := next.HandleInitialize(ctx, in)
	if _, refused := errors.AsType[*types.ConditionalCheckFailedException](err); refused {
		m.add(&types.ConsumedCapacity{CapacityUnits: aws.Float64(1)}) // charged by the size of the stored item, but not reported
	}
	switch output := out.Result.(type) {
	case *dynamodb.PutItemOutput:
		m.add(output.ConsumedCapacity)
	case *dynamodb.UpdateItemOutput:
		m.add(output.ConsumedCapacity)
	}
	return out, metadata, err
}

func (m *meter) add(c *types.ConsumedCapacity) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c != nil { // nil if the request failed
		m.units += aws.ToFloat64(c.CapacityUnits)
	}
}

// of returns the number of units that do takes.
func (m *meter) of(do func()) float64 {
	m.units = 0
	do()
	return m.units
}

// TestBudget compares write units with the budget of the design. It counts what DynamoDB reports, including index
// writes.
func TestBudget(t *testing.T) {
	var units meter
	store := open(t, units.attach(local(t)), time.Now)
	for _, c := range []struct {
		what string
		do   func(budget)
		most float64
	}{
		{"an event that matches nothing", func(b budget) { b.event(1200, nil) }, 1},
		{"an event that matches one webhook", func(b budget) { b.event(1200, webhookIDs(1)) }, 1},
		{"an event with a plan, longer than 1 KB", func(b budget) { b.event(1200, webhookIDs(40)) }, 2},
		{"a delivery that succeeds at once", func(b budget) { b.deliver(smallResponse(204)) }, 2},
		{"a delivery that fails once and then succeeds", func(b budget) { b.deliver(smallResponse(503), smallResponse(200)) }, 2 + 5},
		{"a delivery that fails twice and then succeeds", func(b budget) { b.deliver(smallResponse(503), smallResponse(500), smallResponse(200)) }, 2 + 5 + 5},
		{"holding a first attempt and releasing it", func(b budget) { b.hold(nil) }, 2 + 3},
		{"holding a second attempt and releasing it", func(b budget) { b.hold(smallResponse(503)) }, 6},
		{"a count for the health of a webhook", func(b budget) { b.count() }, 1},
	} {
		t.Run(c.what, func(t *testing.T) {
			got := units.of(func() { c.do(budget{t, store, &units}) })
			t.Logf("%s: %g write units, budget %g", c.what, got, c.most)
			if got > c.most {
				t.Errorf("got %g write units, want at most %g", got, c.most)
			}
		})
	}
}

// budget writes as fan-out and the sender do.
type budget struct {
	*testing.T
	store *dynamo.Store
	units *meter
}

func (b budget) event(size int, plan []string) {
	if _, _, created, err := b.store.PutEvent(b.Context(), event(b.T, size), plan); err != nil || !created {
		b.Fatal(created, err)
	}
}

// deliver claims and records one attempt for each answer.
func (b budget) deliver(answers ...*delivery.Response) {
	recorded := event(b.T, 1200)
	d, now := recorded.Delivery(webhookIDs(1)[0]), recorded.ReceivedAt
	for number, answer := range answers {
		d = b.attempt(d, number+1, answer, now)
		now = d.NextAttemptAt
	}
}

// attempt claims and records an attempt, and returns the row.
func (b budget) attempt(d delivery.Delivery, number int, answer *delivery.Response, now time.Time) delivery.Delivery {
	a := attempt(number, answer)
	if err := d.Claim(a.ID, delivery.TriggerSchedule, now); err != nil {
		b.Fatal(err)
	}
	d = b.put(d, nil)
	if err := d.Record(a, delivery.Rules{Schedule: webhook.ScheduleStandard}, now); err != nil {
		b.Fatal(err)
	}
	return b.put(d, a)
}

// hold holds the attempt after an answer, or the first attempt if answer is nil, and releases it. Only these two moves are
// counted.
func (b budget) hold(answer *delivery.Response) {
	recorded := event(b.T, 1200)
	d, now := recorded.Delivery(webhookIDs(1)[0]), recorded.ReceivedAt
	if answer != nil {
		d = b.attempt(d, 1, answer, now)
		now = d.NextAttemptAt
		b.units.units = 0
	}
	if err := d.Hold(delivery.Paused, now); err != nil {
		b.Fatal(err)
	}
	d = b.put(d, nil)
	if err := d.Release(now.Add(time.Minute), now, delivery.Clock{}); err != nil {
		b.Fatal(err)
	}
	b.put(d, nil)
}

func (b budget) put(d delivery.Delivery, ended *delivery.Attempt) delivery.Delivery {
	now, won, err := b.store.PutDelivery(b.Context(), d, ended)
	if err != nil || !won {
		b.Fatal(won, err)
	}
	return now
}

func (b budget) count() {
	if _, err := b.store.Count(b.Context(), "health:"+webhookIDs(1)[0], 1, time.Now().Add(time.Hour)); err != nil {
		b.Fatal(err)
	}
}

// event returns the event of a work package with about size bytes, as OpenProject sends it.
func event(t *testing.T, size int) record.Event {
	t.Helper()
	data, err := json.Marshal(map[string]any{
		"_type": "WorkPackage", "id": 42, "subject": "Replace the pump in building seven", "lockVersion": 17,
		"createdAt": "2026-01-02T10:00:00Z", "updatedAt": "2026-01-02T11:00:00Z", "percentageDone": 30,
		"_links": map[string]any{
			"self":    map[string]any{"href": "/api/v3/work_packages/42", "title": "Replace the pump in building seven"},
			"project": map[string]any{"href": "/api/v3/projects/7", "title": "Plant"},
			"status":  map[string]any{"href": "/api/v3/statuses/5", "title": "In progress"},
			"type":    map[string]any{"href": "/api/v3/types/1", "title": "Task"},
			"author":  map[string]any{"href": "/api/v3/users/3", "title": "Ada Byron"},
		},
		"description": map[string]any{"format": "markdown", "raw": words(size - 600)},
	})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	return record.Event{
		Event: events.Event{
			ID: id.New(id.Event, now), Source: events.DefaultSource, Type: "work_package:updated",
			OccurredAt: "2026-01-02T11:00:00Z", Data: data,
			Project: &events.Project{ID: "7", Identifier: "plant", Name: "Plant"},
			Actor:   &events.Actor{ID: "3", Name: "Ada Byron"},
		},
		ReceivedAt: now, ExpiresAt: now.Add(limits.RetentionDays * 24 * time.Hour), Trigger: delivery.TriggerSchedule,
		TraceID: "0af7651916cd43dd8448eb211c80319c",
	}
}

// words returns text that repeats itself about as much as a description does.
func words(size int) string {
	vocabulary := strings.Fields("pump valve pressure leak replace order supplier delivery week inspection " +
		"building pipe gasket meeting maintenance report finished waiting decision budget drawing")
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "%s ", vocabulary[i*i*7919%len(vocabulary)])
	}
	return b.String()
}

// webhookIDs returns n new ids of webhooks.
func webhookIDs(n int) (plan []string) {
	for range n {
		plan = append(plan, id.New(id.Webhook, time.Now()))
	}
	return plan
}

// smallResponse returns a typical response with 256 bytes of headers and body.
func smallResponse(status int) *delivery.Response {
	return &delivery.Response{
		Status: status,
		Headers: http.Header{
			"Date": {"Fri, 02 Jan 2026 11:00:00 GMT"}, "Content-Type": {"application/json; charset=utf-8"},
			"Content-Length": {"96"}, "Server": {"nginx"}, "X-Request-Id": {"5f0c1a6e-1f0f-4b3a-9d5e-0c8f3f2a7b11"},
		},
		Body: []byte(`{"error":"upstream timed out","code":"E1042","id":"8d0f51b2c3aa4efc9d1e","retry":true}`),
	}
}

func attempt(number int, answer *delivery.Response) *delivery.Attempt {
	a := &delivery.Attempt{
		ID: id.New(id.Attempt, time.Now()), Number: number, Trigger: delivery.TriggerSchedule, Outcome: delivery.OutcomeDelivered,
		StartedAt: time.Now(), URL: "https://billing.example.com/webhooks/nepenthes?tenant=4711", Format: webhook.FormatNepenthes,
		Signed: true, HeaderNames: []string{"X-Team", "Authorization"}, Response: answer,
		Timing: delivery.Timing{DNS: 1234567, Connect: 2345678, TLS: 13456789, FirstByte: 45678901, Total: 46789012},
	}
	if answer.Status >= 300 {
		a.Outcome, a.ErrorClass = delivery.OutcomeFailed, delivery.ErrStatus
	}
	return a
}
