package dynamo_test

import (
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nepenthes/events"
	"nepenthes/shared/access"
	"nepenthes/shared/delivery"
	"nepenthes/shared/dynamo"
	"nepenthes/shared/keypair"
	"nepenthes/shared/project"
	"nepenthes/shared/record"
	"nepenthes/shared/settings"
	"nepenthes/shared/signing"
	"nepenthes/shared/store"
	"nepenthes/shared/tables"
	"nepenthes/shared/webhook"
)

const storedFile = "testdata/stored.json"

var update = flag.Bool("update", false, "rewrite "+storedFile+"; only when no deployment has items in the old form")

// These values are in the file: one of each kind, with something in every member.
var (
	storedAt       = time.Date(2026, time.January, 2, 11, 0, 0, 123_000_000, time.UTC)
	storedSettings = settings.Settings{
		APIEnabled: true, MaxPageSize: 50, DocsEnabled: true, CORSEnabled: true,
		AllowedOrigins: []string{"https://a.example"}, UpdatedAt: storedAt,
	}
	storedWebhook = webhook.Webhook{
		ID: "wh_01KDZ5TGZVNJ07BZTD6PZJ8BEX", Name: "Billing", PayloadURL: "https://billing.example.com/hooks", Description: "d",
		Enabled: true, DisabledReason: webhook.Gone, PayloadFormat: webhook.FormatStandard, LegacySignature: true,
		Subscription: webhook.Subscription{Events: []string{"project:*"}, Projects: webhook.Projects{All: true, IDs: []string{"7"}}},
		Headers:      []webhook.Header{{Name: "X-Team", Sealed: []byte{1, 2}}}, Timeout: 15 * time.Second, RetrySchedule: webhook.ScheduleShort,
		Secrets: []webhook.Secret{{
			ID: "sec_1", Kind: signing.Ed25519, PublicKey: "whpk_A", Sealed: []byte{3}, CreatedAt: storedAt, ExpiresAt: storedAt,
		}},
		StatusSince: storedAt, CreatedAt: storedAt, UpdatedAt: storedAt,
	}
	storedProject = project.Project{ID: "7", Identifier: "plant", Name: "Plant", Gone: true, NewsAt: storedAt, CreatedAt: storedAt}
	storedClient  = access.Client{
		ID: "app_1", Name: "billing", Scopes: []access.Scope{access.EventsRead}, CreatedAt: storedAt, UpdatedAt: storedAt,
		Secrets: []access.Secret{{ID: "sec_2", Hash: [32]byte{1, 31: 2}, CreatedAt: storedAt, ExpiresAt: storedAt}},
	}
	storedPair  = keypair.Pair{ID: "key_1", Purpose: "p", PublicKey: []byte{4}, Wrapped: []byte{5}, CreatedAt: storedAt}
	storedEvent = record.Event{
		Event: events.Event{
			ID: "evt_1", Source: "urn:example", Type: "work_package:updated", OccurredAt: "2026-01-02T11:00:00Z",
			Project: &events.Project{ID: "7", Identifier: "plant", Name: "Plant"}, Actor: &events.Actor{ID: "3", Name: "Ada"},
			Data: json.RawMessage(`{"_type":"WorkPackage","id":42,"subject":"Fix the pump in building seven"}`),
		},
		ReceivedAt: storedAt, ExpiresAt: storedAt.AddDate(50, 0, 0), Trigger: delivery.TriggerPing,
		TraceID: "0af7651916cd43dd8448eb211c80319c", MatchCount: 1,
	}
	storedAttempts = []delivery.Attempt{
		{
			ID: "att_1", Number: 1, Trigger: delivery.TriggerSchedule, Outcome: delivery.OutcomeFailed, StartedAt: storedAt,
			URL: "https://billing.example.com/hooks", Format: webhook.FormatStandard, Signed: true, Legacy: true,
			HeaderNames: []string{"X-Team"}, Timing: delivery.Timing{DNS: delivery.NoPhase, Connect: 1, TLS: 2, FirstByte: 3, Total: 4},
			Response: &delivery.Response{
				Status: 503, Headers: http.Header{"Date": {"a", "b"}}, Body: []byte("\xff"), Truncated: true,
			},
			ErrorClass: delivery.ErrStatus, ErrorMessage: "the status is 503",
		},
		{ID: "att_2", Number: 3, Trigger: delivery.TriggerManual, Outcome: delivery.OutcomeFailed, StartedAt: storedAt, ErrorClass: delivery.ErrDNS},
	}
)

func storedDelivery() delivery.Delivery {
	d := storedEvent.Delivery(storedWebhook.ID)
	d.State, d.Reason, d.Origin = delivery.Dead, delivery.Exhausted, delivery.TriggerSchedule
	d.AttemptCount, d.Scheduled, d.Rings = 2, 1, 3
	d.Last = &delivery.Summary{Number: 3, Outcome: delivery.OutcomeFailed, StartedAt: storedAt, Total: 5, Status: 503, ErrorClass: delivery.ErrStatus}
	d.Lease = &delivery.Lease{Attempt: "att_3", Trigger: "replay", Until: storedAt}
	d.Extra = &delivery.Extra{Trigger: delivery.TriggerManual, At: storedAt}
	d.NextAttemptAt, d.SweepAt, d.FinishedAt = storedAt, storedAt.Add(1), storedAt.Add(2)
	return d
}

// TestStoredItemsCanBeRead reads items as this version or an earlier one stored them. A changed attribute name or list
// of packed fields would lose the data of deployments.
func TestStoredItemsCanBeRead(t *testing.T) {
	cfg := local(t)
	now := func() time.Time { return storedAt }
	if *update {
		writeStored(t, cfg, open(t, cfg, now))
	}
	text, err := os.ReadFile(storedFile)
	must(t, err)
	var stored map[string][]json.RawMessage
	must(t, json.Unmarshal(text, &stored))
	s := open(t, cfg, now)
	client := dynamodb.NewFromConfig(cfg)
	for name, items := range stored {
		for _, one := range items {
			item, err := attributevalue.UnmarshalMapJSON(one)
			must(t, err)
			_, err = client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(newest() + name), Item: item})
			must(t, err)
		}
	}
	readStored(t, s)
}

// writeStored writes the file from the items that a store writes.
func writeStored(t *testing.T, cfg aws.Config, s *dynamo.Store) {
	ctx, set, hook, project, app, d := t.Context(), storedSettings, storedWebhook, storedProject, storedClient, storedDelivery()
	must(t, s.PutSettings(ctx, &set))
	must(t, s.PutWebhook(ctx, &hook))
	must(t, s.PutProject(ctx, &project))
	must(t, s.PutClient(ctx, &app, 0))
	must(t, s.PutKeyPair(ctx, storedPair, ""))
	_, _, _, err := s.PutEvent(ctx, storedEvent, []string{storedWebhook.ID})
	must(t, err)
	for _, a := range storedAttempts {
		d, _, err = s.PutDelivery(ctx, d, &a)
		must(t, err)
	}
	must(t, s.PutState(ctx, "key", []byte("value"), storedAt.AddDate(50, 0, 0)))
	_, err = s.Count(ctx, "key", 5, storedAt.AddDate(50, 0, 0))
	must(t, err)
	written := map[string][]json.RawMessage{}
	for _, table := range tables.All() {
		output, err := dynamodb.NewFromConfig(cfg).Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(newest() + table.Name)})
		must(t, err)
		for _, item := range output.Items {
			text, err := attributevalue.MarshalMapJSON(item)
			must(t, err)
			written[table.Name] = append(written[table.Name], text)
		}
	}
	text, err := json.MarshalIndent(written, "", " ")
	must(t, err)
	must(t, os.WriteFile(storedFile, append(text, '\n'), 0o644))
}

// readStored checks that s returns the values of the file.
func readStored(t *testing.T, s *dynamo.Store) {
	ctx, set, hook, plant, app, d := t.Context(), storedSettings, storedWebhook, storedProject, storedClient, storedDelivery()
	set.LockVersion, hook.LockVersion, plant.Version, app.LockVersion, d.Version = 1, 1, 1, 1, 2
	is(t, "the settings", set)(s.Settings(ctx))
	is(t, "the webhook", hook)(s.Webhook(ctx, hook.ID))
	var hooks []webhook.Webhook
	must(t, s.Webhooks(ctx, func(w webhook.Webhook) { hooks = append(hooks, w) }))
	is(t, "the webhooks", []webhook.Webhook{hook})(hooks, nil)
	is(t, "the project", []project.Project{plant})(s.ProjectsByID(ctx, plant.ID))
	is(t, "the client", app)(s.Client(ctx, app.ID))
	is(t, "the key pair", []keypair.Pair{storedPair})(s.KeyPairs(ctx, storedPair.Purpose))
	is(t, "the event", storedEvent)(s.Event(ctx, storedEvent.Key()))
	is(t, "the plan", []string{hook.ID})(s.Plan(ctx, storedEvent.Key(), 0, 10))
	is(t, "the delivery", d)(s.Delivery(ctx, d.Key))
	is(t, "the attempts", storedAttempts)(s.Attempts(ctx, d.Key))
	is(t, "the due deliveries", []delivery.Key{d.Key})(s.Due(ctx, storedAt.Add(time.Hour), 10))
	is(t, "the dead deliveries", store.Page{Deliveries: []delivery.Delivery{d}})(s.Deliveries(ctx, store.Query{Limit: 10}))
	is(t, "the changes", []store.Change{{Version: 1}, {Version: 2, Webhook: hook.ID}})(s.Changes(ctx, 0))
	is(t, "the value", []byte("value"))(s.State(ctx, "key"))
	is(t, "the counter", int64(5))(s.Count(ctx, "key", 0, storedAt))
	_, list, err := s.Clients(ctx)
	is(t, "the version of the list of clients", int64(1))(list, err)
	hook.ID, hook.LockVersion = "wh_01KDZ5TGZVNJ07BZTD6PZJ8BEY", 0
	if err := s.PutWebhook(ctx, &hook); err == nil {
		t.Error("another webhook got the name of the stored webhook")
	}
}

// is returns a function that checks the results of a read.
func is[T any](t *testing.T, what string, want T) func(T, error) {
	return func(got T, err error) {
		t.Helper()
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("%s: error %v, difference (-want +got):\n%s", what, err, diff)
		}
	}
}
