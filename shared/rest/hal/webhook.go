package hal

import (
	"time"
	"unicode/utf8"

	"nepenthes/shared/instant"
	"nepenthes/shared/webhook"
)

// Webhook is the URL of a receiver with its subscription and its secrets.
type Webhook struct {
	Type            string            `json:"_type" enum:"Webhook" doc:"Always Webhook." example:"Webhook"`
	ID              string            `json:"id" doc:"The id." example:"wh_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
	Name            string            `json:"name" minLength:"1" maxLength:"255" doc:"The name. It is unique, and case does not matter." example:"Billing"`
	PayloadURL      string            `json:"payloadUrl" maxLength:"2048" doc:"The URL that events are sent to." example:"https://billing.example.com/hooks"`
	Description     *string           `json:"description,omitempty" nullable:"false" maxLength:"4096" doc:"What the webhook is for. Lists leave this member out if it has more than 200 characters." example:"Turns time entries into invoices"`
	Enabled         bool              `json:"enabled" doc:"Whether the webhook gets events." example:"true"`
	Events          []string          `json:"events" nullable:"false" minItems:"1" maxItems:"60" doc:"The event types that the webhook wants: exact names, <resource>:* or *." example:"time_entry:created"`
	Projects        Projects          `json:"projects" doc:"The projects whose events the webhook wants."`
	PayloadFormat   string            `json:"payloadFormat" enum:"nepenthes,standard,cloudevents" doc:"The format of the payload." example:"nepenthes"`
	LegacySignature bool              `json:"legacySignature" doc:"Whether requests also have the header X-OP-Signature." example:"false"`
	Headers         map[string]string `json:"headers,omitzero" doc:"Custom headers. Their values are never shown. Lists do not have this member." example:"{\"X-Team\":\"***\"}"`
	TimeoutSeconds  int               `json:"timeoutSeconds" minimum:"1" maximum:"30" doc:"How many seconds an attempt may take." example:"15"`
	RetrySchedule   string            `json:"retrySchedule" enum:"standard,short,none" doc:"When failed deliveries are tried again." example:"standard"`
	Secrets         []SecretInfo      `json:"secrets" nullable:"false" doc:"The live signature secrets, oldest first. Their values are never shown."`
	Status          Status            `json:"status" doc:"The state of the webhook."`
	LockVersion     int64             `json:"lockVersion" minimum:"1" doc:"The version, which every change raises. Send it back with a change, and the change is made only if the version is still current." example:"3"`
	CreatedAt       instant.Time      `json:"createdAt" doc:"When it was created." example:"2026-01-02T11:00:00.000Z"`
	UpdatedAt       instant.Time      `json:"updatedAt" doc:"When the webhook was last changed." example:"2026-01-02T11:00:00.000Z"`
	Secret          string            `json:"secret,omitempty" doc:"The secret that this request generated. It is shown only once: keep it." example:"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="`
	Warnings        []Warning         `json:"warnings,omitempty" nullable:"false" doc:"What was accepted, but is not recommended."`
	Links           WebhookLinks      `json:"_links"`
}

// Projects selects projects.
type Projects struct {
	All   bool     `json:"all" doc:"True selects the events of all projects, and events without a project." example:"false"`
	IDs   []string `json:"ids,omitzero" nullable:"false" maxItems:"1000" doc:"The selected projects if all is false. Lists leave this member out if there are more than 20." example:"7"`
	Count *int     `json:"count,omitempty" minimum:"0" doc:"The number of selected projects. Only lists have this member." example:"1"`
}

// SecretInfo describes a signature secret without its value.
type SecretInfo struct {
	ID        string        `json:"id" doc:"The id." example:"sec_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
	Kind      string        `json:"kind" enum:"hmac,ed25519" doc:"The kind of signature: v1 (hmac) or v1a (ed25519)." example:"hmac"`
	PublicKey *string       `json:"publicKey" doc:"The public key of a key pair. It is null for hmac." example:"whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="`
	CreatedAt instant.Time  `json:"createdAt" doc:"When it was created." example:"2026-01-02T11:00:00.000Z"`
	ExpiresAt *instant.Time `json:"expiresAt" nullable:"true" doc:"When the secret stops signing. Null means never." example:"2026-01-03T11:00:00.000Z"`
}

// Status is the state of a webhook.
type Status struct {
	State        string        `json:"state" enum:"active,paused,disabled" doc:"The state: deliveries are sent (active), held until somebody resumes the webhook (paused), or skipped (disabled)." example:"active"`
	Reason       *string       `json:"reason" enum:"manual,gone" doc:"Why the webhook is disabled: somebody disabled it (manual), or its receiver answered 410 (gone). It is null while the webhook is active or paused." example:"manual"`
	Since        instant.Time  `json:"since" doc:"Since when the webhook has been in this state." example:"2026-01-02T11:00:00.000Z"`
	FailingSince *instant.Time `json:"failingSince" nullable:"true" doc:"Always null."`
	Held         *int          `json:"held,omitempty" minimum:"0" maximum:"1000" doc:"How many deliveries are held for the webhook. Counting stops at 1000. Lists do not have this member." example:"0"`
}

// Warning is about something that was accepted but is not recommended.
type Warning struct {
	Attribute string `json:"attribute" doc:"The member that the warning is about." example:"secret"`
	Message   string `json:"message" doc:"The warning in a sentence." example:"The secret has fewer than 24 bytes."`
}

// WebhookLinks lead from a webhook.
type WebhookLinks struct {
	Self       Link `json:"self" doc:"This webhook."`
	Deliveries Link `json:"deliveries" doc:"The deliveries of the webhook, newest first."`
	Stats      Link `json:"stats" doc:"Figures of the deliveries of the webhook."`
	Ping       Link `json:"ping" doc:"Send a test event to the webhook."`
	Pause      Link `json:"pause" doc:"Pause the webhook."`
	Resume     Link `json:"resume" doc:"Resume the webhook."`
	Secrets    Link `json:"secrets" doc:"Add a signature secret."`
}

// FromWebhook represents a webhook at now.
func FromWebhook(p Paths, w *webhook.Webhook, now time.Time) *Webhook {
	shown := &Webhook{
		Type: "Webhook", ID: w.ID, Name: w.Name, PayloadURL: w.PayloadURL, Description: &w.Description,
		Enabled: w.Enabled, Events: w.Subscription.Events,
		Projects:      Projects{All: w.Subscription.Projects.All, IDs: orEmpty(w.Subscription.Projects.IDs)},
		PayloadFormat: string(w.PayloadFormat), LegacySignature: w.LegacySignature,
		Headers:        maskedHeaders(w.Headers),
		TimeoutSeconds: int(w.Timeout / time.Second), RetrySchedule: string(w.RetrySchedule),
		Secrets: []SecretInfo{}, Status: statusOf(w), LockVersion: w.LockVersion,
		CreatedAt: instant.Of(w.CreatedAt), UpdatedAt: instant.Of(w.UpdatedAt), Links: webhookLinks(p, w.ID),
	}
	for i := range w.Secrets {
		if w.Secrets[i].Live(now) {
			shown.Secrets = append(shown.Secrets, secretInfo(&w.Secrets[i]))
		}
	}
	return shown
}

// The largest members in lists. Lists leave out a longer member. If lists cut it, a client that sends the element back would
// cut the member of the webhook too.
const (
	shortDescription = 200 // characters
	shortProjects    = 20
)

// FromWebhookInShort represents a webhook as in lists.
func FromWebhookInShort(p Paths, w *webhook.Webhook, now time.Time) *Webhook {
	shown := FromWebhook(p, w, now)
	shown.Headers = nil
	if utf8.RuneCountInString(w.Description) > shortDescription {
		shown.Description = nil
	}
	count := len(shown.Projects.IDs)
	shown.Projects.Count = &count
	if count > shortProjects {
		shown.Projects.IDs = nil
	}
	return shown
}

// ETag returns the entity tag of the lock version.
func (w *Webhook) ETag() string { return ETag(w.LockVersion) }

// Location returns the path of the webhook.
func (w *Webhook) Location() string { return w.Links.Self.Href }

// webhookLinks returns the links of a webhook. They do not depend on the scopes of the caller.
func webhookLinks(p Paths, id string) WebhookLinks {
	return WebhookLinks{
		Self:       Link{Href: p.To("webhooks", id)},
		Deliveries: Link{Href: p.To("webhooks", id, "deliveries")},
		Stats:      Link{Href: p.To("webhooks", id, "stats")},
		Ping:       Link{Href: p.To("webhooks", id, "ping"), Method: "post"},
		Pause:      Link{Href: p.To("webhooks", id, "pause"), Method: "post"},
		Resume:     Link{Href: p.To("webhooks", id, "resume"), Method: "post"},
		Secrets:    Link{Href: p.To("webhooks", id, "secrets"), Method: "post"},
	}
}

// Masked stands for the value of a header. A client that sends it back keeps the value.
const Masked = "***"

// maskedHeaders returns the names of headers. The values are sealed, and the API cannot open them.
func maskedHeaders(headers []webhook.Header) map[string]string {
	shown := make(map[string]string, len(headers))
	for _, h := range headers {
		shown[h.Name] = Masked
	}
	return shown
}

// secretInfo describes a secret. A public key is not a secret, and receivers need it.
func secretInfo(s *webhook.Secret) SecretInfo {
	return SecretInfo{
		ID: s.ID, Kind: string(s.Kind), PublicKey: text(s.PublicKey),
		CreatedAt: instant.Of(s.CreatedAt), ExpiresAt: moment(s.ExpiresAt),
	}
}

// statusOf returns the state of a webhook.
func statusOf(w *webhook.Webhook) Status {
	return Status{State: string(w.State()), Reason: text(w.DisabledReason), Since: instant.Of(w.StatusSince)}
}

// orEmpty returns an empty list for nil, which JSON would write as null.
func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// Secret is a signature secret that was just added.
type Secret struct {
	Type string `json:"_type" enum:"Secret" doc:"Always Secret." example:"Secret"`
	SecretInfo
	Secret   string    `json:"secret,omitempty" doc:"The secret that this request generated. It is shown only once: keep it." example:"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="`
	Warnings []Warning `json:"warnings,omitempty" nullable:"false" doc:"What was accepted, but is not recommended."`
}

// FromSecret represents a secret that was just added. value is the secret itself if the request generated it, or empty.
func FromSecret(s *webhook.Secret, value string, warnings []Warning) *Secret {
	return &Secret{Type: "Secret", SecretInfo: secretInfo(s), Secret: value, Warnings: warnings}
}
