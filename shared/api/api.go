// Package api holds the operations of the API: everything that a program over HTTP, or a person through the
// console, can do. Package rest puts them on the wire and describes them; the console calls the very same, so no
// rule stands twice.
//
// An operation checks in the order of the contract: the caller's scope, the query, whether the thing is there, its
// version and state, and then every attribute at once. What it cannot do it tells in a *fault.Fault.
package api

import (
	"context"
	"log/slog"
	"time"

	"nepenthes/events"
	"nepenthes/shared/access"
	"nepenthes/shared/address"
	"nepenthes/shared/auth"
	"nepenthes/shared/auth/clients"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/project"
	"nepenthes/shared/record"
	"nepenthes/shared/settings"
	"nepenthes/shared/webhook"
)

// Call is who calls, and by which way.
type Call struct {
	auth.Caller
	// Via is the way by which it came, and Request the id of the request that it came in.
	Via     Via
	Request string
	// Host is this service's own host and port in the caller's eyes; no webhook may point at it.
	Host string
}

// Operation is one thing that a caller can do. I is what it takes, O what it answers.
type Operation[I, O any] struct {
	// Scope is what the caller must hold; empty: any caller may.
	Scope access.Scope
	// Action is what it does to configuration or to somebody's access; empty: nothing.
	Action Action
	do     func(context.Context, Call, *I) (*O, error)
	// written logs that it was done; nil when there is no action.
	written func(context.Context, Call, *I, *O)
}

// Do carries the operation out. The fault is of kind MissingPermission when the caller does not hold the scope;
// then nothing was looked at. Once it has been done, an operation with an action leaves a line in the log.
func (op Operation[I, O]) Do(ctx context.Context, call Call, in *I) (*O, error) {
	if err := Permit(call.Caller, op.Scope); err != nil {
		return nil, err
	}
	out, err := op.do(ctx, call, in)
	if err == nil && op.written != nil {
		op.written(ctx, call, in, out)
	}
	return out, err
}

// Permit is nil when the caller holds the scope, or none is needed; else a fault of kind MissingPermission that
// names it.
func Permit(caller auth.Caller, scope access.Scope) error {
	if scope == "" || caller.Allows(scope) {
		return nil
	}
	return fault.New(fault.MissingPermission, "This needs the scope %s, which this client does not have.", scope).
		With("Ask whoever administers the clients to grant it, then get a new token.")
}

// Version is the version of the service.
type Version string

// None is the input of an operation that takes none, and the output of one that answers nothing.
type None struct{}

// Catalogue knows the present settings and webhooks; what it gives out is shared and must not be changed.
type Catalogue interface {
	Settings(ctx context.Context) (settings.Settings, error)
	Webhook(ctx context.Context, id string) (*webhook.Webhook, error)
	// All lists the webhooks, oldest first.
	All(ctx context.Context) ([]*webhook.Webhook, error)
}

// Store keeps what the API changes and reads, see package store.
type Store interface {
	SettingsStore
	WebhookStore
	ProjectStore
	EventStore
	DeliveryStore
}

// Sender sends on one lane; nil means that all messages are durable.
type Sender interface {
	Send(ctx context.Context, messages ...lane.Message) error
}

// Operator records an event of our own for the webhooks named, and rings for it.
type Operator interface {
	Operate(ctx context.Context, e events.Event, trigger delivery.Trigger, webhookIDs ...string) (record.Event, error)
}

// Config names what the operations need. Everything without a default must be given.
type Config struct {
	Catalogue Catalogue
	Store     Store
	Events    Sender // the lane of events
	Retries   Sender // the lane of later attempts
	Operator  Operator
	Sealer    Sealer
	Clients   *clients.Registry
	// Addresses says where webhooks may point. Own lists the hosts of the deployment's public URL; the host of the
	// call counts as our own besides: behind a public URL the service has another address as well.
	Addresses address.Rules
	Resolver  address.Resolver
	// Version is the service's version.
	Version string
	Logger  *slog.Logger
	// Waits says how long waits are; the zero Clock is real time.
	Waits delivery.Clock
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// moment is now as it is stored: UTC in whole milliseconds.
func (c *Config) moment() time.Time { return c.Now().UTC().Truncate(time.Millisecond) }

func (c *Config) check() {
	if c.Catalogue == nil || c.Store == nil || c.Events == nil || c.Retries == nil || c.Operator == nil ||
		c.Sealer == nil || c.Clients == nil || c.Resolver == nil || c.Logger == nil {
		panic("api: a part of Config is missing")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

// Operations is everything that can be done.
type Operations struct {
	Root Operation[None, Version]

	ReadSettings   Operation[None, settings.Settings]
	ChangeSettings Operation[ChangeSettings, settings.Settings]

	ListWebhooks  Operation[ListWebhooks, Page[webhook.Webhook]]
	CreateWebhook Operation[CreateWebhook, WrittenWebhook]
	ReadWebhook   Operation[WebhookID, webhook.Webhook]
	ChangeWebhook Operation[ChangeWebhook, WrittenWebhook]
	DeleteWebhook Operation[DeleteWebhook, None]
	Ping          Operation[Ping, delivery.Delivery]
	AddSecret     Operation[AddSecret, AddedSecret]
	RemoveSecret  Operation[RemoveSecret, None]

	ListDeliveries     Operation[ListDeliveries, DeliveryPage]
	ListDeadDeliveries Operation[ListDeadDeliveries, DeliveryPage]
	ReadDelivery       Operation[DeliveryID, DeliveryDetails]
	ReadAttempt        Operation[ReadAttempt, DeliveryDetails]
	Retry              Operation[DeliveryID, DeliveryDetails]

	PushEvent           Operation[PushEvent, PushedEvent]
	ReadEvent           Operation[EventID, record.Event]
	ListEventDeliveries Operation[ListEventDeliveries, Page[delivery.Delivery]]
	Explain             Operation[Explain, Page[Explanation]]
	ListEventTypes      Operation[ListEventTypes, Page[events.Type]]

	ListProjects Operation[ListProjects, Page[project.Project]]
	PutProject   Operation[PutProject, WrittenProject]

	ListClients        Operation[ListClients, Page[access.Client]]
	CreateClient       Operation[CreateClient, IssuedClientSecret]
	ReadClient         Operation[ClientID, access.Client]
	ChangeClient       Operation[ChangeClient, access.Client]
	DeleteClient       Operation[DeleteClient, None]
	AddClientSecret    Operation[ClientID, IssuedClientSecret]
	RemoveClientSecret Operation[RemoveClientSecret, None]
	RevokeClient       Operation[ClientID, None]
}

// New makes the operations; it panics when a part is missing.
func New(c Config) *Operations {
	c.check()
	general := settingsResource{&c}
	webhooks := webhooksResource{&c}
	deliveries := deliveriesResource{&c}
	events := eventsResource{&c, deliveries}
	projects := projectsResource{&c}
	applications := clientsResource{&c}
	return &Operations{
		Root: op("", func(context.Context, Call, *None) (*Version, error) {
			version := Version(c.Version)
			return &version, nil
		}),

		ReadSettings:   op(access.SettingsRead, general.read),
		ChangeSettings: write(&c, access.SettingsWrite, UpdatedSettings, general.change, func(*ChangeSettings, *settings.Settings) string { return "settings" }),

		ListWebhooks:  op(access.WebhooksRead, webhooks.list),
		CreateWebhook: write(&c, access.WebhooksWrite, CreatedWebhook, webhooks.create, func(_ *CreateWebhook, made *WrittenWebhook) string { return made.ID }),
		ReadWebhook:   op(access.WebhooksRead, webhooks.read),
		ChangeWebhook: write(&c, access.WebhooksWrite, UpdatedWebhook, webhooks.change, func(in *ChangeWebhook, _ *WrittenWebhook) string { return in.ID }),
		DeleteWebhook: write(&c, access.WebhooksWrite, DeletedWebhook, webhooks.delete, func(in *DeleteWebhook, _ *None) string { return in.ID }),
		Ping:          write(&c, access.WebhooksWrite, PingedWebhook, webhooks.ping, func(in *Ping, _ *delivery.Delivery) string { return in.ID }),
		AddSecret:     write(&c, access.WebhooksWrite, AddedWebhookSecret, webhooks.addSecret, func(in *AddSecret, _ *AddedSecret) string { return in.ID }),
		RemoveSecret:  write(&c, access.WebhooksWrite, RemovedWebhookSecret, webhooks.removeSecret, func(in *RemoveSecret, _ *None) string { return in.ID }),

		ListDeliveries:     op(access.DeliveriesRead, deliveries.list),
		ListDeadDeliveries: op(access.DeliveriesRead, deliveries.listDead),
		ReadDelivery:       op(access.DeliveriesRead, deliveries.read),
		ReadAttempt:        op(access.DeliveriesRead, deliveries.readAttempt),
		Retry:              write(&c, access.DeliveriesWrite, RetriedDelivery, deliveries.retry, func(in *DeliveryID, _ *DeliveryDetails) string { return in.ID }),

		PushEvent:           op(access.EventsWrite, events.push),
		ReadEvent:           op(access.EventsRead, events.read),
		ListEventDeliveries: op(access.DeliveriesRead, events.listDeliveries),
		Explain:             op(access.WebhooksRead, events.explain),
		ListEventTypes:      op(access.WebhooksRead, events.listTypes),

		ListProjects: op(access.ProjectsRead, projects.list),
		PutProject:   write(&c, access.ProjectsWrite, PutAProject, projects.put, func(in *PutProject, _ *WrittenProject) string { return in.ID }),

		ListClients:        op(access.ClientsRead, applications.list),
		CreateClient:       write(&c, access.ClientsWrite, CreatedClient, applications.create, func(_ *CreateClient, made *IssuedClientSecret) string { return made.ID }),
		ReadClient:         op(access.ClientsRead, applications.read),
		ChangeClient:       write(&c, access.ClientsWrite, UpdatedClient, applications.change, func(in *ChangeClient, _ *access.Client) string { return in.ID }),
		DeleteClient:       write(&c, access.ClientsWrite, DeletedClient, applications.delete, func(in *DeleteClient, _ *None) string { return in.ID }),
		AddClientSecret:    write(&c, access.ClientsWrite, AddedClientSecret, applications.addSecret, func(in *ClientID, _ *IssuedClientSecret) string { return in.ID }),
		RemoveClientSecret: write(&c, access.ClientsWrite, RemovedClientSecret, applications.removeSecret, func(in *RemoveClientSecret, _ *None) string { return in.ID }),
		RevokeClient:       write(&c, access.ClientsWrite, RevokedClient, applications.revoke, func(in *ClientID, _ *None) string { return in.ID }),
	}
}

func op[I, O any](scope access.Scope, do func(context.Context, Call, *I) (*O, error)) Operation[I, O] {
	return Operation[I, O]{Scope: scope, do: do}
}

// write is an operation that changes configuration or somebody's access. target names, by its id, what was changed.
func write[I, O any](
	c *Config, scope access.Scope, action Action, do func(context.Context, Call, *I) (*O, error), target func(*I, *O) string,
) Operation[I, O] {
	return Operation[I, O]{Scope: scope, Action: action, do: do, written: func(ctx context.Context, call Call, in *I, out *O) {
		LogWritten(ctx, c.Logger, call, action, target(in, out))
	}}
}
