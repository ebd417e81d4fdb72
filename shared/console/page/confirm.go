package page

import (
	"fmt"
	"time"

	"nepenthes/shared/access"
	"nepenthes/shared/fault"
	"nepenthes/shared/webhook"
)

// NewDeleteWebhook asks whether a webhook shall be deleted.
func NewDeleteWebhook(f Frame, w *webhook.Webhook) Confirm {
	f.Title = "Delete " + NameOf(w.Name, w.ID) + "?"
	self := f.To("/webhooks/" + w.ID)
	return Confirm{
		Frame: f, Trail: []Crumb{{"Webhooks", f.To("/webhooks")}, {NameOf(w.Name, w.ID), self}}, Action: self + "/delete", Button: "Delete", Cancel: self,
		Consequences: []string{
			"Nothing more is sent to " + w.PayloadURL + ", neither new events nor what is still being tried.",
			"It cannot be undone. To stop for a while, press Cancel and then Disable.",
		},
	}
}

// NewDeleteApplication asks whether an application shall be deleted; refused is what the deletion met.
func NewDeleteApplication(f Frame, c *access.Client, refused error) Confirm {
	f.Title = "Delete " + NameOf(c.Name, c.ID) + "?"
	self := f.To("/applications/" + c.ID)
	return Confirm{
		Frame: f, Trail: []Crumb{{"Applications", f.To("/applications")}, {NameOf(c.Name, c.ID), self}}, Action: self + "/delete", Button: "Delete", Cancel: self,
		Summary:      SummaryOf(refused, nil),
		Consequences: []string{"It can no longer call the API: its tokens and secrets end at once, and so does who is signed in here with them.", "It cannot be undone."},
	}
}

// NewRevokeApplication asks whether all tokens and sessions of an application shall be ended. own says that who is
// signed in signed in as this application.
func NewRevokeApplication(f Frame, c *access.Client, own bool) Confirm {
	f.Title = "End all tokens and sessions of " + NameOf(c.Name, c.ID) + "?"
	self := f.To("/applications/" + c.ID)
	p := Confirm{
		Frame: f, Trail: []Crumb{{"Applications", f.To("/applications")}, {NameOf(c.Name, c.ID), self}}, Action: self + "/revoke", Button: "End all", Cancel: self,
		Consequences: []string{
			"Every token that the application has opens nothing any more, at once, and whoever is signed in here with its secrets is signed out.",
			"Its secrets stay: with them it gets a new token and goes on. If a secret is known to others, remove that one first.",
		},
	}
	if own {
		p.Consequences = append(p.Consequences, "You are signed in as this application: you are signed out, too, and can sign in again.")
	}
	return p
}

// NewRemoveSecret asks whether a secret of an application shall be removed; none when it is gone already. own says that
// who is signed in signed in as this application.
func NewRemoveSecret(f Frame, c *access.Client, secretID string, own bool, now time.Time) *Confirm {
	secret, found := c.LiveSecret(secretID, now)
	if !found {
		return nil
	}
	f.Title = "Remove a secret of " + NameOf(c.Name, c.ID) + "?"
	self := f.To("/applications/" + c.ID)
	p := &Confirm{
		Frame: f, Trail: []Crumb{{"Applications", f.To("/applications")}, {NameOf(c.Name, c.ID), self}}, Action: self + "/secrets/" + secretID + "/remove", Button: "Remove", Cancel: self,
		Consequences: []string{"The secret that was made " + age(secret.CreatedAt, now) + " opens nothing any more, at once, and neither do the tokens that were got with it."},
	}
	if len(liveSecrets(c, now)) == 1 {
		p.Consequences = append(p.Consequences, "It is the only one: without another the application cannot get a token or sign in. To replace it, press Cancel and then Rotate secret.")
	}
	if own {
		p.Consequences = append(p.Consequences, "You are signed in as this application: if it was with this secret, you are signed out.")
	}
	return p
}

// NotRetried says how many deliveries will be tried again, and why others will not.
func NotRetried(retried int, refused []error) *Summary {
	s := &Summary{Title: fmt.Sprintf("%s cannot be tried again", plural(len(refused), "delivery", "deliveries"))}
	if retried > 0 {
		s.Text = plural(retried, "other", "others") + " will be."
	}
	seen := map[string]bool{}
	for _, err := range refused {
		if text := fault.From(err).Message; !seen[text] {
			seen[text] = true
			s.Entries = append(s.Entries, SummaryEntry{Text: text})
		}
	}
	return s
}

// Refuse tells what a rotation of the secret met.
func (p *Webhook) Refuse(overlap string, err error) {
	p.Overlap.Value = overlap
	fields := []*Field{&p.Overlap}
	if fault.Is(err, fault.InvalidState) {
		err = fault.Invalid(fault.Detail{
			Attribute: "overlapHours", Message: "As many secrets as possible are signing already.",
			Hint: "With an overlap of 0 the former ones end at once; else wait until one of them has.",
		})
	}
	Blame(err, []string{"overlapHours"}, fields)
	p.Summary = SummaryOf(err, fields)
}
