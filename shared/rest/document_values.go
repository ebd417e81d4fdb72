package rest

import (
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"nepenthes/events"
	"nepenthes/shared/access"
)

// enumerate adds the values of members that have a closed list: event types and scopes.
func enumerate(registry huma.Registry) {
	all := registry.Map()
	for _, name := range []string{"Webhook", "WebhookPatch"} {
		all[name].Properties["events"].Items.Enum = values(patterns())
	}
	all["PingEvent"].Properties["event"].Enum = append(values(typeNames(everyType)), nil)
	for _, name := range []string{"Envelope", "CloudEvent", "EventDraft", "CloudEventDraft"} {
		all[name].Properties["type"].Enum = values(typeNames(producersType))
		all[name].Properties["data"].Not = &huma.Schema{Type: "null"}
	}
	for _, name := range []string{"CloudEvent", "CloudEventDraft"} { // CloudEvents 1.0, "Naming conventions"
		all[name].Extensions = map[string]any{"propertyNames": map[string]string{"pattern": "^[a-z0-9]+$"}}
	}
	for _, name := range []string{"Webhook", "WebhookPatch"} { // RFC 9110 §5.6.2
		all[name].Properties["headers"].Extensions = map[string]any{"propertyNames": map[string]string{"pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"}}
	}
	for _, name := range []string{"OAuthClient", "ClientPatch"} {
		all[name].Properties["scopes"].Items.Enum = values(access.Scopes())
	}
}

func everyType(events.Type) bool { return true }

func producersType(t events.Type) bool { return !t.Operational }

// typeNames returns the names of the event types that keep selects.
func typeNames(keep func(events.Type) bool) (names []string) {
	for _, t := range events.Types() {
		if keep(t) {
			names = append(names, t.Name)
		}
	}
	return names
}

// patterns returns the event patterns that a webhook can subscribe to.
func patterns() []string {
	all := []string{"*"}
	for _, t := range events.Types() {
		if wildcard := t.Resource + ":*"; !slices.Contains(all, wildcard) {
			all = append(all, wildcard)
		}
		all = append(all, t.Name)
	}
	return all
}

// values returns the values of a closed list for a schema.
func values[S ~string](list []S) []any {
	all := make([]any, len(list))
	for i, s := range list {
		all[i] = string(s)
	}
	return all
}
