package storetest

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"reflect"
	"testing"
	"time"

	"nepenthes/events"
	"nepenthes/shared/access"
	"nepenthes/shared/delivery"
	"nepenthes/shared/id"
	"nepenthes/shared/keypair"
	"nepenthes/shared/project"
	"nepenthes/shared/record"
	"nepenthes/shared/settings"
	"nepenthes/shared/signing"
	"nepenthes/shared/webhook"
)

// anyBytes contains bytes that encodings of text may change: NUL, part of a character, and invalid UTF-8.
const anyBytes = "\x00\r\n\xc3é\xff\ufffd\u2028\U0001F40D\"\\<&>'"

// The functions below return values in which no member has its zero value, so that the tests notice a store that loses
// a member. See checkFilled.

func fullSettings() settings.Settings {
	return settings.Settings{
		APIEnabled: true, MaxPageSize: 77, DocsEnabled: true, CORSEnabled: true,
		AllowedOrigins: []string{"https://a.example", "https://b.example:8443"},
		LockVersion:    1, UpdatedAt: epoch,
	}
}

func fullWebhook(name string) webhook.Webhook {
	return webhook.Webhook{
		ID: newID(id.Webhook), Name: name, PayloadURL: "https://billing.example.com/hooks?a=1&b=<2>",
		Description: "Übersicht\n\"quoted\" \u2028 \x00 end", Enabled: true, DisabledReason: webhook.Gone,
		Paused: true, Release: webhook.Release{Drop: true, PerSecond: 77},
		Subscription: webhook.Subscription{
			Events:   []string{"time_entry:created", "project:*"},
			Projects: webhook.Projects{All: true, IDs: []string{"7", "x_-9"}},
		},
		PayloadFormat: webhook.FormatCloudEvents, LegacySignature: true,
		Headers: []webhook.Header{{Name: "X-Team", Sealed: []byte(anyBytes)}, {Name: "x-second", Sealed: []byte{0}}},
		Timeout: 15*time.Second + time.Nanosecond, RetrySchedule: webhook.ScheduleShort,
		Secrets: []webhook.Secret{{
			ID: newID(id.Secret), Kind: signing.Ed25519, PublicKey: "whpk_AAAA", Sealed: []byte(anyBytes),
			CreatedAt: epoch, ExpiresAt: epoch.Add(time.Hour),
		}},
		StatusSince: epoch.Add(1), LockVersion: 1, CreatedAt: epoch.Add(2), UpdatedAt: epoch.Add(3),
	}
}

func fullProject(projectID string) project.Project {
	return project.Project{
		ID: projectID, Identifier: "plant", Name: "Plant «\u2028»", Gone: true,
		NewsAt: epoch.In(time.FixedZone("", 5*3600+1800)), CreatedAt: epoch.Add(1), Version: 1,
	}
}

func fullClient(name string) access.Client {
	return access.Client{
		ID: newID(id.Client), Name: name, Scopes: []access.Scope{access.EventsRead, access.ClientsWrite},
		Secrets: []access.Secret{{
			ID: newID(id.Secret), Hash: sha256.Sum256([]byte(name)), CreatedAt: epoch, ExpiresAt: epoch.Add(time.Hour),
		}},
		Revocations: 3, LockVersion: 1, CreatedAt: epoch.Add(1), UpdatedAt: epoch.Add(2),
	}
}

func fullKeyPair(purpose, keyID string) keypair.Pair {
	return keypair.Pair{
		ID: keyID, Purpose: purpose, PublicKey: []byte(anyBytes), Wrapped: []byte(keyID + anyBytes),
		CreatedAt: received,
	}
}

func fullEvent(eventID string) record.Event {
	return record.Event{
		Event: events.Event{
			ID: eventID, Source: "urn:example:plant", Type: "work_package:updated",
			OccurredAt: "2026-01-02T12:30:00.000000001+01:30",
			Project:    &events.Project{ID: "7", Identifier: "plant", Name: "Plant <\u2028>"},
			Actor:      &events.Actor{ID: "3", Name: "Ada \"Ä\""},
			Data:       []byte(`{"id":9007199254740993}`),
		},
		ReceivedAt: received, ExpiresAt: received.AddDate(0, 0, 30), Trigger: delivery.TriggerPing,
		TraceID: "0af7651916cd43dd8448eb211c80319c", MatchCount: 1,
	}
}

// smallEvent returns an event with only the required members.
func smallEvent(eventID string) record.Event {
	return record.Event{
		Event: events.Event{
			ID: eventID, Source: events.DefaultSource, Type: "user:created", OccurredAt: "2026-01-02T11:00:00Z",
			Data: []byte(`0`),
		},
		ReceivedAt: received, ExpiresAt: received.AddDate(0, 0, 30), Trigger: delivery.TriggerSchedule,
	}
}

// newDelivery returns a delivery of an event to a webhook before its first attempt.
func newDelivery(webhookID, eventID string) delivery.Delivery {
	e := smallEvent(eventID)
	return e.Delivery(webhookID)
}

// fullDelivery returns a delivery in which every member is set. The rules never produce such a delivery.
func fullDelivery() delivery.Delivery {
	e := fullEvent("evt_full")
	d := e.Delivery(newID(id.Webhook))
	d.State, d.Reason = delivery.Dead, delivery.Exhausted
	d.AttemptCount, d.Scheduled, d.Rings = 4, 3, 2
	d.Last = &delivery.Summary{
		Number: 4, Outcome: delivery.OutcomeFailed, StartedAt: epoch.Add(1), Total: 1234567 * time.Nanosecond,
		Status: 503, ErrorClass: delivery.ErrStatus,
	}
	d.NextAttemptAt = epoch.Add(2)
	d.Lease = &delivery.Lease{Attempt: newID(id.Attempt), Trigger: delivery.TriggerPing, Until: epoch.Add(3)}
	d.Extra = &delivery.Extra{Trigger: delivery.TriggerManual, At: epoch.Add(4)}
	d.SweepAt, d.FinishedAt = epoch.Add(5), epoch.Add(6)
	d.Version = 1
	return d
}

func fullAttempt(number int) *delivery.Attempt {
	return &delivery.Attempt{
		ID: newID(id.Attempt), Number: number, Trigger: delivery.TriggerManual, Outcome: delivery.OutcomeFailed,
		StartedAt: epoch.Add(time.Duration(number)), URL: "https://billing.example.com/hooks?" + anyBytes,
		Format: webhook.FormatStandard, Signed: true, Legacy: true, HeaderNames: []string{"X-Team", "x-second"},
		Timing: delivery.Timing{DNS: 1, Connect: 2, TLS: 3, FirstByte: 4, Total: 15 * time.Second},
		Response: &delivery.Response{
			Status: 503,
			Headers: http.Header{
				"Content-Type": {"text/plain"}, "Set-Cookie": {"a=1", "b=2", ""}, "X-Bytes": {anyBytes},
				"x-lower\xff": {"spelt as it came"},
			},
			Body: []byte(anyBytes), Truncated: true,
		},
		ErrorClass: delivery.ErrReset, ErrorMessage: "the answer ended early " + anyBytes,
	}
}

// shortAttempt returns an attempt that failed before its first phase and has no answer.
func shortAttempt(number int) *delivery.Attempt {
	return &delivery.Attempt{
		ID: newID(id.Attempt), Number: number, Trigger: delivery.TriggerSchedule, Outcome: delivery.OutcomeFailed,
		StartedAt: epoch, URL: "https://billing.example.com/", Format: webhook.FormatNepenthes,
		Timing: delivery.Timing{
			DNS: delivery.NoPhase, Connect: delivery.NoPhase, TLS: delivery.NoPhase, FirstByte: delivery.NoPhase,
		},
		ErrorClass: delivery.ErrDNS,
	}
}

// checkFilled checks that no member of a sample has its zero value, because the tests would not notice that a store
// loses such a member.
func checkFilled(t testing.TB, sample any) {
	t.Helper()
	eachZero(reflect.ValueOf(sample), fmt.Sprintf("%T", sample), func(path string) {
		t.Errorf("the sample has the zero value in %s", path)
	})
}

// eachZero calls report with the path of every member of v that has its zero value.
func eachZero(v reflect.Value, path string, report func(path string)) {
	if v.IsZero() {
		report(path)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		eachZero(v.Elem(), path, report)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Struct {
			eachZero(v.Index(0), path+"[0]", report)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				eachZero(v.Field(i), path+"."+v.Type().Field(i).Name, report)
			}
		}
	}
}
