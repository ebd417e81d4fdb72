// Package store declares what the system asks of a store: interfaces with the promises that every implementation
// keeps, and the knowledge that all implementations share. Package storetest checks an implementation against it.
// Each package of the work declares an interface of its own with the methods that it calls.
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

// Store is everything that the system asks of a store. The following promises hold for all of its methods.
//
// Versions. A value carries the version under which it was read; a new value has version 0. A write succeeds only if
// that version is still the stored one. It raises the version by one, in the store and in the value. Otherwise the
// write returns a fault of kind UpdateConflict, writes nothing and leaves the value unchanged.
//
// Absence. Reading something that does not exist or has expired returns a fault of kind NotFound. So does changing
// something that has been deleted, and deleting it again.
//
// Failure. If the store cannot be reached, is full, or is throttled longer than its retries last, a method returns a
// fault of kind Unavailable with a RetryAfter. A write may then have happened or not. A versioned write may be
// repeated: if the stored value is exactly what the write would store, version included, the write has happened
// before, and the repetition succeeds without writing again.
//
// Values. A value is read as it was written. Times are equal as instants, to the nanosecond; their location may
// differ. An empty list or map may be read as nil, and nil as an empty one. Texts may hold any bytes: the answer of a
// receiver need not be UTF-8. Expiry is in whole seconds.
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

// Catalogue holds what matching and sending depend on. Every write raises the version of the catalogue by one and adds
// an entry to its change log, in the same transaction. If only the version of the catalogue is in conflict, the method
// tries again by itself, with jitter, for up to 5 s.
type Catalogue interface {
	// CatalogueVersion returns the version of the catalogue, 0 before the first change. The read is strongly consistent.
	CatalogueVersion(ctx context.Context) (int64, error)
	// Changes returns the changes after a version, in order and without a gap, up to the current version. At least
	// the last 1,000 changes are known. Changes returns ErrGap if some of the changes are no longer known, or if the
	// version is newer than the current one, as it is after the catalogue was restored from an older copy.
	Changes(ctx context.Context, after int64) ([]Change, error)

	// Settings returns the settings, or settings.Defaults if they were never changed.
	Settings(ctx context.Context) (settings.Settings, error)
	PutSettings(ctx context.Context, s *settings.Settings) error

	// Webhooks calls take for every webhook, one after another and in no particular order. It keeps none of them, so
	// the caller decides how much memory the list takes. take must not use the store.
	Webhooks(ctx context.Context, take func(webhook.Webhook)) error
	Webhook(ctx context.Context, id string) (webhook.Webhook, error)
	// PutWebhook creates a webhook whose LockVersion is 0 and changes any other. A name that another webhook has,
	// compared under full Unicode case folding, is a fault of kind PropertyConstraintViolation on the attribute
	// "name". This also holds when two webhooks are created at the same time.
	PutWebhook(ctx context.Context, w *webhook.Webhook) error
	// DeleteWebhook deletes a webhook if lockVersion is the stored version. A lockVersion of 0 matches any version.
	DeleteWebhook(ctx context.Context, id string, lockVersion int64) error
}

// Projects is the list of the projects that are known from events or were created through the API.
type Projects interface {
	// Projects returns every project, oldest first: by CreatedAt, then by id.
	Projects(ctx context.Context) ([]project.Project, error)
	// ProjectsByID returns the projects with the given ids, at most 1,000, in no particular order. It leaves out ids
	// that do not exist and returns a repeated id once.
	ProjectsByID(ctx context.Context, ids ...string) ([]project.Project, error)
	PutProject(ctx context.Context, p *project.Project) error
}

// Clients is the list of OAuth clients. The list has a version of its own. It lets a rule about all clients, such as
// "at least one client can administer", hold when two clients are changed at the same time.
type Clients interface {
	// Clients returns every client, oldest first (by CreatedAt, then by id), and the version of the list, which is 0
	// before the first change.
	Clients(ctx context.Context) ([]access.Client, int64, error)
	Client(ctx context.Context, id string) (access.Client, error)
	// PutClient creates or changes a client and raises the version of the list, if list is still that version.
	PutClient(ctx context.Context, c *access.Client, list int64) error
	DeleteClient(ctx context.Context, id string, list int64) error
}

// Events keeps events with their plans. The plan of an event is the list of the webhooks that it matched. An event and
// its plan expire at the event's ExpiresAt.
type Events interface {
	// PutEvent records an event with its plan, at most limits.MatchesMax ids of webhooks, and sets MatchCount. If an
	// event with the same source and id exists and has not expired, PutEvent writes nothing: created is false, and
	// PutEvent returns the stored event with its plan, even if its bytes differ.
	PutEvent(ctx context.Context, r record.Event, plan []string) (stored record.Event, storedPlan []string, created bool, err error)
	// Event reads an event without its plan.
	Event(ctx context.Context, key events.Key) (record.Event, error)
	// Plan reads up to limit entries of an event's plan, in plan order, beginning with entry offset; 0 is the first.
	// The result is empty if offset is past the end.
	Plan(ctx context.Context, key events.Key, offset, limit int) ([]string, error)
	// Planned reports whether webhookID is in the plan of an event. It reports false for an event that does not exist.
	Planned(ctx context.Context, key events.Key, webhookID string) (bool, error)
}

// Deliveries keeps the rows of deliveries and their attempts. A row and its attempts expire at the row's ExpiresAt.
type Deliveries interface {
	// Delivery reads a row.
	Delivery(ctx context.Context, key delivery.Key) (delivery.Delivery, error)
	// DeliveriesByKey reads the rows with the given keys, at most 1,000, and leaves out keys that do not exist.
	DeliveriesByKey(ctx context.Context, keys ...delivery.Key) (map[delivery.Key]delivery.Delivery, error)
	// PutDelivery stores a row if d.Version is the stored version; version 0 means that there is no row yet. With the
	// row it stores an attempt that ended, unless ended is nil. PutDelivery returns the row as it is now. If the
	// write succeeded, won is true and the row is d with its version raised. Otherwise won is false and the row is
	// what was stored by another writer, or the zero Delivery if it no longer exists; this is not an error. Repeating
	// a write that has succeeded succeeds again, unless another write followed it.
	PutDelivery(ctx context.Context, d delivery.Delivery, ended *delivery.Attempt) (now delivery.Delivery, won bool, err error)
	// Attempts returns the newest limits.AttemptsMax recorded attempts of a delivery, oldest first. The list is empty
	// if there are none.
	Attempts(ctx context.Context, key delivery.Key) ([]delivery.Attempt, error)
	// Deliveries returns a page of rows, newest first: by ReceivedMs, then by event key, then by webhook. The list of
	// a webhook without rows is empty. A Query that is Backward and has no From asks for the last page. A list of all
	// webhooks may be a second behind.
	Deliveries(ctx context.Context, q Query) (Page, error)
	// Due returns up to limit deliveries whose SweepAt is set and not after until. The earliest come first, as far as
	// the store knows. The list may be a second behind.
	Due(ctx context.Context, until time.Time, limit int) ([]delivery.Key, error)
}

// Held lists what is held for webhooks, and keeps the jobs that release it. A webhook that is paused has a job: PutWebhook
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

// State keeps data that may be lost: revocations, sessions and counters. The prefix of a key says what the key is for.
// A value or counter that has expired does not exist, even if the store still holds it.
type State interface {
	// PutState stores a value until expires. It replaces a value that exists.
	PutState(ctx context.Context, key string, value []byte, expires time.Time) error
	// AddState stores a value if the key does not exist. Otherwise it returns a fault of kind UpdateConflict.
	AddState(ctx context.Context, key string, value []byte, expires time.Time) error
	State(ctx context.Context, key string) ([]byte, error)
	// DropState removes a value. Removing a value that does not exist is not a fault.
	DropState(ctx context.Context, key string) error
	// Count adds by to a counter and returns the sum. If by is positive and the counter does not exist, Count creates
	// it with the value by; the counter then lives until expires, and later calls do not extend its life. If by is 0
	// or negative, Count does not create a counter and returns 0 when there is none. Count is exact when many callers
	// count at once, but a call that is repeated because its answer was lost may count twice. Counters and values
	// have separate keys.
	Count(ctx context.Context, key string, by int64, expires time.Time) (int64, error)
}
