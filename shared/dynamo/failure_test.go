package dynamo_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"nepenthes/shared/access"
	"nepenthes/shared/delivery"
	"nepenthes/shared/dynamo"
	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/keypair"
	"nepenthes/shared/limits"
	"nepenthes/shared/project"
	"nepenthes/shared/settings"
	"nepenthes/shared/store"
	"nepenthes/shared/tables"
	"nepenthes/shared/webhook"
)

// operation is a write of its own value. prepare stores what the write needs. write can be called again with the same
// values, as a caller does after a lost response. check returns an error if the store is not as the write should leave
// it.
type operation struct {
	name    string
	prepare func(t *testing.T, s *dynamo.Store) (write func(context.Context) error, check func(context.Context) error)
}

var operations = []operation{
	{"settings", func(t *testing.T, s *dynamo.Store) (func(context.Context) error, func(context.Context) error) {
		was, err := s.Settings(t.Context())
		must(t, err)
		return func(ctx context.Context) error {
				next := was
				next.MaxPageSize = 77
				return versionIs(s.PutSettings(ctx, &next), next.LockVersion, was.LockVersion+1)
			}, func(ctx context.Context) error {
				now, err := s.Settings(ctx)
				return versionIs(err, now.LockVersion, was.LockVersion+1)
			}
	}},
	{"a new webhook", func(t *testing.T, s *dynamo.Store) (func(context.Context) error, func(context.Context) error) {
		w := newWebhook()
		before := catalogueVersion(t, s)
		return func(ctx context.Context) error {
				next := w
				return versionIs(s.PutWebhook(ctx, &next), next.LockVersion, 1)
			}, func(ctx context.Context) error {
				now, err := s.CatalogueVersion(ctx)
				return versionIs(err, now, before+1)
			}
	}},
	{"a renamed webhook", func(t *testing.T, s *dynamo.Store) (func(context.Context) error, func(context.Context) error) {
		w := newWebhook()
		must(t, s.PutWebhook(t.Context(), &w))
		before, old := catalogueVersion(t, s), w.Name
		return func(ctx context.Context) error {
				next := w
				next.Name += " two"
				return versionIs(s.PutWebhook(ctx, &next), next.LockVersion, 2)
			}, func(ctx context.Context) error {
				now, err := s.CatalogueVersion(ctx)
				if err := versionIs(err, now, before+1); err != nil {
					return err
				}
				other := newWebhook()
				other.Name = old
				return s.PutWebhook(ctx, &other) // fails unless the old name is free
			}
	}},
	{"a paused webhook", func(t *testing.T, s *dynamo.Store) (func(context.Context) error, func(context.Context) error) {
		w := newWebhook()
		must(t, s.PutWebhook(t.Context(), &w))
		paused := w
		paused.Pause(time.Now())
		return func(ctx context.Context) error {
			next := paused
			return versionIs(s.PutWebhook(ctx, &next), next.LockVersion, 2)
		}, jobIs(s, store.NewReleaseJob(&webhook.Webhook{ID: w.ID, LockVersion: 2}))
	}},
	{"a release job", func(t *testing.T, s *dynamo.Store) (func(context.Context) error, func(context.Context) error) {
		w := newWebhook()
		w.Pause(time.Now())
		must(t, s.PutWebhook(t.Context(), &w))
		job := store.NewReleaseJob(&w)
		next := job
		next.Version++
		return func(ctx context.Context) error {
			again := job
			return versionIs(s.PutReleaseJob(ctx, &again), again.Version, next.Version)
		}, jobIs(s, next)
	}},
	{"a project", func(t *testing.T, s *dynamo.Store) (func(context.Context) error, func(context.Context) error) {
		p := project.Project{ID: id.New(id.Event, time.Now()), Name: "Plant", CreatedAt: time.Now()}
		must(t, s.PutProject(t.Context(), &p))
		return func(ctx context.Context) error {
				next := p
				next.Name = "Works"
				return versionIs(s.PutProject(ctx, &next), next.Version, 2)
			}, func(ctx context.Context) error {
				now, err := s.ProjectsByID(ctx, p.ID)
				if err != nil || len(now) != 1 {
					return fmt.Errorf("%d projects: %w", len(now), err)
				}
				return versionIs(nil, now[0].Version, 2)
			}
	}},
	{"a client", func(t *testing.T, s *dynamo.Store) (func(context.Context) error, func(context.Context) error) {
		_, list, err := s.Clients(t.Context())
		must(t, err)
		c := access.Client{ID: id.New(id.Client, time.Now()), Name: "billing", Scopes: access.AdministratorScopes()}
		return func(ctx context.Context) error {
				next := c
				return versionIs(s.PutClient(ctx, &next, list), next.LockVersion, 1)
			}, func(ctx context.Context) error {
				_, now, err := s.Clients(ctx)
				return versionIs(err, now, list+1)
			}
	}},
	{"a key pair", func(t *testing.T, s *dynamo.Store) (func(context.Context) error, func(context.Context) error) {
		purpose := id.New("purpose_", time.Now())
		return func(ctx context.Context) error {
				return s.PutKeyPair(ctx, keypair.Pair{ID: "key_1", Purpose: purpose, PublicKey: []byte("public")}, "")
			}, func(ctx context.Context) error {
				pairs, err := s.KeyPairs(ctx, purpose)
				return versionIs(err, int64(len(pairs)), 1)
			}
	}},
	{"an event", eventOperation(1)},
	{"an event with a long plan", eventOperation(1100)},
	{"a first claim", func(t *testing.T, s *dynamo.Store) (func(context.Context) error, func(context.Context) error) {
		e := event(t, 1200)
		return deliveryOperation(s, e.Delivery(webhookIDs(1)[0]), nil)
	}},
	{"an outcome", outcomeOperation(300)},
	{"an outcome with a long response", outcomeOperation(limits.AnswerStored)},
	{"a value", func(t *testing.T, s *dynamo.Store) (func(context.Context) error, func(context.Context) error) {
		key := id.New("put_", time.Now())
		return func(ctx context.Context) error {
			return s.PutState(ctx, key, []byte("value"), time.Now().Add(time.Hour))
		}, stateIs(s, key)
	}},
}

// jobIs returns a check that a job is stored.
func jobIs(s *dynamo.Store, want delivery.ReleaseJob) func(context.Context) error {
	return func(ctx context.Context) error {
		jobs, err := s.ReleaseJobs(ctx)
		for _, j := range jobs {
			if j.Webhook == want.Webhook {
				return versionIs(err, j.Version, want.Version)
			}
		}
		return fmt.Errorf("there is no job: %w", err)
	}
}

// added is a write that its caller cannot repeat. The SDK's own repetition must not conflict with the first request.
var added = operation{"an added value", func(t *testing.T, s *dynamo.Store) (func(context.Context) error, func(context.Context) error) {
	key := id.New("add_", time.Now())
	return func(ctx context.Context) error {
		return s.AddState(ctx, key, []byte("value"), time.Now().Add(time.Hour))
	}, stateIs(s, key)
}}

func stateIs(s *dynamo.Store, key string) func(context.Context) error {
	return func(ctx context.Context) error {
		value, err := s.State(ctx, key)
		if err == nil && string(value) != "value" {
			err = fmt.Errorf("got %q", value)
		}
		return err
	}
}

func eventOperation(matches int) func(*testing.T, *dynamo.Store) (func(context.Context) error, func(context.Context) error) {
	return func(t *testing.T, s *dynamo.Store) (func(context.Context) error, func(context.Context) error) {
		e, plan := event(t, 1200), webhookIDs(matches)
		return func(ctx context.Context) error {
				stored, storedPlan, _, err := s.PutEvent(ctx, e, plan)
				if err == nil && (stored.Digest() != e.Digest() || !slices.Equal(storedPlan, plan)) {
					err = fmt.Errorf("got %+v and a plan with %d webhooks", stored, len(storedPlan))
				}
				return err
			}, func(ctx context.Context) error {
				got, err := s.Plan(ctx, e.Key(), 0, limits.MatchesMax)
				if err == nil && !slices.Equal(got, plan) {
					err = fmt.Errorf("got a plan with %d webhooks, want %d", len(got), len(plan))
				}
				return err
			}
	}
}

func outcomeOperation(size int) func(*testing.T, *dynamo.Store) (func(context.Context) error, func(context.Context) error) {
	return func(t *testing.T, s *dynamo.Store) (func(context.Context) error, func(context.Context) error) {
		e := event(t, 1200)
		d := e.Delivery(webhookIDs(1)[0])
		a := attempt(1, &delivery.Response{Status: 503, Body: []byte(noise(size))})
		must(t, d.Claim(a.ID, delivery.TriggerSchedule, e.ReceivedAt))
		d, won, err := s.PutDelivery(t.Context(), d, nil)
		must(t, err)
		if !won {
			t.Fatal("the claim lost")
		}
		must(t, d.Record(a, delivery.Rules{Schedule: webhook.ScheduleStandard}, e.ReceivedAt))
		return deliveryOperation(s, d, a)
	}
}

func deliveryOperation(s *dynamo.Store, d delivery.Delivery, ended *delivery.Attempt) (func(context.Context) error, func(context.Context) error) {
	want := 0
	if ended != nil {
		want = 1
	}
	return func(ctx context.Context) error {
			now, won, err := s.PutDelivery(ctx, d, ended)
			if err == nil && !won {
				err = fmt.Errorf("lost to %+v", now)
			}
			return versionIs(err, now.Version, d.Version+1)
		}, func(ctx context.Context) error {
			attempts, err := s.Attempts(ctx, d.Key)
			if err == nil && len(attempts) != want {
				err = fmt.Errorf("got %d attempts, want %d", len(attempts), want)
			}
			return err
		}
}

// noise returns text that can hardly be compressed.
func noise(size int) string {
	var b strings.Builder
	for b.Len() < size {
		b.WriteString(rand.Text())
	}
	return b.String()[:size]
}

func newWebhook() webhook.Webhook {
	hook := id.New(id.Webhook, time.Now())
	return webhook.Webhook{ID: hook, Name: hook, Enabled: true, Headers: []webhook.Header{{Name: "X-Team", Sealed: []byte{1}}}}
}

func catalogueVersion(t *testing.T, s *dynamo.Store) int64 {
	t.Helper()
	version, err := s.CatalogueVersion(t.Context())
	must(t, err)
	return version
}

func versionIs(err error, got, want int64) error {
	if err == nil && got != want {
		err = fmt.Errorf("got version %d, want %d", got, want)
	}
	return err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestEveryRequestMayFailOnce has each request of each operation fail in each way, one at a time. The operation
// succeeds and has happened once.
func TestEveryRequestMayFailOnce(t *testing.T) {
	cfg, wire := through(local(t))
	s := open(t, cfg, time.Now)
	for _, op := range append(operations, added) {
		t.Run(op.name, func(t *testing.T) {
			write, check := op.prepare(t, s)
			wire.begin(nil)
			must(t, write(t.Context()))
			requests := wire.count()
			must(t, check(t.Context()))
			for kind, fail := range map[string]failure{"lost": lost, "reset": reset, "throttled": throttled, "broken": broken} {
				for at := range requests {
					write, check := op.prepare(t, s)
					wire.begin(func(number int, _ string) failure {
						if number == at {
							return fail
						}
						return nil
					})
					if err := write(t.Context()); err != nil {
						t.Errorf("request %d of %d %s: got %v, want success", at, requests, kind, err)
					}
					wire.begin(nil)
					if err := check(t.Context()); err != nil {
						t.Errorf("request %d of %d %s, then: %v", at, requests, kind, err)
					}
				}
			}
		})
	}
}

// TestACallerMayRepeatAWrite loses the response to each request of each operation for good. The caller gets Unavailable
// and repeats the same write, which succeeds and has happened once.
func TestACallerMayRepeatAWrite(t *testing.T) {
	cfg := local(t)
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	cfg, wire := through(cfg)
	s := open(t, cfg, time.Now)
	for _, op := range operations {
		t.Run(op.name, func(t *testing.T) {
			write, check := op.prepare(t, s)
			for at := 0; ; at++ {
				wire.begin(func(number int, _ string) failure {
					if number == at {
						return lost
					}
					return nil
				})
				err := write(t.Context())
				if err == nil && wire.count() <= at { // the write has no request with this number
					break
				}
				isUnavailable(t, err)
			}
			wire.begin(nil)
			must(t, write(t.Context()))
			must(t, check(t.Context()))
		})
	}
}

func isUnavailable(t *testing.T, err error) {
	t.Helper()
	if !fault.Is(err, fault.Unavailable) || fault.From(err).RetryAfter <= 0 {
		t.Errorf("got %v, want an Unavailable fault with a RetryAfter", err)
	}
}

// TestLastingFailuresAreUnavailable has every request fail, including reads.
func TestLastingFailuresAreUnavailable(t *testing.T) {
	cfg := local(t)
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	cfg, wire := through(cfg)
	s := open(t, cfg, time.Now)
	calls := map[string]func(context.Context) error{
		"the version":    func(ctx context.Context) error { _, err := s.CatalogueVersion(ctx); return err },
		"changes":        func(ctx context.Context) error { _, err := s.Changes(ctx, 0); return err },
		"the settings":   func(ctx context.Context) error { _, err := s.Settings(ctx); return err },
		"webhooks":       func(ctx context.Context) error { return s.Webhooks(ctx, func(webhook.Webhook) {}) },
		"projects by id": func(ctx context.Context) error { _, err := s.ProjectsByID(ctx, "7"); return err },
		"clients":        func(ctx context.Context) error { _, _, err := s.Clients(ctx); return err },
		"an event":       func(ctx context.Context) error { _, err := s.Event(ctx, [12]byte{}); return err },
		"deliveries":     func(ctx context.Context) error { _, err := s.Deliveries(ctx, store.Query{Limit: 1}); return err },
		"due deliveries": func(ctx context.Context) error { _, err := s.Due(ctx, time.Now(), 1); return err },
		"a value":        func(ctx context.Context) error { _, err := s.State(ctx, "key"); return err },
		"a counter": func(ctx context.Context) error {
			_, err := s.Count(ctx, "key", 1, time.Now().Add(time.Hour))
			return err
		},
		"a value to drop":     func(ctx context.Context) error { return s.DropState(ctx, "key") },
		"a webhook to delete": func(ctx context.Context) error { return s.DeleteWebhook(ctx, webhookIDs(1)[0], 0) },
	}
	for _, op := range append(operations, added) {
		calls[op.name+" to store"], _ = op.prepare(t, s)
	}
	for kind, fail := range map[string]failure{"reset": reset, "throttled": throttled, "broken": broken} {
		wire.begin(func(int, string) failure { return fail })
		for name, call := range calls {
			t.Run(kind+"/"+name, func(t *testing.T) { isUnavailable(t, call(t.Context())) })
		}
	}
	wire.begin(nil)
	for name, call := range calls {
		t.Run("no time left/"+name, func(t *testing.T) {
			ctx, cancel := context.WithDeadline(t.Context(), time.Now())
			defer cancel()
			isUnavailable(t, call(ctx))
		})
	}
}

// TestTransactionsAreRetriedAfterConflicts has each transaction conflict with others three times.
func TestTransactionsAreRetriedAfterConflicts(t *testing.T) {
	cfg, wire := through(local(t))
	s := open(t, cfg, time.Now)
	for _, op := range operations {
		t.Run(op.name, func(t *testing.T) {
			write, check := op.prepare(t, s)
			conflicts := 0
			wire.begin(func(_ int, operation string) failure {
				if strings.HasPrefix(operation, "Transact") && conflicts < 3 {
					conflicts++
					return conflicting
				}
				return nil
			})
			must(t, write(t.Context()))
			conflicts = 0
			must(t, check(t.Context()))
			wire.begin(nil)
		})
	}
}

// TestLastingConflictsAreUnavailable has a transaction conflict with others for ever, in virtual time.
func TestLastingConflictsAreUnavailable(t *testing.T) {
	for name, call := range map[string]func(context.Context, *dynamo.Store) error{
		"webhook": func(ctx context.Context, s *dynamo.Store) error { w := newWebhook(); return s.PutWebhook(ctx, &w) },
		"settings": func(ctx context.Context, s *dynamo.Store) error {
			set := settings.Defaults()
			return s.PutSettings(ctx, &set)
		},
		"client": func(ctx context.Context, s *dynamo.Store) error { return s.DeleteClient(ctx, "app_1", 0) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := dynamo.New(dynamo.Config{Tables: tables.Prefixed("none-"), AWS: aws.Config{
					Region: "us-east-1", BaseEndpoint: aws.String("http://none"),
					Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
					HTTPClient: client(func(request *http.Request) (*http.Response, error) {
						if strings.HasSuffix(request.Header.Get("X-Amz-Target"), "GetItem") {
							return answer(http.StatusOK, `{}`), nil
						}
						return conflicting(nil, request)
					}),
				}})
				begin := time.Now()
				isUnavailable(t, call(t.Context(), s))
				if took := time.Since(begin); took < 5*time.Second || took > 6*time.Second {
					t.Errorf("gave up after %v, want about 5 s", took)
				}
			})
		})
	}
}

type client func(*http.Request) (*http.Response, error)

func (c client) Do(request *http.Request) (*http.Response, error) { return c(request) }

// TestUnprocessedKeysAreRequestedAgain has every batch read only its first key.
func TestUnprocessedKeysAreRequestedAgain(t *testing.T) {
	cfg, wire := through(local(t))
	s := open(t, cfg, time.Now)
	e := event(t, 1200)
	var keys []delivery.Key
	for _, hook := range webhookIDs(5) {
		d, won, err := s.PutDelivery(t.Context(), e.Delivery(hook), nil)
		must(t, err)
		if !won {
			t.Fatal("the write lost")
		}
		keys = append(keys, d.Key)
	}
	wire.begin(func(_ int, operation string) failure {
		if strings.HasPrefix(operation, "Batch") {
			return partial
		}
		return nil
	})
	found, err := s.DeliveriesByKey(t.Context(), keys...)
	must(t, err)
	if len(found) != len(keys) {
		t.Errorf("got %d deliveries, want %d", len(found), len(keys))
	}
}
