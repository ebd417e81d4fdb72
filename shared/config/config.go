// Package config declares the environment of each function as a struct. The stack fills the struct and passes it to
// [Env] to get the variables. The function calls [Load] to get the same struct back. Neither side spells the name of
// a variable, and a field that is renamed on one side only does not compile.
//
// The structs hold no secrets. They hold the ARNs of secrets, which a function can read only if it has permission.
package config

import (
	"strings"
	"time"

	"nepenthes/shared/tables"
)

// Common holds the variables of every function.
type Common struct {
	// Stage is the name of the deployment, such as "dev".
	Stage           string `env:"STAGE"`
	ConfigTable     string `env:"CONFIG_TABLE"`
	EventsTable     string `env:"EVENTS_TABLE"`
	DeliveriesTable string `env:"DELIVERIES_TABLE"`
	StateTable      string `env:"STATE_TABLE"`
}

// Tables returns the names of the deployed tables.
func (c Common) Tables() tables.Names {
	return tables.Names{Config: c.ConfigTable, Events: c.EventsTable, Deliveries: c.DeliveriesTable, State: c.StateTable}
}

// API holds the variables of every function behind API Gateway.
type API struct {
	Common
	// Issuer is the issuer of tokens: the public URL of the deployment, or a URN if it has no public URL.
	Issuer string `env:"ISSUER"`
	// RequestsPerSecond is the limit of requests per second for each client, over all processes. It is at least 1.
	RequestsPerSecond float64 `env:"REQUESTS_PER_SECOND"`
}

// PublicURL returns the scheme and host of the deployment, or "" if the deployment has no public URL.
func (c API) PublicURL() string {
	if strings.HasPrefix(c.Issuer, "urn:") {
		return ""
	}
	return c.Issuer
}

// Settings holds the variables of the function settings.
type Settings struct{ API }

// OAuth holds the variables of the function oauth.
type OAuth struct {
	API
	// KeyARN is the ARN of the KMS key that wraps key pairs.
	KeyARN string `env:"KEY_ARN"`
	// AdministratorSecretARN is the ARN of the secret of the first administrator client.
	AdministratorSecretARN string `env:"ADMINISTRATOR_SECRET_ARN"`
}

// Webhooks holds the variables of the function webhooks.
type Webhooks struct {
	API
	// AllowHTTP allows webhooks with http addresses.
	AllowHTTP          bool   `env:"ALLOW_HTTP"`
	RetentionDays      int    `env:"RETENTION_DAYS"`
	EventsQueueURL     string `env:"EVENTS_QUEUE_URL"`
	DeliveriesQueueURL string `env:"DELIVERIES_QUEUE_URL"`
	RetriesQueueURL    string `env:"RETRIES_QUEUE_URL"`
	KeyARN             string `env:"KEY_ARN"`
	// CursorKeySecretARN is the ARN of the secret that protects the cursors of lists.
	CursorKeySecretARN string `env:"CURSOR_KEY_SECRET_ARN"`
}

// Retention returns how long an event is kept.
func (c Webhooks) Retention() time.Duration { return days(c.RetentionDays) }

// Console holds the variables of the function console. It runs the operations of webhooks, so it needs the same
// variables. It also needs the administrator's secret for signing in.
type Console struct {
	Webhooks
	AdministratorSecretARN string `env:"ADMINISTRATOR_SECRET_ARN"`
}

// Fanout holds the variables of the function fanout.
type Fanout struct {
	Common
	RetentionDays        int    `env:"RETENTION_DAYS"`
	DeliveriesQueueURL   string `env:"DELIVERIES_QUEUE_URL"`
	EventsDeadLettersURL string `env:"EVENTS_DEAD_LETTERS_URL"`
}

// Retention returns how long an event is kept.
func (c Fanout) Retention() time.Duration { return days(c.RetentionDays) }

// Sender holds the variables of the function sender.
type Sender struct {
	Common
	RetriesQueueURL string `env:"RETRIES_QUEUE_URL"`
	KeyARN          string `env:"KEY_ARN"`
}

// Sweeper holds the variables of the function sweeper.
type Sweeper struct {
	Common
	RetriesQueueURL string `env:"RETRIES_QUEUE_URL"`
}

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
