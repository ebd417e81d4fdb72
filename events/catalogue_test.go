package events_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"nepenthes/events"
)

// promised lists the types that the documentation promises, in the order of the catalogue.
var promised = []string{
	"project:created", "project:updated", "project:deleted",
	"work_package:created", "work_package:updated", "work_package:deleted",
	"time_entry:created", "time_entry:updated", "time_entry:deleted",
	"attachment:created", "attachment:updated", "attachment:deleted",
	"wiki_page:created", "wiki_page:updated", "wiki_page:deleted",
	"member:created", "member:updated", "member:deleted",
	"version:created", "version:updated", "version:deleted",
	"user:created", "user:updated", "user:deleted",
	"work_package_comment:comment", "work_package_comment:internal_comment",
	"webhook:ping",
}

func TestTypesAreThePromisedTypes(t *testing.T) {
	var got []string
	for _, kind := range events.Types() {
		got = append(got, kind.Name)
	}
	if diff := cmp.Diff(promised, got); diff != "" {
		t.Error(diff)
	}
}

func TestEachType(t *testing.T) {
	ids := map[string]string{}
	for _, kind := range events.Types() {
		t.Run(kind.Name, func(t *testing.T) {
			if found, ok := events.Lookup(kind.Name); !ok || !cmp.Equal(found, kind) {
				t.Errorf("Lookup returned %+v, %t", found, ok)
			}
			if kind.Name != kind.Resource+":"+kind.Action {
				t.Errorf("got resource %q and action %q", kind.Resource, kind.Action)
			}
			if !strings.HasSuffix(kind.Description, ".") {
				t.Errorf("the description %q does not end with a full stop", kind.Description)
			}
			if want := kind.Resource == "webhook"; kind.Operational != want {
				t.Errorf("got operational %t, want %t", kind.Operational, want)
			}
			if want := kind.Name == "work_package_comment:internal_comment"; kind.OptIn != want {
				t.Errorf("got opt-in %t, want %t", kind.OptIn, want)
			}
			wantKey := kind.Resource
			if wantKey == "work_package_comment" {
				wantKey = "activity"
			}
			if kind.PayloadKey != wantKey {
				t.Errorf("got payload key %q, want %q", kind.PayloadKey, wantKey)
			}
			example, ok := events.Example(kind.Name)
			if !ok || example.Type != kind.Name || !bytes.Equal(example.Data, kind.Example) {
				t.Fatalf("got example %+v, %t", example, ok)
			}
			if other, taken := ids[example.ID]; taken {
				t.Errorf("the example of %s has the same id", other)
			}
			ids[example.ID] = kind.Name
			checkExample(t, kind, example)
		})
	}
}

func checkExample(t *testing.T, kind events.Type, example events.Event) {
	t.Helper()
	file, err := os.ReadFile(fmt.Sprintf("examples/%s.%s.json", kind.Resource, kind.Action))
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := events.Decode(file)
	if kind.Operational {
		var refusal *events.Error
		if !errors.As(err, &refusal) || !slices.Equal(attributes(refusal), []string{"source", "type"}) {
			t.Errorf("got %v, want only source and type refused", err)
		}
	} else if err != nil || decoded.Digest() == (events.Event{}).Digest() {
		t.Errorf("a producer cannot send the file: %v", err)
	}
	if example.Occurred().IsZero() {
		t.Error("the example has no valid time")
	}
	if !strings.Contains(string(example.Data), `"_links":{"self":{"href":"/api/v3/`) {
		t.Error("data has no link to itself")
	}
	checkSchema(t, kind)
}

// checkSchema checks the example against its schema, including formats, and the schema against the JSON Schema standard.
func checkSchema(t *testing.T, kind events.Type) {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	text, err := jsonschema.UnmarshalJSON(bytes.NewReader(kind.Schema))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiler.AddResource("schema.json", text); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	data, err := jsonschema.UnmarshalJSON(bytes.NewReader(kind.Example))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(data); err != nil {
		t.Errorf("the example does not follow its schema: %v", err)
	}
	if err := schema.Validate(map[string]any{"_type": "Other"}); err == nil {
		t.Error("the schema accepts a resource of another type")
	}
}

// resource has the members that receivers written for OpenProject read first.
type resource struct {
	Type     string                     `json:"_type"`
	ID       any                        `json:"id"`
	Embedded map[string]json.RawMessage `json:"_embedded"`
	Links    map[string]json.RawMessage `json:"_links"`
}

// embeddedTypes has the type of each resource and the types of the resources that it embeds, as in the webhooks of
// OpenProject. OpenProject has no webhooks for members, versions and wiki pages; their types are those of its API.
var embeddedTypes = map[string]struct {
	itself   string
	embedded map[string]string
}{
	"project": {"Project", map[string]string{"status": "ProjectStatus"}},
	"work_package": {"WorkPackage", map[string]string{
		"project": "Project", "type": "Type", "status": "Status", "priority": "Priority", "author": "User", "responsible": "User",
		"version": "Version", "attachments": "Collection", "relations": "Collection",
	}},
	"time_entry":           {"TimeEntry", map[string]string{"project": "Project", "workPackage": "WorkPackage", "user": "User", "activity": "TimeEntriesActivity"}},
	"attachment":           {"Attachment", map[string]string{"author": "User", "container": "WorkPackage"}},
	"wiki_page":            {"WikiPage", map[string]string{"project": "Project"}},
	"member":               {"Membership", map[string]string{"project": "Project", "principal": "User"}},
	"version":              {"Version", map[string]string{"definingProject": "Project"}},
	"user":                 {"User", nil},
	"work_package_comment": {"Activity::Comment", map[string]string{"workPackage": "WorkPackage", "user": "User"}},
	"webhook":              {"Webhook", nil},
}

func TestExamplesEmbedTheResourcesThatReceiversRead(t *testing.T) {
	for _, kind := range events.Types() {
		t.Run(kind.Name, func(t *testing.T) {
			want, known := embeddedTypes[kind.Resource]
			example := read[resource](t, kind.Example)
			if !known || example.Type != want.itself || example.ID == nil || href(t, example.Links["self"]) == "" {
				t.Errorf("got type %s and id %v, want %s with an id and a link to itself", example.Type, example.ID, want.itself)
			}
			for name, itself := range want.embedded {
				part := read[resource](t, example.Embedded[name])
				if part.Type != itself || part.ID == nil && itself != "Collection" {
					t.Errorf("got %s with type %s and id %v, want type %s", name, part.Type, part.ID, itself)
				}
				if got, linked := href(t, part.Links["self"]), href(t, example.Links[name]); got == "" || got != linked {
					t.Errorf("the embedded %s links to %q, want %q", name, got, linked)
				}
			}
		})
	}
}

// Receivers written for OpenProject read these members of the author and the container of an attachment.
func TestAttachmentsEmbedWholeResources(t *testing.T) {
	for name, members := range map[string][]string{
		"author":    {"_type", "id", "name", "login", "firstName", "lastName", "email", "admin", "status", "language", "createdAt", "updatedAt"},
		"container": {"_type", "id", "lockVersion", "subject", "description", "scheduleManually", "startDate", "dueDate", "percentageDone", "createdAt", "updatedAt", "_links"},
	} {
		for _, action := range []string{"created", "updated", "deleted"} {
			example, _ := events.Example("attachment:" + action)
			part := read[map[string]any](t, read[resource](t, example.Data).Embedded[name])
			for _, member := range members {
				if _, exists := part[member]; !exists {
					t.Errorf("attachment:%s: %s has no %s", action, name, member)
				}
			}
		}
	}
}

func href(t *testing.T, link json.RawMessage) string {
	t.Helper()
	return read[struct{ Href string }](t, link).Href
}

// read parses JSON. It returns the zero value if text is nil.
func read[T any](t *testing.T, text json.RawMessage) (value T) {
	t.Helper()
	if text == nil {
		return value
	}
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestEachExampleFileBelongsToAType(t *testing.T) {
	files, err := filepath.Glob("examples/*")
	if err != nil || len(files) != len(promised) {
		t.Errorf("%d files for %d types, %v", len(files), len(promised), err)
	}
}

func TestCallersMayChangeExamples(t *testing.T) {
	changed, _ := events.Example("work_package:updated")
	changed.ID, changed.Project.ID, changed.Actor.Name = "x", "x", "x"
	events.Types()[0].Name = "x"
	again, _ := events.Example("work_package:updated")
	if again.ID == "x" || again.Project.ID == "x" || again.Actor.Name == "x" || events.Types()[0].Name == "x" {
		t.Error("the change of one caller reached the next caller")
	}
}

func TestUnknownNames(t *testing.T) {
	for _, name := range []string{"", "*", "work_package", "work_package:*", "Work_package:updated", "work_package:updated ", "pump:broken"} {
		if _, ok := events.Lookup(name); ok {
			t.Errorf("Lookup found %q", name)
		}
		if _, ok := events.Example(name); ok {
			t.Errorf("Example found %q", name)
		}
	}
}

func TestCheckPattern(t *testing.T) {
	good := append([]string{"*"}, promised...)
	for _, kind := range events.Types() {
		good = append(good, kind.Resource+":*")
	}
	for _, pattern := range good {
		if err := events.CheckPattern(pattern); err != nil {
			t.Errorf("%q: %v", pattern, err)
		}
	}
	for _, pattern := range []string{
		"", ":*", "*:*", "**", "*:created", "work_package", "work_package:", "work_package:upd*", "work:*", "work_package:**",
		"Work_package:*", " work_package:*", "work_package:updated\n", "pump:*",
	} {
		var refusal *events.Error
		if err := events.CheckPattern(pattern); !errors.As(err, &refusal) || refusal.Reason != events.UnknownType {
			t.Errorf("%q: got %v, want %s", pattern, err, events.UnknownType)
		}
	}
}

func TestMatches(t *testing.T) {
	matched := func(pattern string) []string {
		return slices.DeleteFunc(slices.Clone(promised), func(name string) bool { return !events.Matches(pattern, name) })
	}
	for pattern, want := range map[string][]string{
		"*":                                     promised[:25], // all except internal_comment and the operational type
		"work_package:*":                        promised[3:6],
		"work_package_comment:*":                {"work_package_comment:comment"},
		"webhook:*":                             promised[26:],
		"":                                      {},
		"*:*":                                   {},
		"work:*":                                {},
		"work_package":                          {},
		"work_package_comment:internal_comment": {"work_package_comment:internal_comment"},
		"webhook:ping":                          {"webhook:ping"},
	} {
		t.Run(pattern, func(t *testing.T) {
			if diff := cmp.Diff(want, matched(pattern)); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, name := range promised {
		if got := matched(name); !slices.Equal(got, []string{name}) {
			t.Errorf("the pattern %s matches %q, want only itself", name, got)
		}
	}
	if events.Matches("pump:broken", "pump:broken") || events.Matches("*", "pump:broken") || events.Matches("*", "") {
		t.Error("an unknown name matches")
	}
}

// API clients see each schema alone, so it must not refer to other files.
func TestSchemasStandAlone(t *testing.T) {
	for _, kind := range events.Types() {
		var schema struct {
			Schema string `json:"$schema"`
			Type   string `json:"type"`
		}
		if err := json.Unmarshal(kind.Schema, &schema); err != nil {
			t.Fatal(err)
		}
		if schema.Schema != "https://json-schema.org/draft/2020-12/schema" || schema.Type != "object" {
			t.Errorf("%s: got %+v", kind.Name, schema)
		}
		if bytes.Count(kind.Schema, []byte(`"$ref"`)) != bytes.Count(kind.Schema, []byte(`"$ref":"#/$defs/`)) {
			t.Errorf("%s: the schema refers to another file", kind.Name)
		}
	}
}

// FuzzCheckPattern checks that a webhook may subscribe to exactly those patterns that match a type, and that an opt-in type
// matches only its name.
func FuzzCheckPattern(f *testing.F) {
	for _, pattern := range []string{"*", "work_package:*", "work_package:updated", "webhook:*", "*:*", ":*", "work_package:upd*", "Ｗork_package:*", "work_package:*\x00"} {
		f.Add(pattern)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		matches := false
		for _, kind := range events.Types() {
			if !events.Matches(pattern, kind.Name) {
				continue
			}
			matches = true
			if kind.OptIn && pattern != kind.Name {
				t.Errorf("%q matches %s", pattern, kind.Name)
			}
		}
		if err := events.CheckPattern(pattern); (err == nil) != matches {
			t.Errorf("CheckPattern(%q) returned %v, but the pattern matches a type: %v", pattern, err, matches)
		}
	})
}
