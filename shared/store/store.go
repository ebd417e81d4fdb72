// Package store holds what the system asks of a store: its interfaces, with the promises that each implementation
// keeps, and what all implementations must know alike. Package storetest holds an implementation to it. Each package
// of the work declares the part that it needs.
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

// Store is all that the system asks of a store.
//
// Versions: a value carries the version under which it was read, 0 when it is new. A write happens only if that
// is still the stored version; it raises it by one, in the value too. Otherwise it is a fault of kind
// UpdateConflict, nothing is written and the value is as it was. What does not exist, or has expired, is a fault
// of kind NotFound; so is a change of what has been deleted meanwhile.
//
// When the store cannot be reached, is throttled beyond its retries or is full, it is a fault of kind Unavailable
// with a RetryAfter, and a write may or may not have happened. A versioned write repeated after a lost answer
// succeeds: when what is stored is already what the write would make of it, version included, it has happened,
// and nothing is written again. Deleting again is NotFound.
//
// Values: what is read equals what was written. Times are the same instants, to the nanosecond, in whatever
// location; an empty list or map may come back as nil and the other way round. Texts are any bytes: what a
// receiver answers need not be UTF-8. Expiry counts in whole seconds.
type Store interface {
	Catalogue
	Projects
	Clients
	Events
	Deliveries
	State
	// KeyPairs lists the pairs of a purpose, oldest first; none is an empty list.
	KeyPairs(ctx context.Context, purpose string) ([]keypair.Pair, error)
	// PutKeyPair adds a pair if the newest of its purpose has the id after ("" for none yet); UpdateConflict otherwise.
	PutKeyPair(ctx context.Context, pair keypair.Pair, after string) error
}

// Catalogue is what matching and sending depend on. Every write here raises the catalogue version by one and logs
// what changed, in the same transaction; a conflict on the version alone is retried inside (up to 5 s, jittered).
type Catalogue interface {
	// CatalogueVersion is strongly consistent; 0 before the first change.
	CatalogueVersion(ctx context.Context) (int64, error)
	// Changes lists the changes after a version, in order and without a hole up to the current one;
	// ErrGap when some are no longer known, or when there is no such version yet (the catalogue was
	// restored from an older copy). At least the last 1,000 are known.
	Changes(ctx context.Context, after int64) ([]Change, error)

	// Settings gives settings.Defaults when nobody has changed any.
	Settings(ctx context.Context) (settings.Settings, error)
	PutSettings(ctx context.Context, s *settings.Settings) error

	// Webhooks calls take with every webhook, in no particular order and never twice at a time. It keeps none of them,
	// so that a list needs no more room than whoever takes it wants to spend. take must not use the store.
	Webhooks(ctx context.Context, take func(webhook.Webhook)) error
	Webhook(ctx context.Context, id string) (webhook.Webhook, error)
	// PutWebhook makes (LockVersion 0) or changes a webhook. A name that another has, compared under full Unicode
	// case folding, is a fault of kind PropertyConstraintViolation on attribute "name", also when two are made at once.
	PutWebhook(ctx context.Context, w *webhook.Webhook) error
	// DeleteWebhook deletes it if lockVersion is the stored one, or whatever the version when lockVersion is 0.
	DeleteWebhook(ctx context.Context, id string, lockVersion int64) error
}

// Projects is the list of projects that events have told of.
type Projects interface {
	// Projects lists every project, oldest first (CreatedAt, then id).
	Projects(ctx context.Context) ([]project.Project, error)
	// ProjectsByID gives those of the ids that exist, each once, in no particular order; at most 1,000 ids.
	ProjectsByID(ctx context.Context, ids ...string) ([]project.Project, error)
	PutProject(ctx context.Context, p *project.Project) error
}

// Clients is the list of applications. It has a version of its own, so that a rule about all of them ("one must
// be able to administer") holds when two are changed at once.
type Clients interface {
	// Clients lists every client, oldest first (CreatedAt, then id), and the version of the list, 0 while it has never changed.
	Clients(ctx context.Context) ([]access.Client, int64, error)
	Client(ctx context.Context, id string) (access.Client, error)
	// PutClient makes or changes a client if list is still the version of the list, and raises that.
	PutClient(ctx context.Context, c *access.Client, list int64) error
	DeleteClient(ctx context.Context, id string, list int64) error
}

// Events keeps events with their plans until they expire (Recorded.ExpiresAt).
type Events interface {
	// PutEvent records an event with its plan, the ids of the webhooks that it matched (at most
	// limits.MatchesMax), and sets MatchCount. When an event of that source and id is there already (not expired)
	// nothing is written: created is false, and what is stored is returned with its plan, whatever its bytes.
	PutEvent(ctx context.Context, r record.Event, plan []string) (stored record.Event, storedPlan []string, created bool, err error)
	// Event reads an event without its plan.
	Event(ctx context.Context, key events.Key) (record.Event, error)
	// Plan reads up to limit entries of an event's plan from offset (0 is the first), in plan order; none when
	// offset is past the end.
	Plan(ctx context.Context, key events.Key, offset, limit int) ([]string, error)
	// Planned reports whether webhookID is in the event's plan; false also for an unknown event.
	Planned(ctx context.Context, key events.Key, webhookID string) (bool, error)
}

// Deliveries keeps the rows of deliveries and their attempts until the row expires (Delivery.ExpiresAt).
type Deliveries interface {
	// Delivery reads a row.
	Delivery(ctx context.Context, key delivery.Key) (delivery.Delivery, error)
	// DeliveriesByKey reads those rows that exist; at most 1,000 keys.
	DeliveriesByKey(ctx context.Context, keys ...delivery.Key) (map[delivery.Key]delivery.Delivery, error)
	// PutDelivery stores d, with an attempt that ended (nil: none), on condition that d.Version is the stored
	// version (0: no row). It returns the row as it stands now: d with its version raised when won, else what
	// somebody else stored (the zero Delivery when it is gone). Losing is no error. The same write again is won
	// again, as long as nothing followed it.
	PutDelivery(ctx context.Context, d delivery.Delivery, ended *delivery.Attempt) (now delivery.Delivery, won bool, err error)
	// Attempts lists the recorded attempts of a delivery, oldest first, the newest limits.AttemptsMax of them;
	// none is an empty list.
	Attempts(ctx context.Context, key delivery.Key) ([]delivery.Attempt, error)
	// Deliveries lists rows, see Query: by ReceivedMs, those of one millisecond by event key and then by
	// webhook, newest first. A webhook without rows has an empty list. Backward without a From asks for the last
	// page. The list without a webhook may be a second behind.
	Deliveries(ctx context.Context, q Query) (Page, error)
	// Due lists up to limit deliveries whose SweepAt is set and not after until, earliest first as far as known;
	// it may be a second behind.
	Due(ctx context.Context, until time.Time, limit int) ([]delivery.Key, error)
}

// State keeps what may be lost: revocations, sessions, counters. A key is a string with a prefix that says what
// it is. What has expired is not there, whatever is still on disk.
type State interface {
	// PutState stores a value until expires, replacing what is there.
	PutState(ctx context.Context, key string, value []byte, expires time.Time) error
	// AddState stores a value only if the key is not there; UpdateConflict otherwise.
	AddState(ctx context.Context, key string, value []byte, expires time.Time) error
	State(ctx context.Context, key string) ([]byte, error)
	// DropState removes a value; what is not there is no fault.
	DropState(ctx context.Context, key string) error
	// Count adds by to a counter and returns it; a new counter, or one that has expired, begins at 0 and lives
	// until expires, which later calls do not move. With by 0 it only reads; with by below 0 it takes from a
	// counter that is there; neither begins one, and both give 0 when there is none. Exact also when many count at
	// once; but one repeated after a lost answer may count twice. Counters and values do not share keys.
	Count(ctx context.Context, key string, by int64, expires time.Time) (int64, error)
}
