package events

import (
	"encoding/json"
	"slices"
	"strings"
)

// Type is an entry of the catalogue: one kind of event.
type Type struct {
	// Name is Resource, a colon, and Action: "work_package:updated".
	Name, Resource, Action string
	// Description is a sentence for people who choose what to subscribe to.
	Description string
	// PayloadKey is the member that carries data in bodies of the format nepenthes: "work_package".
	PayloadKey string
	// Operational types are about webhooks; no producer may send them, and a webhook gets them only when it
	// names them, or "webhook:*".
	Operational bool
	// OptIn types reach a webhook only when it names them.
	OptIn bool
	// Schema describes data: a JSON Schema (2020-12). Data that does not follow it is delivered all the same.
	Schema json.RawMessage
	// Example is the data of the type's example event.
	Example json.RawMessage
}

const webhookResource = "webhook"

// resources is the catalogue in its order. Each action comes with what the resource's description says of it.
var resources = []struct {
	name, noun string
	payloadKey string // the resource's name when empty
	actions    []action
}{
	{name: "project", noun: "A project", actions: lifecycle},
	{name: "work_package", noun: "A work package", actions: lifecycle},
	{name: "time_entry", noun: "A time entry", actions: lifecycle},
	{name: "attachment", noun: "An attachment", actions: lifecycle},
	{name: "wiki_page", noun: "A wiki page", actions: lifecycle},
	{name: "member", noun: "A membership of a project", actions: lifecycle},
	{name: "version", noun: "A version of a project", actions: lifecycle},
	{name: "user", noun: "A user", actions: lifecycle},
	{name: "work_package_comment", noun: "A comment on a work package", payloadKey: "activity", actions: []action{
		{name: "comment", sentence: "that everybody who sees the work package may read was written."},
		{name: "internal_comment", sentence: "that only some people may read was written.", optIn: true},
	}},
	{name: webhookResource, noun: "A webhook", actions: []action{
		{name: "ping", sentence: "was asked to show that its receiver can be reached."},
	}},
}

type action struct {
	name, sentence string
	optIn          bool
}

var lifecycle = []action{
	{name: "created", sentence: "was created."},
	{name: "updated", sentence: "was changed."},
	{name: "deleted", sentence: "was deleted."},
}

// kinds has every type without schema and example, which decoding does not need, and positions where a name
// stands in it.
var kinds, positions = listTypes()

func listTypes() ([]Type, map[string]int) {
	var types []Type
	positions := map[string]int{}
	for _, resource := range resources {
		for _, action := range resource.actions {
			t := Type{
				Name:        resource.name + ":" + action.name,
				Resource:    resource.name,
				Action:      action.name,
				Description: resource.noun + " " + action.sentence,
				PayloadKey:  resource.payloadKey,
				Operational: resource.name == webhookResource,
				OptIn:       action.optIn,
			}
			if t.PayloadKey == "" {
				t.PayloadKey = resource.name
			}
			positions[t.Name] = len(types)
			types = append(types, t)
		}
	}
	return types, positions
}

// Types is the whole catalogue in its order. The slice is the caller's; Schema and Example are shared and must
// not be written to.
func Types() []Type { return slices.Clone(catalogue().types) }

// Names lists the names of all types in the order of [Types], without what Types reads of each.
func Names() []string {
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = kind.Name
	}
	return names
}

// Lookup finds a type by its exact name. It answers false when there is none.
func Lookup(name string) (Type, bool) {
	position, known := positions[name]
	if !known {
		return Type{}, false
	}
	return catalogue().types[position], true
}

// Example is the example event of a type: always the same id, and Data that is shared and must not be written
// to. It answers false when there is no such type. Examples of operational types, like the events that they
// stand for, are refused from a producer.
func Example(name string) (Event, bool) {
	position, known := positions[name]
	if !known {
		return Event{}, false
	}
	return catalogue().examples[position].clone(), true
}

// clone copies what a caller may want to change: the people of the example world are not shared.
func (e Event) clone() Event {
	if e.Project != nil {
		project := *e.Project
		e.Project = &project
	}
	if e.Actor != nil {
		actor := *e.Actor
		e.Actor = &actor
	}
	return e
}

// CheckPattern tells whether a webhook may subscribe to pattern: the exact name of a type, "<resource>:*", or
// "*". It fails with an [*Error] of reason UnknownType.
func CheckPattern(pattern string) error {
	if _, known := positions[pattern]; known || pattern == "*" {
		return nil
	}
	if resource, found := strings.CutSuffix(pattern, ":*"); found && isResource(resource) {
		return nil
	}
	return &Error{Reason: UnknownType, Problems: []Problem{{
		Message: `It must be the exact name of an event type, a resource followed by ":*", or "*".`,
	}}}
}

func isResource(name string) bool {
	return slices.ContainsFunc(kinds, func(t Type) bool { return t.Resource == name })
}

// Matches tells whether a subscription to pattern wants events of the type called name. What is opt-in is
// reached by its exact name only; operational types by that or by "webhook:*". Unknown names match nothing.
func Matches(pattern, name string) bool {
	position, known := positions[name]
	if !known {
		return false
	}
	kind := kinds[position]
	switch {
	case pattern == name:
		return true
	case kind.OptIn:
		return false
	case pattern == "*":
		return !kind.Operational
	}
	resource, found := strings.CutSuffix(pattern, ":*")
	return found && resource == kind.Resource
}
