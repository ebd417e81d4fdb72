// Package webhook holds the nouns of the system and their rules: the webhook with its subscription, which events
// it wants, the delivery with its states, the attempt, and the retry schedules. It decides; it stores and sends
// nothing.
package webhook

import (
	"time"

	"nepenthes/shared/signing"
)

// Format is the shape of the body that a webhook receives.
type Format string

// The formats (contract-delivery, "What the receiver gets").
const (
	FormatNepenthes   Format = "nepenthes"
	FormatStandard    Format = "standard"
	FormatCloudEvents Format = "cloudevents"
)

// Formats lists the formats, the default first.
func Formats() []Format { return []Format{FormatNepenthes, FormatStandard, FormatCloudEvents} }

// Webhook is a customer's URL with its subscription and its secrets.
type Webhook struct {
	ID          string
	Name        string // unique under full Unicode case folding
	PayloadURL  string
	Description string
	Enabled     bool
	// DisabledReason says why Enabled is false: manual, gone or failing; empty while enabled.
	DisabledReason  Reason
	Subscription    Subscription
	PayloadFormat   Format
	LegacySignature bool
	Headers         []Header
	Timeout         time.Duration
	RetrySchedule   ScheduleName
	Secrets         []Secret // oldest first, expired ones may still be there
	StatusSince     time.Time
	LockVersion     int64 // raised by every change; 1 when made
	CreatedAt       time.Time
	UpdatedAt       time.Time
}

// Header is a custom header; its value is sealed for package vault's opener, see [HeaderInfo].
type Header struct {
	Name   string
	Sealed []byte
}

// Secret is a signature secret as it is kept: sealed, see [SecretInfo].
type Secret struct {
	ID        string
	Kind      signing.Kind
	PublicKey string // whpk_… of a key pair, else empty
	Sealed    []byte
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
}

// Live reports whether the secret still signs at now.
func (s Secret) Live(now time.Time) bool {
	return s.ExpiresAt.IsZero() || now.Before(s.ExpiresAt)
}

// LiveSecrets lists the secrets that sign at now, newest first.
func (w *Webhook) LiveSecrets(now time.Time) []Secret {
	var live []Secret
	for i := len(w.Secrets) - 1; i >= 0; i-- {
		if w.Secrets[i].Live(now) {
			live = append(live, w.Secrets[i])
		}
	}
	return live
}

// Disable switches the webhook off for reason. It changes nothing when the webhook is off already: the first
// reason stands.
func (w *Webhook) Disable(reason Reason, now time.Time) (changed bool) {
	if !w.Enabled {
		return false
	}
	w.Enabled, w.DisabledReason, w.StatusSince = false, reason, now
	return true
}

// Enable switches the webhook on and forgets why it was off. It changes nothing when the webhook is on.
func (w *Webhook) Enable(now time.Time) (changed bool) {
	if w.Enabled {
		return false
	}
	w.Enabled, w.DisabledReason, w.StatusSince = true, "", now
	return true
}

// Reason explains why a webhook is disabled.
type Reason string

// The reasons. Failing comes from releases that judged webhooks by their age.
const (
	Manual  Reason = "manual"
	Gone    Reason = "gone"
	Failing Reason = "failing"
)
