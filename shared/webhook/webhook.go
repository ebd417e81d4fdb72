// Package webhook defines webhooks and their rules: the limits of the fields, the subscription and which events it
// selects, what sealed values are bound to, and the retry schedules. The package neither stores nor sends anything.
package webhook

import (
	"time"

	"nepenthes/shared/limits"
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
	DisabledReason Reason
	// Paused holds back every attempt that the schedule asks for. Attempts by hand and pings are made.
	Paused bool
	// Release says what happens to held deliveries when the webhook is not paused any more.
	Release         Release
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

// Release says what happens to the deliveries that are held for a webhook.
type Release struct {
	// Drop ends what was held because of the pause, instead of sending it.
	Drop bool
	// PerSecond is how many deliveries go on in a second. 0 means limits.ReleaseRate.
	PerSecond int
}

// WasPaused reports whether the webhook is paused or has been paused before. Otherwise no deliveries are held for it.
func (w *Webhook) WasPaused() bool { return w.Paused || w.Release != (Release{}) }

// Disable disables the webhook. It changes nothing if the webhook is disabled already, so that the first reason stays.
func (w *Webhook) Disable(reason Reason, now time.Time) (changed bool) {
	if !w.Enabled {
		return false
	}
	w.Enabled, w.DisabledReason, w.StatusSince = false, reason, now
	return true
}

// Enable enables the webhook and clears DisabledReason. It changes nothing if the webhook is enabled already. A webhook
// that was paused before it was disabled is paused again.
func (w *Webhook) Enable(now time.Time) (changed bool) {
	if w.Enabled {
		return false
	}
	w.Enabled, w.DisabledReason, w.StatusSince = true, "", now
	return true
}

// Pause pauses the webhook, and forgets what the last Resume said about held deliveries. It changes nothing if the webhook
// is paused already.
func (w *Webhook) Pause(now time.Time) (changed bool) {
	if w.Paused {
		return false
	}
	w.setPaused(true, Release{}, now)
	return true
}

// Resume ends the pause and says what happens to the deliveries that are held. A rate of 0 becomes limits.ReleaseRate.
// Resume changes nothing if the webhook is not paused.
func (w *Webhook) Resume(release Release, now time.Time) (changed bool) {
	if !w.Paused {
		return false
	}
	if release.PerSecond == 0 {
		release.PerSecond = limits.ReleaseRate
	}
	w.setPaused(false, release, now)
	return true
}

func (w *Webhook) setPaused(paused bool, release Release, now time.Time) {
	w.Paused, w.Release = paused, release
	if w.Enabled { // a disabled webhook stays in its state
		w.StatusSince = now
	}
}

// State is the state of a webhook.
type State string

// The states. The list is closed.
const (
	Active   State = "active"
	Paused   State = "paused"
	Disabled State = "disabled"
)

// State returns the state of the webhook. A webhook that is disabled and paused is disabled.
func (w *Webhook) State() State {
	switch {
	case !w.Enabled:
		return Disabled
	case w.Paused:
		return Paused
	}
	return Active
}

// Reason is the reason why a webhook is disabled.
type Reason string

// The reasons.
const (
	Manual Reason = "manual" // a person disabled it
	Gone   Reason = "gone"   // the receiver answered 410 Gone
)
