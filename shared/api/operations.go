package api

import (
	"context"
	"log/slog"
	"time"

	"nepenthes/shared/address"
	"nepenthes/shared/auth/clients"
	"nepenthes/shared/delivery"
	"nepenthes/shared/lane"
	"nepenthes/shared/required"
	"nepenthes/shared/settings"
	"nepenthes/shared/webhook"
)

// Operations holds the operations that a process has, by resource. A resource that the process does not serve is nil.
type Operations struct {
	Root       *Root
	Settings   *Settings
	Webhooks   *Webhooks
	Deliveries *Deliveries
	Events     *Events
	Projects   *Projects
	Clients    *Clients
}

// Config holds the dependencies of all operations. All interfaces and pointers are required.
type Config struct {
	Catalogue Catalogue
	Store     Store
	Events    Sender // the lane of events
	Retries   Sender // the lane of later attempts
	Operator  Operator
	Sealer    Sealer
	Clients   *clients.Registry
	Addresses address.Rules
	Resolver  address.Resolver
	Version   string
	Logger    *slog.Logger
	Waits     delivery.Clock
	Now       func() time.Time
}

// Catalogue reads the current settings and webhooks. See package catalogue.
type Catalogue interface {
	SettingsReader
	WebhookReader
}

// Store stores everything that operations read and change. See package store.
type Store interface {
	SettingsStore
	WebhookStore
	HeldCounter
	ProjectStore
	EventStore
	DeliveryStore
	DeliveryFinder
}

// New returns all operations. It panics if a dependency is missing. A process that serves only some resources calls
// their constructors instead, such as NewSettings.
func New(c Config) Operations {
	required.Fields(c)
	common := Common{Settings: c.Catalogue, Logger: c.Logger, Now: c.Now}
	return Operations{
		Root:     NewRoot(c.Version),
		Settings: NewSettings(SettingsConfig{Common: common, Store: c.Store}),
		Webhooks: NewWebhooks(WebhooksConfig{
			Common: common, Catalogue: c.Catalogue, Store: c.Store, Held: c.Store, Projects: c.Store, Sealer: c.Sealer, Operator: c.Operator,
			Addresses: c.Addresses, Resolver: c.Resolver,
		}),
		Deliveries: NewDeliveries(DeliveriesConfig{
			Common: common, Catalogue: c.Catalogue, Store: c.Store, Events: c.Store, Retries: c.Retries, Waits: c.Waits,
		}),
		Events: NewEvents(EventsConfig{
			Common: common, Catalogue: c.Catalogue, Store: c.Store, Deliveries: c.Store, Lane: c.Events,
		}),
		Projects: NewProjects(ProjectsConfig{Common: common, Store: c.Store}),
		Clients:  NewClients(ClientsConfig{Common: common, Clients: c.Clients}),
	}
}

// Common holds the dependencies that the operations on every resource have.
type Common struct {
	Settings SettingsReader
	Logger   *slog.Logger
	// Now returns the current time. Nil means time.Now.
	Now func() time.Time
}

// SettingsReader reads the current settings.
type SettingsReader interface {
	Settings(ctx context.Context) (settings.Settings, error)
}

// WebhookReader reads the current webhooks. Its callers share them and must not change them.
type WebhookReader interface {
	Webhook(ctx context.Context, id string) (*webhook.Webhook, error)
	// All returns the webhooks, oldest first.
	All(ctx context.Context) ([]*webhook.Webhook, error)
}

// Sender sends messages to one lane. A nil error means that all messages are durable.
type Sender interface {
	Send(ctx context.Context, messages ...lane.Message) error
}

// moment returns the current time as it is stored: in UTC and in whole milliseconds, so that the answer to a change has the
// same times as a later read.
func (c *Common) moment() time.Time {
	now := time.Now
	if c.Now != nil {
		now = c.Now
	}
	return now().UTC().Truncate(time.Millisecond)
}

// Root holds the operation on the root of the API.
type Root struct {
	Read Operation[*None, *Version]
}

// Version is the version of the service.
type Version string

// NewRoot returns the operation on the root.
func NewRoot(version string) *Root {
	return &Root{Read: operation("", func(context.Context, Call, *None) (*Version, error) {
		v := Version(version)
		return &v, nil
	})}
}
