package api

import (
	"context"
	"fmt"
	"slices"
	"time"

	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/signing"
	"nepenthes/shared/webhook"
)

// The texts with which a caller asks to generate a secret.
const (
	Generate        = "generate"
	GenerateEd25519 = "generate-ed25519"
)

const (
	attributeSecret = "secret"
	// secretsMax is how many secrets of a webhook can be live at the same time. Every request has a signature of each.
	secretsMax = 4
	// overlapDefault and overlapMax limit for how many hours the previous secrets go on signing.
	overlapDefault, overlapMax = 24, 168
)

// AddSecret asks for another signature secret.
type AddSecret struct {
	ID string
	// Secret is Generate, GenerateEd25519, or a secret of the caller. The default is Generate.
	Secret Patch[string]
	// OverlapHours is for how many hours the previous secrets of the same kind go on signing. The default is 24.
	OverlapHours Patch[int]
	// Found are the parts of the request that could not be read.
	Found fault.Details
}

// AddedSecret is a signature secret that was just added.
type AddedSecret struct {
	webhook.Secret
	// Text is the secret itself if the request generated it. Otherwise it is empty.
	Text     string
	Warnings []Warning
}

// RemoveSecret asks to remove a signature secret.
type RemoveSecret struct{ ID, SecretID string }

// Warning is about something that was accepted but is not recommended. The name is unique among the warnings.
type Warning struct{ Name, Attribute, Message string }

// newSecret is the change of the secret that a request asks for. The zero newSecret asks for none.
type newSecret struct {
	parsed    bool
	removes   bool
	secret    signing.Secret // zero if the request has none
	generated bool
}

// parse reads the patch of the secret. It does so only once, because a change that is made again must keep the secret that
// was generated.
func (n *newSecret) parse(found *faults, p Patch[string]) {
	if n.parsed {
		return
	}
	text, given := p.Value()
	n.parsed, n.removes = true, p.IsReset()
	if !given {
		return
	}
	if text == Generate || text == GenerateEd25519 {
		n.secret, n.generated = generateSecret(text), true
		return
	}
	secret, err := signing.Parse(text)
	if err != nil {
		n.parsed = false
		for _, d := range fault.From(err).Details {
			found.add(d)
		}
	}
	n.secret = secret
}

// generateSecret generates a secret of the kind that text names.
func generateSecret(text string) signing.Secret {
	if text == GenerateEd25519 {
		return signing.GenerateEd25519()
	}
	return signing.Generate()
}

// generatedText returns the secret if this request generated it, so that it can be shown once.
func (n *newSecret) generatedText() string {
	if !n.generated {
		return ""
	}
	return n.secret.Text()
}

// warnings returns what was accepted but is not recommended. A generated secret has no warnings.
func (n *newSecret) warnings() []Warning {
	if !n.secret.Weak() {
		return nil
	}
	return []Warning{shortSecret}
}

// shortSecret is about an HMAC secret that is accepted although Standard Webhooks advises against it.
var shortSecret = Warning{
	Name: "short_secret", Attribute: attributeSecret,
	Message: "The secret has fewer than 24 bytes. Standard Webhooks advises against this, and the libraries of receivers may refuse it.",
}

// Warnings returns every warning that an operation can return.
func Warnings() []Warning { return []Warning{shortSecret} }

// applySecret replaces all secrets of the webhook, or removes them.
func (x *writing) applySecret(ctx context.Context, w *webhook.Webhook) error {
	if x.secret.removes {
		w.Secrets = nil
	}
	if x.secret.secret.Kind() == "" {
		return nil
	}
	sealed, err := x.seal(ctx, w.ID, x.secret.secret)
	if err != nil {
		return err
	}
	w.Secrets = []webhook.Secret{sealed}
	return nil
}

// seal returns the secret of a webhook as the store keeps it.
func (o webhooksResource) seal(ctx context.Context, webhookID string, secret signing.Secret) (webhook.Secret, error) {
	now := o.moment()
	secretID := id.New(id.Secret, now)
	sealed, err := o.Sealer.Seal(ctx, []byte(secret.Text()), webhook.SecretInfo(webhookID, secretID))
	if err != nil {
		return webhook.Secret{}, err
	}
	return webhook.Secret{
		ID: secretID, Kind: secret.Kind(), PublicKey: secret.PublicKey(), Sealed: sealed, CreatedAt: now,
	}, nil
}

// addSecret adds a secret to a webhook. Two calls add two secrets. The previous secrets of the same kind expire after the
// overlap, or at their present expiry if that is earlier. A fifth live secret is a fault of kind InvalidState.
func (o webhooksResource) addSecret(ctx context.Context, _ Call, in *AddSecret) (_ *AddedSecret, err error) {
	defer fault.Wrap(&err, "add a secret to webhook %s", in.ID)
	if _, err := o.Catalogue.Webhook(ctx, in.ID); err != nil {
		return nil, err
	}
	found, overlap, asked := faults{in.Found}, overlapDefault, Generate
	in.OverlapHours.Apply(&overlap, overlapDefault)
	if overlap < 0 || overlap > overlapMax {
		found.addf("overlapHours", fmt.Sprintf("It must be from 0 to %d.", overlapMax), "")
	}
	in.Secret.Apply(&asked, Generate)
	var secret newSecret
	secret.parse(&found, Set(asked))
	added, err := o.edit(ctx, in.ID, func(w *webhook.Webhook) error {
		expires := o.moment().Add(time.Duration(overlap) * time.Hour)
		w.Secrets = overlapped(w.LiveSecrets(o.moment()), secret.secret.Kind(), expires)
		if live := w.LiveSecrets(o.moment()); len(live) >= secretsMax {
			return fault.New(fault.InvalidState, "The webhook already has %d secrets that sign.", len(live)).
				With("Remove one of them, or send an overlapHours of 0.")
		}
		if err := found.Err(); err != nil {
			return err
		}
		sealed, err := o.seal(ctx, w.ID, secret.secret)
		w.Secrets = append(w.Secrets, sealed)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &AddedSecret{added.Secrets[len(added.Secrets)-1], secret.generatedText(), secret.warnings()}, nil
}

// overlapped returns the live secrets, oldest first. The secrets of the given kind expire at the given time or earlier.
func overlapped(newestFirst []webhook.Secret, kind signing.Kind, expires time.Time) []webhook.Secret {
	slices.Reverse(newestFirst)
	for i := range newestFirst {
		s := &newestFirst[i]
		if s.Kind == kind && (s.ExpiresAt.IsZero() || s.ExpiresAt.After(expires)) {
			s.ExpiresAt = expires
		}
	}
	return newestFirst
}

// removeSecret removes a secret. The next attempt is not signed with it. A secret that does not exist or has expired is a
// fault of kind NotFound.
func (o webhooksResource) removeSecret(ctx context.Context, _ Call, in *RemoveSecret) (_ *None, err error) {
	defer fault.Wrap(&err, "remove a secret of webhook %s", in.ID)
	_, err = o.edit(ctx, in.ID, func(w *webhook.Webhook) error {
		live := w.LiveSecrets(o.moment())
		slices.Reverse(live)
		w.Secrets = slices.DeleteFunc(live, func(s webhook.Secret) bool { return s.ID == in.SecretID })
		if len(w.Secrets) == len(live) {
			return fault.New(fault.NotFound, "The webhook has no secret %s.", fault.Quote(in.SecretID))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &None{}, nil
}

// edit applies change to a copy of the current webhook and stores the copy. If another change came between reading and
// writing, it begins again. It stores nothing if change returns an error.
func (o webhooksResource) edit(ctx context.Context, webhookID string, change func(*webhook.Webhook) error) (webhook.Webhook, error) {
	for {
		current, err := o.Catalogue.Webhook(ctx, webhookID)
		if err != nil {
			return webhook.Webhook{}, err
		}
		changed := *current
		if err := change(&changed); err != nil {
			return changed, err
		}
		changed.UpdatedAt = o.moment()
		again, err := settle(ctx, o.Store.PutWebhook(ctx, &changed), false)
		if !again {
			return changed, err
		}
	}
}
