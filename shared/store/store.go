// Package store defines the interfaces of a store and the promises that every implementation must keep. It also has the
// few functions that all implementations share. Package storetest checks an implementation. A package that uses a store
// declares its own interface with only the methods that it calls.
package store

import (
	"context"
	"time"

	"nepenthes/events"
	"nepenthes/shared/access"
	"nepenthes/shared/delivery"
	"nepenthes/shared/keypair"
	"nepenthes/shared/project"
	"nepenthes/shared/record"
	"nepenthes/shared/settings"
	"nepenthes/shared/webhook"
)

// Store has all methods of a store. The following promises hold for all of them.
//
// Versions. A value has the version at which it was read; a new value has version 0. A write succeeds only if the
// version is still the stored version. It adds 1 to the version in the store and in the value. Otherwise the write
// returns a fault of kind UpdateConflict, writes nothing and leaves the value unchanged.
//
// Absence. Reading something that does not exist or has expired returns a fault of kind NotFound. Changing or deleting
// something that has been deleted returns the same fault.
//
// Failure. If the store cannot be reached, is full, or is throttled longer than its retries last, a method returns a
// fault of kind Unavailable with a RetryAfter. It is then unknown whether a write has happened. A versioned write may
// be repeated: if it has happened before, and the stored value and version are exactly those of the write, the
// repetition succeeds without writing again.
//
// Values. A value is read as it was written. Times are equal to the nanosecond, but their location may differ. An empty
// list or map may be read as nil, and nil as an empty list or map. A text may contain any bytes, because the answer of
// a receiver need not be UTF-8. Expiry is in whole seconds.
type Store interface {
	Catalogue
	Projects
	Clients
	Events
	Deliveries
	Held
	State
	// KeyPairs returns the key pairs of a purpose, oldest first. The list is empty if there are none.
	KeyPairs(ctx context.Context, purpose string) ([]keypair.Pair, error)
	// PutKeyPair adds a key pair if the newest pair of its purpose has the id after. An empty after means that the
	// purpose has no pair yet. Otherwise PutKeyPair returns a fault of kind UpdateConflict.
	PutKeyPair(ctx context.Context, pair keypair.Pair, after string) error
}

// Catalogue stores the settings and the webhooks, on which matching and sending depend. Every write adds 1 to the
// version of the catalogue and an entry to its change log, in the same transaction. If only the version of the
// catalogue is in conflict, the method tries again by itself, with jitter, for up to 5 s.
type Catalogue interface {
	// CatalogueVersion returns the version of the catalogue, 0 before the first change. The read is strongly
	// consistent.
	CatalogueVersion(ctx context.Context) (int64, error)
	// Changes returns the changes after a version, in order and without a gap, up to the current version. At least
	// the last 1,000 changes are known. Changes returns ErrGap if some of the changes are no longer known, or if the
	// version is newer than the current one, as it is after the catalogue was restored from an older copy.
	Changes(ctx context.Context, after int64) ([]Change, error)

	// Settings returns the settings, or settings.Defaults if they were never changed.
	Settings(ctx context.Context) (settings.Settings, error)
	// PutSettings changes the settings.
	PutSettings(ctx context.Context, s *settings.Settings) error

	// Webhooks calls take for every webhook, one after another and in no particular order. It does not keep the
	// webhooks, so the caller decides how much memory they take. take must not use the store.
	Webhooks(ctx context.Context, take func(webhook.Webhook)) error
	// Webhook returns the webhook with the id.
	Webhook(ctx context.Context, id string) (webhook.Webhook, error)
	// PutWebhook creates a webhook if its LockVersion is 0, and otherwise changes it. If another webhook has the same
	// name under full Unicode case folding, PutWebhook returns a fault of kind PropertyConstraintViolation about the
	// attribute "name", even if both webhooks are created at the same time.
	PutWebhook(ctx context.Context, w *webhook.Webhook) error
	// DeleteWebhook deletes a webhook if lockVersion is the stored version. A lockVersion of 0 matches any version.
	DeleteWebhook(ctx context.Context, id string, lockVersion int64) error
}

// Projects stores the projects that are known from events or were created through the API.
type Projects interface {
	// Projects returns every project, oldest first: by CreatedAt, then by id.
	Projects(ctx context.Context) ([]project.Project, error)
	// ProjectsByID returns the projects with the given ids, at most 1,000, in no particular order. It leaves out ids
	// that do not exist and returns a repeated id once.
	ProjectsByID(ctx context.Context, ids ...string) ([]project.Project, error)
	// PutProject creates or changes a project.
	PutProject(ctx context.Context, p *project.Project) error
}

// Clients stores the list of OAuth clients. The list has its own version, so that a rule about all clients, such as "at
// least one client can administer", still holds when two clients are changed at the same time.
type Clients interface {
	// Clients returns every client, oldest first (by CreatedAt, then by id), and the version of the list, which is 0
	// before the first change.
	Clients(ctx context.Context) ([]access.Client, int64, error)
	// Client returns the client with the id.
	Client(ctx context.Context, id string) (access.Client, error)
	// PutClient creates or changes a client if list is still the version of the list, and adds 1 to that version.
	PutClient(ctx context.Context, c *access.Client, list int64) error
	// DeleteClient deletes a client if list is still the version of the list, and adds 1 to that version.
	DeleteClient(ctx context.Context, id string, list int64) error
}

// Events stores events with their plans. The plan of an event is the list of the webhooks that want it. An event and
// its plan expire at the event's ExpiresAt.
type Events interface {
	// PutEvent records an event with its plan, at most limits.MatchesMax ids of webhooks, and sets MatchCount. If an
	// event with the same source and id exists and has not expired, PutEvent writes nothing: created is false, and
	// PutEvent returns the stored event with its plan, even if its bytes differ.
	PutEvent(ctx context.Context, r record.Event, plan []string) (stored record.Event, storedPlan []string, created bool, err error)
	// Event returns an event without its plan.
	Event(ctx context.Context, key events.Key) (record.Event, error)
	// Plan returns up to limit entries of an event's plan, in order, from the entry at offset, which counts from 0. The
	// result is empty if offset is past the end.
	Plan(ctx context.Context, key events.Key, offset, limit int) ([]string, error)
	// Planned reports whether webhookID is in the plan of an event. It reports false for an event that does not exist.
	Planned(ctx context.Context, key events.Key, webhookID string) (bool, error)
}

// Deliveries stores the rows of deliveries and their attempts. A row and its attempts expire at the row's ExpiresAt.
type Deliveries interface {
	// Delivery returns the row with the key.
	Delivery(ctx context.Context, key delivery.Key) (delivery.Delivery, error)
	// DeliveriesByKey returns the rows with the given keys, at most 1,000, without the keys that do not exist.
	DeliveriesByKey(ctx context.Context, keys ...delivery.Key) (map[delivery.Key]delivery.Delivery, error)
	// PutDelivery stores a row if d.Version is the stored version; version 0 means that there is no row yet. If ended
	// is not nil, PutDelivery stores it as an attempt of the row. If the write succeeded, won is true and now is d with
	// the new version. If another writer was first, won is false, err is nil, and now is the row of that writer, or the
	// zero Delivery if the row no longer exists. A write that has succeeded may be repeated, and succeeds again unless
	// another write followed it.
	PutDelivery(ctx context.Context, d delivery.Delivery, ended *delivery.Attempt) (now delivery.Delivery, won bool, err error)
	// Attempts returns the newest limits.AttemptsMax recorded attempts of a delivery, oldest first. The list is empty
	// if there are none.
	Attempts(ctx context.Context, key delivery.Key) ([]delivery.Attempt, error)
	// Deliveries returns a page of rows, newest first: by ReceivedMs, then by event key, then by webhook. The list of
	// a webhook without rows is empty. A Query that is Backward and has no From asks for the last page. A list of all
	// webhooks may be a second behind.
	Deliveries(ctx context.Context, q Query) (Page, error)
	// Due returns up to limit deliveries whose SweepAt is set and not after until, in roughly the order of SweepAt. The
	// list may be a second behind.
	Due(ctx context.Context, until time.Time, limit int) ([]delivery.Key, error)
}

// Held lists what is held for webhooks, and stores the jobs that release it. A webhook that is paused has a job: PutWebhook
// stores the job in the same transaction, in place of an earlier job; see [NewReleaseJob]. DeleteWebhook keeps the job.
type Held interface {
	// Held returns deliveries that are held for a webhook, oldest first. It looks at up to limit places after the given
	// one, or from the first if after is the zero Key, and returns the last place, or the zero Key if no place is left.
	// The list may be a second behind: a delivery may be missing, but those in the list are held.
	Held(ctx context.Context, webhookID string, after delivery.Key, limit int) (held []delivery.Delivery, last delivery.Key, err error)
	// CountHeld returns how many deliveries are held for a webhook, at most limit. The count may be a second behind, and
	// may include deliveries that have expired.
	CountHeld(ctx context.Context, webhookID string, limit int) (int, error)
	// ReleaseJobs returns all jobs, in no particular order.
	ReleaseJobs(ctx context.Context) ([]delivery.ReleaseJob, error)
	// PutReleaseJob changes a job that exists.
	PutReleaseJob(ctx context.Context, j *delivery.ReleaseJob) error
	// DeleteReleaseJob deletes a job if version is the stored version.
	DeleteReleaseJob(ctx context.Context, webhookID string, version int64) error
}

// State stores data that may be lost: revocations, sessions and counters. The prefix of a key says what the key is for.
// A value or counter that has expired does not exist, even if it is still in the table.
type State interface {
	// PutState stores a value until expires, in place of any other value of the key.
	PutState(ctx context.Context, key string, value []byte, expires time.Time) error
	// AddState stores a value if the key does not exist. Otherwise it returns a fault of kind UpdateConflict.
	AddState(ctx context.Context, key string, value []byte, expires time.Time) error
	// State returns the value of a key.
	State(ctx context.Context, key string) ([]byte, error)
	// DropState removes a value. It does nothing if the value does not exist.
	DropState(ctx context.Context, key string) error
	// Count adds by to a counter and returns the sum. If the counter does not exist and by is positive, Count creates
	// the counter, which exists until expires; later calls do not extend its life. If the counter does not exist and by
	// is 0 or negative, Count returns 0 and creates nothing. Count is exact when many callers count at the same time,
	// but a call that is repeated because its answer was lost may count twice. Counters and values have separate keys.
	Count(ctx context.Context, key string, by int64, expires time.Time) (int64, error)
}
