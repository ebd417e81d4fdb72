// Package config declares what each function is told by its environment: one struct per function. The stack fills
// the struct and asks [Env] for the variables; the function gets the same struct back from [Load]. So a renamed or
// forgotten variable is a compile-time matter, and neither side spells a name.
//
// Nothing here is a secret: secrets are named by their ARN and read by those who are granted to.
package config

import (
	"strings"
	"time"

	"nepenthes/shared/tables"
)

// Common is what every function is told.
type Common struct {
	// Stage is the name of the deployment, such as "dev".
	Stage           string `env:"STAGE"`
	ConfigTable     string `env:"CONFIG_TABLE"`
	EventsTable     string `env:"EVENTS_TABLE"`
	DeliveriesTable string `env:"DELIVERIES_TABLE"`
	StateTable      string `env:"STATE_TABLE"`
}

// Tables are the deployed names of the tables.
func (c Common) Tables() tables.Names {
	return tables.Names{Config: c.ConfigTable, Events: c.EventsTable, Deliveries: c.DeliveriesTable, State: c.StateTable}
}

// API is what the functions behind API Gateway are told.
type API struct {
	Common
	// Issuer is who issues and accepts tokens: the public URL of the deployment, or a URN where it has none.
	Issuer string `env:"ISSUER"`
	// RequestsPerSecond is how many requests a second one client may make, of all processes together; at least 1.
	RequestsPerSecond float64 `env:"REQUESTS_PER_SECOND"`
}

// PublicURL is the address of the deployment, scheme and host, empty where it has none of its own.
func (c API) PublicURL() string {
	if strings.HasPrefix(c.Issuer, "urn:") {
		return ""
	}
	return c.Issuer
}

// Settings is what the function of that name is told.
type Settings struct{ API }

// OAuth is what the function of that name is told.
type OAuth struct {
	API
	// KeyARN names the KMS key that wraps key pairs.
	KeyARN string `env:"KEY_ARN"`
	// AdministratorSecretARN names the secret of the first administrator client.
	AdministratorSecretARN string `env:"ADMINISTRATOR_SECRET_ARN"`
}

// Webhooks is what the function of that name is told.
type Webhooks struct {
	API
	// AllowHTTP lets webhooks point at http addresses too.
	AllowHTTP          bool   `env:"ALLOW_HTTP"`
	RetentionDays      int    `env:"RETENTION_DAYS"`
	EventsQueueURL     string `env:"EVENTS_QUEUE_URL"`
	DeliveriesQueueURL string `env:"DELIVERIES_QUEUE_URL"`
	RetriesQueueURL    string `env:"RETRIES_QUEUE_URL"`
	KeyARN             string `env:"KEY_ARN"`
	// CursorKeySecretARN names the secret that protects the cursors of lists.
	CursorKeySecretARN string `env:"CURSOR_KEY_SECRET_ARN"`
}

// Retention is how long an event is kept.
func (c Webhooks) Retention() time.Duration { return days(c.RetentionDays) }

// Console is what the function of that name is told: all that webhooks is, since it runs the same operations, and
// how to sign the administrator in.
type Console struct {
	Webhooks
	AdministratorSecretARN string `env:"ADMINISTRATOR_SECRET_ARN"`
}

// Fanout is what the function of that name is told.
type Fanout struct {
	Common
	RetentionDays        int    `env:"RETENTION_DAYS"`
	DeliveriesQueueURL   string `env:"DELIVERIES_QUEUE_URL"`
	EventsDeadLettersURL string `env:"EVENTS_DEAD_LETTERS_URL"`
}

// Retention is how long an event is kept.
func (c Fanout) Retention() time.Duration { return days(c.RetentionDays) }

// Sender is what the function of that name is told.
type Sender struct {
	Common
	RetriesQueueURL string `env:"RETRIES_QUEUE_URL"`
	KeyARN          string `env:"KEY_ARN"`
}

// Sweeper is what the function of that name is told.
type Sweeper struct {
	Common
	RetriesQueueURL string `env:"RETRIES_QUEUE_URL"`
}

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
