package events

import (
	"encoding/json"
	"slices"
	"strings"
)

// Type is a type of event in the catalogue.
type Type struct {
	// Name is Resource, a colon and Action, such as "work_package:updated".
	Name, Resource, Action string
	// Description helps people to choose the types for a webhook. It has one or two sentences.
	Description string
	// PayloadKey is the name of the member that contains data in bodies of the format nepenthes, such as "work_package".
	PayloadKey string
	// Operational reports whether events of the type are about webhooks. Producers cannot send them. A webhook gets them only
	// if it subscribes to the name or to "webhook:*".
	Operational bool
	// OptIn reports whether a webhook gets the type only if it subscribes to the exact name.
	OptIn bool
	// Schema is a JSON Schema (2020-12) for data. It informs receivers: data that does not follow it is delivered too.
	Schema json.RawMessage
	// Example is the data of the example event.
	Example json.RawMessage
}

const webhookResource = "webhook"

// resources is the catalogue in its order. The description of a type is the noun of its resource and the predicate of its
// action.
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
	{name: "member", noun: "A membership in a project", actions: lifecycle},
	{name: "version", noun: "A version of a project", actions: lifecycle},
	{name: "user", noun: "A user", actions: lifecycle},
	{name: "work_package_comment", noun: "A comment on a work package", payloadKey: "activity", actions: []action{
		{name: "comment", predicate: "was written. Everyone who can see the work package can read it."},
		{name: "internal_comment", predicate: "was written. Only some people can read it.", optIn: true},
	}},
	{name: webhookResource, noun: "A webhook", actions: []action{
		{name: "ping", predicate: "was pinged to test whether its receiver can be reached."},
	}},
}

type action struct {
	name, predicate string
	optIn           bool
}

var lifecycle = []action{
	{name: "created", predicate: "was created."},
	{name: "updated", predicate: "was changed."},
	{name: "deleted", predicate: "was deleted."},
}

// kinds holds all types without their schemas and examples, which decoding does not need. positions maps the name of a type
// to its index in kinds.
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
				Description: resource.noun + " " + action.predicate,
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

// Types returns all types in the order of the catalogue. The caller may change the slice, but not the bytes of Schema and
// Example, which are shared.
func Types() []Type { return slices.Clone(catalogue().types) }

// Names returns the names of all types in the order of [Types]. Unlike Types, it does not read schemas and examples.
func Names() []string {
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = kind.Name
	}
	return names
}

// Lookup returns the type with the exact name. It returns false if the catalogue does not have the name.
func Lookup(name string) (Type, bool) {
	position, known := positions[name]
	if !known {
		return Type{}, false
	}
	return catalogue().types[position], true
}

// Example returns the example event of a type. Its id is always the same. Its Data is shared and must not be changed. A
// producer cannot send the example of an operational type. Example returns false if the catalogue does not have the name.
func Example(name string) (Event, bool) {
	position, known := positions[name]
	if !known {
		return Event{}, false
	}
	return catalogue().examples[position].clone(), true
}

// clone copies the project and the actor too, so that a caller may change them.
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

// CheckPattern returns nil if a webhook may subscribe to pattern. A pattern is the exact name of a type, "<resource>:*" or
// "*". For any other text, CheckPattern returns an [*Error] with reason UnknownType.
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

// Matches reports whether a webhook that subscribes to pattern gets events of the type with the given name. An opt-in type
// matches only its exact name. An operational type matches its exact name and "webhook:*". An unknown name matches nothing.
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
