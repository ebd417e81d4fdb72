package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"

	"nepenthes/shared/limits"
	"nepenthes/shared/routes"
)

// object is a part of a template.
type object = map[string]any

// template is a synthesised stack in the form that CloudFormation reads.
type template struct {
	Resources map[string]resource
	Outputs   map[string]object
	findings  []string // violations of AWS's solution rules
	text      string
}

type resource struct {
	Type                                string
	Properties                          object
	DeletionPolicy, UpdateReplacePolicy string
	DependsOn                           []string
}

// defaults returns the options of a deployment that sets none.
func defaults() options {
	return options{stage: "dev", retentionDays: limits.RetentionDays, requestsPerSecond: requestsPerSecond}
}

// chosen returns the options of a deployment that sets all of them.
func chosen() options {
	o := defaults()
	o.stage, o.publicURL, o.allowHTTP, o.retentionDays, o.requestsPerSecond = "prod", "https://hooks.example.com", true, 90, 7
	o.producers, o.alarmAddress, o.reserved, o.staticEgress = []string{"111111111111", "222222222222"}, "ops@example.com", 20, true
	o.domainName, o.certificateARN = "hooks.example.com", "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
	return o
}

// The templates that tests read. Creating one takes seconds, so they are shared.
var (
	plain    = sync.OnceValues(func() (*template, error) { return synthesise(defaults(), "release") })
	full     = sync.OnceValues(func() (*template, error) { return synthesise(chosen(), "release") })
	emulator = sync.OnceValues(func() (*template, error) { return synthesise(defaults(), "emulator") })
)

func of(t *testing.T, make func() (*template, error)) *template {
	t.Helper()
	made, err := make()
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// synthesise creates a template from empty files instead of binaries, whose content does not matter here.
func synthesise(o options, content string) (*template, error) {
	folder, err := os.MkdirTemp("", "binaries")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	o.binaries = folder
	for _, f := range routes.Functions() {
		if err := os.MkdirAll(filepath.Join(folder, string(f)), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(folder, string(f), "bootstrap"), []byte(content+string(f)), 0o755); err != nil {
			return nil, err
		}
	}
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(filepath.Join(folder, "cdk.out"))})
	s := newStack(app, o)
	check(app)
	text, err := json.Marshal(assertions.Template_FromStack(s.Stack, nil).ToJSON())
	if err != nil {
		return nil, err
	}
	made := &template{text: string(text)}
	annotations := assertions.Annotations_FromStack(s.Stack)
	anything := assertions.Match_StringLikeRegexp(jsii.String(".*"))
	for _, m := range slices.Concat(*annotations.FindError(jsii.String("*"), anything), *annotations.FindWarning(jsii.String("*"), anything)) {
		//lint:ignore SA1019 the new package for messages does not exist for Go yet
		made.findings = append(made.findings, fmt.Sprint(*m.Id, ": ", m.Entry.Data))
	}
	return made, json.Unmarshal(text, made)
}

// each returns the resources of a type by their logical ids.
func (tpl *template) each(t *testing.T, kind string) map[string]resource {
	t.Helper()
	found := map[string]resource{}
	for id, r := range tpl.Resources {
		if r.Type == kind {
			found[id] = r
		}
	}
	if len(found) == 0 {
		t.Fatalf("there is no %s", kind)
	}
	return found
}

// get follows a path of members. It returns nil if a member does not exist.
func get(value any, path ...string) any {
	for _, name := range path {
		members, ok := value.(object)
		if !ok {
			return nil
		}
		value = members[name]
	}
	return value
}

// list returns the values of a list, or a list with the value.
func list(value any) []any {
	if values, ok := value.([]any); ok {
		return values
	}
	if value == nil {
		return nil
	}
	return []any{value}
}

// id returns the logical id to which a value refers, with Ref or with an attribute.
func id(value any) string {
	if ref, ok := get(value, "Ref").(string); ok {
		return ref
	}
	if attribute := list(get(value, "Fn::GetAtt")); len(attribute) == 2 {
		return attribute[0].(string)
	}
	return ""
}

// hash matches the end of every logical id.
var hash = regexp.MustCompile(`[0-9A-F]{8}$`)

// called reports whether a logical id belongs to the concern and the name.
func called(id, part, name string) bool {
	name = strings.ReplaceAll(name, "-", "")
	rest, ok := strings.CutPrefix(hash.ReplaceAllString(id, ""), part+name)
	return ok && (rest == "" || rest == "Function" || rest == "Role" || rest == "RoleDefaultPolicy" || rest == "Log")
}

// one returns the resource of a type with the given concern and name.
func (tpl *template) one(t *testing.T, kind, part, name string) (string, resource) {
	t.Helper()
	for id, r := range tpl.each(t, kind) {
		if called(id, part, name) {
			return id, r
		}
	}
	t.Fatalf("there is no %s %s", kind, name)
	return "", resource{}
}

// function returns the resource of the function.
func (tpl *template) function(t *testing.T, f routes.Function) (string, resource) {
	t.Helper()
	return tpl.one(t, "AWS::Lambda::Function", "Functions", string(f))
}

// statement is one statement of a policy.
type statement struct {
	holder     string // the policy's logical id
	effect     string
	actions    []string
	resources  []any
	principal  any
	conditions object
}

// statements returns the statements of all policies: of roles, of queues, of the topic and of the key.
func (tpl *template) statements(t *testing.T) (all []statement) {
	t.Helper()
	for holder, r := range tpl.Resources {
		for _, document := range []any{r.Properties["PolicyDocument"], r.Properties["KeyPolicy"]} {
			for _, s := range list(get(document, "Statement")) {
				made := statement{holder: holder, resources: list(get(s, "Resource")), principal: get(s, "Principal")}
				made.effect, _ = get(s, "Effect").(string)
				made.conditions, _ = get(s, "Condition").(object)
				for _, a := range list(get(s, "Action")) {
					made.actions = append(made.actions, a.(string))
				}
				all = append(all, made)
			}
		}
	}
	return all
}

// of reports whether the statement is in the policy of the function's role.
func (s statement) of(f routes.Function) bool {
	return called(s.holder, "Functions", string(f)) && strings.Contains(s.holder, "RoleDefaultPolicy")
}
