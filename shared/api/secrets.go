package api

import (
	"context"
	"fmt"
	"slices"
	"time"

	"nepenthes/shared/api/hal"
	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/signing"
	"nepenthes/shared/strictjson"
	"nepenthes/shared/webhook"
)

// What a client writes in the place of a secret to have one made.
const (
	generate        = "generate"
	generateEd25519 = "generate-ed25519"
)

const (
	attributeSecret = "secret"
	// secretsMax is how many secrets of a webhook can be live at once.
	secretsMax = 4
	// overlapDefault and overlapMax are how long former secrets go on signing, in hours.
	overlapDefault, overlapMax = 24, 168
)

// AddSecret asks for another signature secret.
type AddSecret struct {
	WebhookID
	Body Body[NewSecret]
}

// NewSecret says which secret to add and how long the former ones of its kind go on.
type NewSecret struct {
	Secret       strictjson.Member[string] `json:"secret,omitempty" minLength:"2" maxLength:"128" nullable:"true" writeOnly:"true" doc:"generate (unless told otherwise), generate-ed25519, or one of your own (whsec_…, whsk_…, or 8 to 128 bytes of text, without white space or quotation marks around it)." example:"generate"`
	OverlapHours strictjson.Member[int]    `json:"overlapHours,omitempty" minimum:"0" maximum:"168" nullable:"true" doc:"How many hours the former secrets of this kind go on signing; 24 unless told otherwise." example:"24"`
}

// RemoveSecret asks for the end of a signature secret.
type RemoveSecret struct{ ID, SecretID string }

// newSecret is what a request says about the secret. The zero newSecret says nothing.
type newSecret struct {
	parsed    bool
	removes   bool
	secret    signing.Secret // zero: none was given
	generated bool
}

// parse reads what the client wrote, once.
func (n *newSecret) parse(found *faults, m strictjson.Member[string]) {
	if n.parsed {
		return
	}
	text, given := m.Get()
	n.parsed, n.removes = true, m.IsNull()
	if !given {
		return
	}
	if text == generate || text == generateEd25519 {
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

func generateSecret(text string) signing.Secret {
	if text == generateEd25519 {
		return signing.GenerateEd25519()
	}
	return signing.Generate()
}

// shown is the secret if this request generated it: the one time that it is told.
func (n *newSecret) shown() string {
	if !n.generated {
		return ""
	}
	return n.secret.Text()
}

func (n *newSecret) warnings() []hal.Warning {
	if !n.secret.Weak() {
		return nil
	}
	return []hal.Warning{shortSecret}
}

// shortSecret warns of an HMAC secret that is accepted.
var shortSecret = hal.Warning{
	Name: "short_secret", Attribute: attributeSecret,
	Message: "The secret has fewer than 24 bytes, which Standard Webhooks advises against; receivers' libraries may refuse it.",
}

// Warnings lists every warning that an operation can give, each under a name of its own.
func Warnings() []hal.Warning { return []hal.Warning{shortSecret} }

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

// seal makes the secret of a webhook as it is kept.
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

// addSecret adds a secret to a webhook; two calls add two. The former ones of its kind expire when the overlap is
// over, or earlier when they had to already. More than four that are live are a fault of kind InvalidState.
func (o webhooksResource) addSecret(ctx context.Context, _ Call, in *AddSecret) (_ *hal.Secret, err error) {
	defer fault.Wrap(&err, "add a secret to webhook %s", in.ID)
	if _, err := o.Catalogue.Webhook(ctx, in.ID); err != nil {
		return nil, err
	}
	found, overlap, asked := faults{in.Body.Problems}, overlapDefault, generate
	in.Body.Value.OverlapHours.Take(&overlap, overlapDefault)
	if overlap < 0 || overlap > overlapMax {
		found.addf("overlapHours", fmt.Sprintf("It must be from 0 to %d.", overlapMax), "")
	}
	in.Body.Value.Secret.Take(&asked, generate)
	var secret newSecret
	secret.parse(&found, strictjson.Of(asked))
	added, err := o.changeSecrets(ctx, in.ID, func(w *webhook.Webhook) error {
		expires := o.moment().Add(time.Duration(overlap) * time.Hour)
		w.Secrets = overlapped(w.LiveSecrets(o.moment()), secret.secret.Kind(), expires)
		if live := w.LiveSecrets(o.moment()); len(live) >= secretsMax {
			return fault.New(fault.InvalidState, "The webhook has %d secrets that sign, and may not have more.", len(live)).
				With("Delete one, or ask for an overlapHours of 0.")
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
	return hal.FromSecret(&added.Secrets[len(added.Secrets)-1], secret.shown(), secret.warnings()), nil
}

// overlapped gives the live secrets, oldest first, those of the kind expiring at the latest when said.
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

// removeSecret ends a secret at once; one that is gone or has expired is a fault of kind NotFound.
func (o webhooksResource) removeSecret(ctx context.Context, _ Call, in *RemoveSecret) (_ *None, err error) {
	defer fault.Wrap(&err, "remove a secret of webhook %s", in.ID)
	_, err = o.changeSecrets(ctx, in.ID, func(w *webhook.Webhook) error {
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

// changeSecrets changes a copy of the present webhook until no other change comes between reading and writing.
func (o webhooksResource) changeSecrets(ctx context.Context, webhookID string, edit func(*webhook.Webhook) error) (webhook.Webhook, error) {
	for {
		current, err := o.Catalogue.Webhook(ctx, webhookID)
		if err != nil {
			return webhook.Webhook{}, err
		}
		changed := *current
		if err := edit(&changed); err != nil {
			return webhook.Webhook{}, err
		}
		changed.UpdatedAt = o.moment()
		again, err := settle(ctx, o.Store.PutWebhook(ctx, &changed), false)
		if !again {
			return changed, err
		}
	}
}
