package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"nepenthes/events"
	"nepenthes/shared/fault"
	"nepenthes/shared/project"
	"nepenthes/shared/webhook"
)

// Explain asks which webhooks would want an event, and why the others would not.
type Explain struct {
	Paging Paging
	// Webhook, unless it is empty, is the id of the only webhook to ask about.
	Webhook string
	Draft   Draft
}

// Explanation says whether a webhook wants an event, and if not, why.
type Explanation struct {
	Webhook *webhook.Webhook
	// Match reports whether the webhook wants the event.
	Match bool
	// Reasons are the rules that refuse the event, and webhook.RulePaused if the event would have to wait.
	Reasons []Reason
}

// Reason is a rule that refuses or holds back an event, with a sentence that says why.
type Reason struct {
	Rule   webhook.Rule
	Detail string
}

// Draft is an event whose id and time may be missing, because no rule of a webhook depends on them.
type Draft struct {
	event   events.Event
	refused error
}

// ReadJSON reads the event, in either form. It returns a fault of kind InvalidRequestBody or PayloadTooLarge. The
// operation reports the rules that the event breaks.
func (d *Draft) ReadJSON(text []byte) error {
	e, err := events.Decode(text)
	refusal, refused := errors.AsType[*events.Error](err)
	if refused && (refusal.Reason == events.Malformed || refusal.Reason == events.TooLarge) {
		return refusedEvent(err)
	}
	if refused {
		filled, err := fillIn(text)
		if err != nil {
			return err
		}
		e, err = events.Decode(filled)
		d.refused = refusedEvent(err)
	}
	d.event = e
	return nil
}

// explain checks for every webhook whether it wants the event. It stores and sends nothing.
func (o eventsResource) explain(ctx context.Context, _ Call, in *Explain) (_ *Page[Explanation], err error) {
	defer fault.Wrap(&err, "explain an event")
	page, err := o.page(ctx, in.Paging)
	if err != nil {
		return nil, err
	}
	webhooks, err := o.webhooksToExplain(ctx, in.Webhook)
	if err != nil {
		return nil, err
	}
	if in.Draft.refused != nil { // attributes are checked last
		return nil, in.Draft.refused
	}
	return pageThrough(page, webhooks, func(w *webhook.Webhook) Explanation { return explanation(w, in.Draft.event) }), nil
}

// webhooksToExplain returns all webhooks, or only the one with the id if the id is not empty.
func (o eventsResource) webhooksToExplain(ctx context.Context, webhookID string) ([]*webhook.Webhook, error) {
	if webhookID == "" {
		return o.Catalogue.All(ctx)
	}
	w, err := o.Catalogue.Webhook(ctx, webhookID)
	if err != nil {
		return nil, err
	}
	return []*webhook.Webhook{w}, nil
}

// fillIn adds the members that a draft may lack. text is a JSON object without duplicate members.
func fillIn(text []byte) ([]byte, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	when := "occurredAt"
	if _, isCloudEvent := members["specversion"]; isCloudEvent {
		when = "time"
	}
	for name, value := range map[string]string{"id": `"draft"`, when: `"2000-01-01T00:00:00Z"`} {
		if present, exists := members[name]; !exists || string(present) == "null" {
			members[name] = json.RawMessage(value)
		}
	}
	var filled bytes.Buffer
	encoder := json.NewEncoder(&filled)
	encoder.SetEscapeHTML(false) // escapes could make the event larger than allowed
	err := encoder.Encode(members)
	return filled.Bytes(), err
}

// explanation applies all rules, not only the first that refuses the event, so that nobody has to ask again after a
// change.
func explanation(w *webhook.Webhook, e events.Event) Explanation {
	project := project.Of(e)
	refusals := w.Refusals(e.Type, project)
	explained := Explanation{Webhook: w, Match: len(refusals) == 0}
	for _, rule := range refusals {
		explained.Reasons = append(explained.Reasons, Reason{rule, because(w, rule, e.Type, project)})
	}
	if w.Paused {
		explained.Reasons = append(explained.Reasons, Reason{
			webhook.RulePaused, "The webhook is paused. Its deliveries are held until somebody resumes it.",
		})
	}
	return explained
}

// because returns the reason why the rule refuses the event, in a sentence.
func because(w *webhook.Webhook, rule webhook.Rule, eventType, project string) string {
	switch rule {
	case webhook.RuleEnabled:
		return fmt.Sprintf("The webhook is disabled (%s).", w.DisabledReason)
	case webhook.RuleEvent:
		text := fmt.Sprintf("The webhook subscribes to %s, but not to %s.", strings.Join(w.Subscription.Events, ", "), eventType)
		if t, known := events.Lookup(eventType); known && t.OptIn {
			text += " Only webhooks that name this type exactly get it."
		}
		return text
	}
	selected := "The webhook wants events of one selected project"
	if n := len(w.Subscription.Projects.IDs); n != 1 {
		selected = fmt.Sprintf("The webhook wants events of %d selected projects", n)
	}
	if project == "" {
		return selected + ", but this event does not belong to a project."
	}
	return fmt.Sprintf("%s, but not of project %s.", selected, project)
}
