package page

import (
	"fmt"
	"time"

	"nepenthes/shared/access"
	"nepenthes/shared/fault"
	"nepenthes/shared/webhook"
)

// NewDeleteWebhook returns the page that asks before a webhook is deleted.
func NewDeleteWebhook(f Frame, w *webhook.Webhook) Confirm {
	f.Title = "Delete " + NameOf(w.Name, w.ID) + "?"
	self := f.To("/webhooks/" + w.ID)
	return Confirm{
		Frame: f, Trail: []Crumb{{"Webhooks", f.To("/webhooks")}, {NameOf(w.Name, w.ID), self}}, Action: self + "/delete", Button: "Delete", Cancel: self,
		Consequences: []string{
			"Nothing more is sent to " + w.PayloadURL + ", neither new events nor further attempts.",
			"This cannot be undone. To stop for a while, press Cancel and then Disable.",
		},
	}
}

// NewDeleteApplication returns the page that asks before an application is deleted. refused is the fault of a deletion,
// or nil.
func NewDeleteApplication(f Frame, c *access.Client, refused error) Confirm {
	f.Title = "Delete " + NameOf(c.Name, c.ID) + "?"
	self := f.To("/applications/" + c.ID)
	return Confirm{
		Frame: f, Trail: []Crumb{{"Applications", f.To("/applications")}, {NameOf(c.Name, c.ID), self}}, Action: self + "/delete", Button: "Delete", Cancel: self,
		Summary:      SummaryOf(refused, nil),
		Consequences: []string{"It can no longer call the API. Its tokens, secrets and sessions end at once.", "This cannot be undone."},
	}
}

// NewRevokeApplication returns the page that asks before all tokens and sessions of an application are ended. own reports
// whether the user is signed in as this application.
func NewRevokeApplication(f Frame, c *access.Client, own bool) Confirm {
	f.Title = "End all tokens and sessions of " + NameOf(c.Name, c.ID) + "?"
	self := f.To("/applications/" + c.ID)
	p := Confirm{
		Frame: f, Trail: []Crumb{{"Applications", f.To("/applications")}, {NameOf(c.Name, c.ID), self}}, Action: self + "/revoke", Button: "End all", Cancel: self,
		Consequences: []string{
			"All tokens of the application end at once, and everybody who signed in here with its secrets is signed out.",
			"Its secrets stay valid, so it can get a new token. If somebody else knows a secret, remove that secret first.",
		},
	}
	if own {
		p.Consequences = append(p.Consequences, "You are signed in as this application, so you are signed out too. You can sign in again.")
	}
	return p
}

// NewRemoveSecret returns the page that asks before a secret of an application is removed. It returns nil if there is no
// such secret. own reports whether the user is signed in as this application.
func NewRemoveSecret(f Frame, c *access.Client, secretID string, own bool, now time.Time) *Confirm {
	secret, found := c.LiveSecret(secretID, now)
	if !found {
		return nil
	}
	f.Title = "Remove a secret of " + NameOf(c.Name, c.ID) + "?"
	self := f.To("/applications/" + c.ID)
	p := &Confirm{
		Frame: f, Trail: []Crumb{{"Applications", f.To("/applications")}, {NameOf(c.Name, c.ID), self}}, Action: self + "/secrets/" + secretID + "/remove", Button: "Remove", Cancel: self,
		Consequences: []string{"The secret that was created " + ageText(secret.CreatedAt, now) + " ends at once, and so do the tokens that were obtained with it."},
	}
	if len(liveSecrets(c, now)) == 1 {
		p.Consequences = append(p.Consequences, "It is the only secret. Without another one, the application cannot get a token or sign in. To replace it, press Cancel and then Rotate secret.")
	}
	if own {
		p.Consequences = append(p.Consequences, "You are signed in as this application. If you used this secret, you are signed out.")
	}
	return p
}

// NotRetried returns a summary with the number of deliveries that will be retried, and the reasons why the others will not.
func NotRetried(retried int, refused []error) *Summary {
	s := &Summary{Title: fmt.Sprintf("%s cannot be retried", plural(len(refused), "delivery", "deliveries"))}
	if retried > 0 {
		s.Text = plural(retried, "other", "others") + " will be retried."
	}
	seen := map[string]bool{} // many deliveries usually have the same reason
	for _, err := range refused {
		if text := fault.From(err).Message; !seen[text] {
			seen[text] = true
			s.Entries = append(s.Entries, SummaryEntry{Text: text})
		}
	}
	return s
}

// Refuse shows err, the fault of a rotation of the secret, and the overlap that was typed.
func (p *Webhook) Refuse(overlap string, err error) {
	p.Overlap.Value = overlap
	fields := []*Field{&p.Overlap}
	if fault.Is(err, fault.InvalidState) { // the hint of the operation is for users of the API
		err = fault.Invalid(fault.Detail{
			Attribute: "overlapHours", Message: "The webhook already has as many valid secrets as it may have.",
			Hint: "Enter 0 to end the previous secrets at once, or wait until one of them expires.",
		})
	}
	AssignFaults(err, []string{"overlapHours"}, fields)
	p.Summary = SummaryOf(err, fields)
}
