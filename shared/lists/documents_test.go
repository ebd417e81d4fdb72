package lists_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"nepenthes/events"
	"nepenthes/shared/api"
	"nepenthes/shared/cursor"
	"nepenthes/shared/rest"
	"nepenthes/shared/settings"
)

// enums maps the place of an enumeration in the OpenAPI document to the name of its closed list. A place is the name of a
// schema with the name of a member, or the id of an operation with the name of a parameter.
var enums = map[string]string{
	"Attempt.outcome":            "shared/delivery.Outcome",
	"Attempt.trigger":            "shared/delivery.Trigger",
	"AttemptError.class":         "shared/delivery.ErrorClass",
	"ClientPatch.scopes":         "shared/access.Scope",
	"Delivery.reason":            "shared/delivery.Reason",
	"Delivery.state":             "shared/delivery.State",
	"LastAttempt.errorClass":     "shared/delivery.ErrorClass",
	"LastAttempt.outcome":        "shared/delivery.Outcome",
	"OAuthClient.scopes":         "shared/access.Scope",
	"Reason.rule":                "shared/webhook.Rule",
	"Resumption.held":            "shared/api.HeldChoice",
	"Secret.kind":                "shared/signing.Kind",
	"SecretInfo.kind":            "shared/signing.Kind",
	"Status.reason":              "shared/webhook.Reason",
	"Status.state":               "shared/webhook.State",
	"Webhook.payloadFormat":      "shared/webhook.Format",
	"Webhook.retrySchedule":      "shared/webhook.ScheduleName",
	"WebhookPatch.payloadFormat": "shared/webhook.Format",
	"WebhookPatch.retrySchedule": "shared/webhook.ScheduleName",
	"listDeliveries.state":       "shared/delivery.State",
}

// otherEnums lists the enumerations that are not closed lists. Package rest takes event types from the catalogue of
// package events. The other enumerations have fixed values.
var otherEnums = []string{
	"Webhook.events", "WebhookPatch.events", "PingEvent.event", "listDeliveries.event", "listDeadDeliveries.event",
	"Envelope.type", "EventDraft.type", "CloudEvent.type", "CloudEventDraft.type", "CloudEvent.specversion", "CloudEventDraft.specversion",
	"Response.bodyEncoding", "listDeadDeliveries.state", "Token.token_type", "TokenRequest.grant_type",
}

func TestTheOpenAPIDocumentHasTheLists(t *testing.T) {
	lists, found := closedLists(program(t)), document(t).enumerations()
	for _, place := range slices.Sorted(maps.Keys(found)) {
		list, known := enums[place]
		if !known && !slices.Contains(otherEnums, place) && !strings.HasSuffix(place, "._type") {
			t.Errorf("%s with the values %q has no closed list: add it to enums or otherEnums", place, found[place])
		}
		if want := texts(lists[list]); known && !slices.Equal(found[place], want) {
			t.Errorf("%s: got %q, want the values of %s: %q", place, found[place], list, want)
		}
	}
	for place := range enums {
		if found[place] == nil {
			t.Errorf("the document no longer has the enumeration %s: remove it from enums", place)
		}
	}
}

// texts returns the texts of values in alphabetical order.
func texts(values []value) (all []string) {
	for _, v := range values {
		all = append(all, v.text)
	}
	slices.Sort(all)
	return all
}

func TestTheDocumentationHasTheLists(t *testing.T) {
	lists := closedLists(program(t))
	for name, c := range map[string]struct{ got, want []string }{
		"actions":                 {completed(quoted(t, "operations.md", "The actions are:", "their target")), texts(lists["shared/api.Action"])},
		"reasons of dead letters": {quoted(t, "operations.md", "Its attribute `reason` is", "says"), append(texts(lists["events.Reason"]), "detail")},
		"scopes":                  {combined(quoted(t, "api.md", "Scopes are", "includes read")), texts(lists["shared/access.Scope"])},
		"schedules":               {quoted(t, "receiving.md", "| schedule |", "Waits vary"), texts(lists["shared/webhook.ScheduleName"])},
		"event types":             {producersTypes(t), producersNames()},
		"states in events":        {webhookSchema(t).State.values(), texts(lists["shared/webhook.State"])},
		"reasons in events":       {webhookSchema(t).Reason.values(), texts(lists["shared/webhook.Reason"])},
	} {
		t.Run(name, func(t *testing.T) {
			slices.Sort(c.got)
			slices.Sort(c.want)
			if !slices.Equal(c.got, c.want) {
				t.Errorf("got %q, want %q", c.got, c.want)
			}
		})
	}
}

var code = regexp.MustCompile("`([^`]+)`")

// section returns the part of a page of the documentation that is between two texts.
func section(t *testing.T, page, from, to string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	_, after, begins := strings.Cut(string(text), from)
	between, _, ends := strings.Cut(after, to)
	if !begins || !ends {
		t.Fatalf("%s has no text from %q to %q", page, from, to)
	}
	return between
}

// quoted returns the words of a section that are formatted as code.
func quoted(t *testing.T, page, from, to string) []string {
	t.Helper()
	return codes(section(t, page, from, to))
}

// codes returns the words of a text that are formatted as code.
func codes(text string) (all []string) {
	for _, found := range code.FindAllStringSubmatch(text, -1) {
		all = append(all, found[1])
	}
	return all
}

// completed returns full names: after "webhook.create", the name ".update" becomes "webhook.update".
func completed(names []string) []string {
	beginning := ""
	for i, name := range names {
		if strings.HasPrefix(name, ".") {
			names[i] = beginning + name
		} else {
			beginning, _, _ = strings.Cut(name, ".")
		}
	}
	return names
}

// combined appends every suffix among the names, such as ":read", to every other name.
func combined(names []string) (all []string) {
	for _, name := range names {
		for _, end := range names {
			if strings.HasPrefix(end, ":") && !strings.HasPrefix(name, ":") {
				all = append(all, name+end)
			}
		}
	}
	return all
}

// producersTypes returns the event types in the documentation, which has a table of resources and their actions.
func producersTypes(t *testing.T) (all []string) {
	t.Helper()
	for row := range strings.Lines(section(t, "producing.md", "| resource | actions |", "The name of a type")) {
		resources, actions, _ := strings.Cut(strings.Trim(row, "| \n"), "|")
		for _, resource := range codes(resources) {
			for _, action := range codes(actions) {
				all = append(all, resource+":"+action)
			}
		}
	}
	return all
}

// producersNames returns the event types that producers may send.
func producersNames() (all []string) {
	for _, kind := range events.Types() {
		if !kind.Operational {
			all = append(all, kind.Name)
		}
	}
	return all
}

// webhookStatus has the enumerations in the status of a webhook.
type webhookStatus struct{ State, Reason enumeration }

// webhookSchema returns the enumerations in the schema of events about webhooks.
func webhookSchema(t *testing.T) webhookStatus {
	t.Helper()
	kind, _ := events.Lookup("webhook:ping")
	var schema struct {
		Properties struct {
			Status struct{ Properties webhookStatus }
		}
	}
	if err := json.Unmarshal(kind.Schema, &schema); err != nil {
		t.Fatal(err)
	}
	return schema.Properties.Status.Properties
}

// openAPI is the part of the OpenAPI document that contains enumerations.
type openAPI struct {
	Components struct {
		Schemas map[string]struct{ Properties map[string]enumeration }
	}
	Paths map[string]map[string]struct {
		OperationID string
		Parameters  []struct {
			Name   string
			Schema enumeration
		}
	}
}

type enumeration struct {
	Enum  []any
	Items *enumeration
}

// values returns the texts of an enumeration in alphabetical order, without null.
func (e enumeration) values() (all []string) {
	if e.Items != nil {
		return e.Items.values()
	}
	for _, v := range e.Enum {
		if text, isText := v.(string); isText {
			all = append(all, text)
		}
	}
	slices.Sort(all)
	return all
}

// enumerations returns the values of each enumeration, by place.
func (d openAPI) enumerations() map[string][]string {
	all := map[string][]string{}
	add := func(place string, e enumeration) {
		if values := e.values(); values != nil {
			all[place] = values
		}
	}
	for name, schema := range d.Components.Schemas {
		for member, e := range schema.Properties {
			add(name+"."+member, e)
		}
	}
	for _, methods := range d.Paths {
		for _, operation := range methods {
			for _, p := range operation.Parameters {
				add(operation.OperationID+"."+p.Name, p.Schema)
			}
		}
	}
	return all
}

// operations has every operation, so that the document describes all of them. None is called.
var operations = api.Operations{
	Root: &api.Root{}, Settings: &api.Settings{}, Webhooks: &api.Webhooks{}, Deliveries: &api.Deliveries{}, Events: &api.Events{},
	Projects: &api.Projects{}, Clients: &api.Clients{},
}

// document returns the OpenAPI document.
func document(t *testing.T) (d openAPI) {
	t.Helper()
	handler := rest.New(rest.Config{
		Operations: operations, Verifier: nobody{}, Settings: defaults{}, CursorKey: make(cursor.Key, cursor.KeySize),
		Logger: slog.New(slog.DiscardHandler),
	})
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v3/openapi.json", nil))
	if err := json.Unmarshal(answer.Body.Bytes(), &d); err != nil {
		t.Fatalf("%v: %s", err, answer.Body)
	}
	return d
}

// nobody is a Verifier that is never called.
type nobody struct{ rest.Verifier }

// defaults is a source of the default settings.
type defaults struct{}

// Settings returns the default settings.
func (defaults) Settings(context.Context) (settings.Settings, error) { return settings.Defaults(), nil }
