package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The judge evaluates policies as IAM does, as far as the stack's policies need it. So tests of the template can check
// what only the cloud enforces. A test fails if a policy has an operator that the judge does not know.

// The account and region in which the judge evaluates the template.
const (
	thisAccount = "123456789012"
	thisRegion  = "eu-central-1"
)

// request is a call to AWS. A context key that is absent has no values.
type request struct {
	service  string // the calling service; empty for the role that has the policies
	action   string
	resource string
	context  map[string][]string
}

// policy is a statement in the form that the judge reads: resources are ARNs and conditions are texts.
type policy struct {
	effect             string
	actions, resources []string
	principal          any
	conditions         []condition
}

// condition is a condition on one key.
type condition struct {
	operator, key string
	wanted        []string
}

// operators compare a value of a policy with a value of a request. Operators for ARNs accept wildcards.
var operators = map[string]func(wanted, value string) bool{
	"StringEquals": func(wanted, value string) bool { return wanted == value },
	"StringLike":   like, "ArnLike": like, "ArnEquals": like,
	"Bool": strings.EqualFold,
}

// read converts statements to policies.
func (tpl *template) read(t *testing.T, statements []statement) (policies []policy) {
	t.Helper()
	for _, s := range statements {
		p := policy{effect: s.effect, actions: s.actions, resources: tpl.resolveAll(t, s.resources), principal: s.principal}
		for operator, keys := range s.conditions {
			name := strings.TrimSuffix(strings.TrimPrefix(operator, "ForAllValues:"), "IfExists")
			if operators[name] == nil {
				t.Fatalf("the judge does not know %s", operator)
			}
			for key, wanted := range keys.(object) {
				p.conditions = append(p.conditions, condition{operator, key, tpl.resolveAll(t, list(wanted))})
			}
		}
		policies = append(policies, p)
	}
	return policies
}

// allows reports whether the policies allow the request: at least one allows it and none denies it.
func allows(policies []policy, r request) bool {
	allowed := false
	for _, p := range policies {
		if p.covers(r) {
			if p.effect == "Deny" {
				return false
			}
			allowed = true
		}
	}
	return allowed
}

// covers reports whether the policy applies to the request.
func (p policy) covers(r request) bool {
	return slices.ContainsFunc(p.actions, func(a string) bool { return like(strings.ToLower(a), strings.ToLower(r.action)) }) &&
		slices.ContainsFunc(p.resources, func(pattern string) bool { return like(pattern, r.resource) }) && p.isFor(r.service) &&
		!slices.ContainsFunc(p.conditions, func(c condition) bool { return !c.holds(r.context[c.key]) })
}

// isFor reports whether the service is the policy's principal. The policies of roles have no principal.
func (p policy) isFor(service string) bool {
	if service == "" {
		return p.principal == nil
	}
	return p.principal == "*" || get(p.principal, "AWS") == "*" || slices.Contains(list(get(p.principal, "Service")), any(service))
}

// holds reports whether the request meets the condition: each of its values for the key must be wanted. If it has no
// value, the condition holds for ForAllValues operators and for IfExists operators.
func (c condition) holds(values []string) bool {
	operator, all := strings.CutPrefix(c.operator, "ForAllValues:")
	operator, optional := strings.CutSuffix(operator, "IfExists")
	if len(values) == 0 {
		return all || optional
	}
	return !slices.ContainsFunc(values, func(value string) bool {
		return !slices.ContainsFunc(c.wanted, func(wanted string) bool { return operators[operator](wanted, value) })
	})
}

// like matches a text with a pattern of policies: * matches any text, ? matches one character.
func like(pattern, text string) bool {
	quoted := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern))
	return regexp.MustCompile(`(?s)^` + quoted + `$`).MatchString(text)
}

func (tpl *template) resolveAll(t *testing.T, values []any) (texts []string) {
	t.Helper()
	for _, v := range values {
		texts = append(texts, tpl.resolve(t, v))
	}
	return texts
}

// resolve returns a value of the template with its references resolved, as CloudFormation does. The names of resources
// are their logical ids.
func (tpl *template) resolve(t *testing.T, value any) string {
	t.Helper()
	if text, ok := value.(string); ok {
		return text
	}
	pseudo := map[string]string{
		"AWS::Partition": "aws", "AWS::Region": thisRegion, "AWS::AccountId": thisAccount, "AWS::URLSuffix": "amazonaws.com",
	}
	if ref, ok := get(value, "Ref").(string); ok {
		if text, ok := pseudo[ref]; ok {
			return text
		}
		if tpl.Resources[ref].Type == "AWS::SNS::Topic" {
			return tpl.arn(t, ref)
		}
		return ref
	}
	if attribute := list(get(value, "Fn::GetAtt")); len(attribute) == 2 {
		name := attribute[0].(string)
		if attribute[1] == "Arn" || tpl.Resources[name].Type == "AWS::SecretsManager::Secret" {
			return tpl.arn(t, name)
		}
		return name
	}
	if join := list(get(value, "Fn::Join")); len(join) == 2 {
		var parts []string
		for _, part := range list(join[1]) {
			parts = append(parts, tpl.resolve(t, part))
		}
		return strings.Join(parts, join[0].(string))
	}
	t.Fatalf("the judge cannot read %v", value)
	return ""
}

// arns has the ends of the ARNs of resources, after the account.
var arns = map[string]struct{ service, form string }{
	"AWS::CloudWatch::Alarm":      {"cloudwatch", "alarm:%s"},
	"AWS::DynamoDB::Table":        {"dynamodb", "table/%s"},
	"AWS::Events::Rule":           {"events", "rule/%s"},
	"AWS::IAM::Role":              {"iam", "role/%s"},
	"AWS::KMS::Key":               {"kms", "key/%s"},
	"AWS::Lambda::Function":       {"lambda", "function:%s"},
	"AWS::Logs::LogGroup":         {"logs", "log-group:%s:*"},
	"AWS::SecretsManager::Secret": {"secretsmanager", "secret:%s"},
	"AWS::SNS::Topic":             {"sns", "%s"},
	"AWS::SQS::Queue":             {"sqs", "%s"},
}

// arn returns the ARN of a resource.
func (tpl *template) arn(t *testing.T, id string) string {
	t.Helper()
	form, known := arns[tpl.Resources[id].Type]
	if !known {
		t.Fatalf("the judge does not know the ARNs of %s", tpl.Resources[id].Type)
	}
	return "arn:aws:" + form.service + ":" + thisRegion + ":" + thisAccount + ":" + fmt.Sprintf(form.form, id)
}

// roleOf returns all policies of a role.
func (tpl *template) roleOf(t *testing.T, role string) []policy {
	t.Helper()
	return tpl.policies(t, role, "Roles")
}

// policies returns the policies that are attached to the resource by one of the properties.
func (tpl *template) policies(t *testing.T, resource string, properties ...string) []policy {
	t.Helper()
	var attached []statement
	for _, s := range tpl.statements(t) {
		for _, name := range properties {
			if slices.ContainsFunc(list(tpl.Resources[s.holder].Properties[name]), func(r any) bool { return id(r) == resource }) {
				attached = append(attached, s)
			}
		}
	}
	return tpl.read(t, attached)
}

func TestTheJudgeEvaluatesLikeIAM(t *testing.T) {
	tpl := of(t, plain)
	allow := func(conditions object) statement {
		return statement{effect: "Allow", actions: []string{"x:Put*"}, resources: []any{"a:?:*"}, conditions: conditions}
	}
	put := func(keys ...string) request {
		return request{action: "x:PutItem", resource: "a:b:c", context: map[string][]string{"keys": keys}}
	}
	some := allow(object{"ForAllValues:StringLike": object{"keys": []any{"one", "two:*"}}})
	deny := statement{effect: "Deny", actions: []string{"x:*"}, resources: []any{"*"}, conditions: object{"StringEquals": object{"keys": "one"}}}
	for name, c := range map[string]struct {
		policies []statement
		request  request
		want     bool
	}{
		"nothing allows nothing":     {nil, put(), false},
		"an action of another name":  {[]statement{allow(nil)}, request{action: "x:GetItem", resource: "a:b:c"}, false},
		"another resource":           {[]statement{allow(nil)}, request{action: "x:PutItem", resource: "a:bb:c"}, false},
		"a service is not a role":    {[]statement{allow(nil)}, request{service: "s", action: "x:PutItem", resource: "a:b:c"}, false},
		"no conditions":              {[]statement{allow(nil)}, put("any"), true},
		"each value matches":         {[]statement{some}, put("one", "two:2"), true},
		"one value does not match":   {[]statement{some}, put("one", "two"), false},
		"the case of letters counts": {[]statement{some}, put("One"), false},
		"no values":                  {[]statement{some}, put(), true},
		"a denial wins":              {[]statement{allow(nil), deny}, put("one"), false},
		"a denial of another":        {[]statement{allow(nil), deny}, put("two"), true},
	} {
		if got := allows(tpl.read(t, c.policies), c.request); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
