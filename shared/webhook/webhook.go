// Package webhook defines webhooks and their rules: the limits of the fields, the subscription and which events it
// selects, what sealed values are bound to, and the retry schedules. The package neither stores nor sends anything.
package webhook

import (
	"time"

	"nepenthes/shared/signing"
)

// Format is the format of the body that a receiver gets.
type Format string

// The formats.
const (
	FormatNepenthes   Format = "nepenthes"   // that of OpenProject's webhooks
	FormatStandard    Format = "standard"    // Standard Webhooks
	FormatCloudEvents Format = "cloudevents" // CloudEvents 1.0, structured JSON
)

// Formats returns the formats, the default first.
func Formats() []Format { return []Format{FormatNepenthes, FormatStandard, FormatCloudEvents} }

// Webhook is the URL of a receiver with its subscription and its secrets.
type Webhook struct {
	ID          string
	Name        string // unique under full Unicode case folding
	PayloadURL  string
	Description string
	Enabled     bool
	// DisabledReason says why the webhook is disabled. It is empty while the webhook is enabled.
	DisabledReason  Reason
	Subscription    Subscription
	PayloadFormat   Format
	LegacySignature bool
	Headers         []Header
	Timeout         time.Duration
	RetrySchedule   ScheduleName
	Secrets         []Secret // oldest first; some may have expired
	StatusSince     time.Time
	LockVersion     int64 // 1 for a new webhook; every change adds 1
	CreatedAt       time.Time
	UpdatedAt       time.Time
}

// Header is a custom header. Its value is sealed; see [HeaderInfo].
type Header struct {
	Name   string
	Sealed []byte
}

// Secret is a signature secret. Its value is sealed; see [SecretInfo].
type Secret struct {
	ID        string
	Kind      signing.Kind
	PublicKey string // whpk_… of a key pair; empty for other kinds
	Sealed    []byte
	CreatedAt time.Time
	ExpiresAt time.Time // the zero Time means never
}

// Live reports whether the secret has not expired at now.
func (s Secret) Live(now time.Time) bool {
	return s.ExpiresAt.IsZero() || now.Before(s.ExpiresAt)
}

// LiveSecrets returns the secrets that have not expired at now, newest first.
func (w *Webhook) LiveSecrets(now time.Time) []Secret {
	var live []Secret
	for i := len(w.Secrets) - 1; i >= 0; i-- {
		if w.Secrets[i].Live(now) {
			live = append(live, w.Secrets[i])
		}
	}
	return live
}

// Disable disables the webhook. It changes nothing if the webhook is disabled already, so that the first reason stays.
func (w *Webhook) Disable(reason Reason, now time.Time) (changed bool) {
	if !w.Enabled {
		return false
	}
	w.Enabled, w.DisabledReason, w.StatusSince = false, reason, now
	return true
}

// Enable enables the webhook and clears DisabledReason. It changes nothing if the webhook is enabled already.
func (w *Webhook) Enable(now time.Time) (changed bool) {
	if w.Enabled {
		return false
	}
	w.Enabled, w.DisabledReason, w.StatusSince = true, "", now
	return true
}

// State is the state of a webhook.
type State string

// The states. The list is closed.
const (
	Active   State = "active"
	Disabled State = "disabled"
)

// State returns the state of the webhook.
func (w *Webhook) State() State {
	if w.Enabled {
		return Active
	}
	return Disabled
}

// Reason is the reason why a webhook is disabled.
type Reason string

// The reasons.
const (
	Manual Reason = "manual" // a person disabled it
	Gone   Reason = "gone"   // the receiver answered 410 Gone
)
