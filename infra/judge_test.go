package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Policies are judged here as IAM does it, so far as the stack's policies go: what only the cloud enforces is held by
// tests of the template. An operator that the judge does not know fails the test.

// Where the template is deployed to, in the judge's eyes.
const (
	thisAccount = "123456789012"
	thisRegion  = "eu-central-1"
)

// request is a call of AWS. A context key that is not there has no values.
type request struct {
	service  string // the calling service; empty for the role whose policies judge
	action   string
	resource string
	context  map[string][]string
}

// allows reports whether policies let the request through: a statement allows it, and none denies it.
func (tpl *template) allows(t *testing.T, policies []statement, r request) bool {
	t.Helper()
	allowed := false
	for _, s := range policies {
		if tpl.covers(t, s, r) {
			if s.effect == "Deny" {
				return false
			}
			allowed = true
		}
	}
	return allowed
}

// covers reports whether a statement speaks of the request.
func (tpl *template) covers(t *testing.T, s statement, r request) bool {
	t.Helper()
	return slices.ContainsFunc(s.actions, func(a string) bool { return like(strings.ToLower(a), strings.ToLower(r.action)) }) &&
		slices.ContainsFunc(s.resources, func(v any) bool { return like(tpl.resolve(t, v), r.resource) }) &&
		speaksOf(s.principal, r.service) && tpl.holds(t, s.conditions, r.context)
}

// speaksOf reports whether a principal is the service; roles' own policies name none.
func speaksOf(principal any, service string) bool {
	if service == "" {
		return principal == nil
	}
	return principal == "*" || get(principal, "AWS") == "*" || slices.Contains(list(get(principal, "Service")), any(service))
}

// holds reports whether all conditions hold.
func (tpl *template) holds(t *testing.T, conditions object, context map[string][]string) bool {
	t.Helper()
	for operator, keys := range conditions {
		for key, wanted := range keys.(object) {
			var texts []string
			for _, w := range list(wanted) {
				texts = append(texts, tpl.resolve(t, w))
			}
			if !satisfied(t, operator, context[key], texts) {
				return false
			}
		}
	}
	return true
}

// satisfied is one condition. Of several values that a request has for a key, ForAllValues wants each to match, and
// is content with none.
func satisfied(t *testing.T, operator string, values, wanted []string) bool {
	t.Helper()
	operator, all := strings.CutPrefix(operator, "ForAllValues:")
	operator, optional := strings.CutSuffix(operator, "IfExists")
	if len(values) == 0 {
		return all || optional
	}
	if len(values) > 1 && !all {
		t.Fatalf("a condition on one value got %q", values)
	}
	matches := map[string]func(pattern, value string) bool{
		"StringEquals": func(pattern, value string) bool { return pattern == value },
		"StringLike":   like, "ArnLike": like, "ArnEquals": like, // both take wildcards
		"Bool": strings.EqualFold,
	}[operator]
	if matches == nil {
		t.Fatalf("the judge does not know %s", operator)
	}
	return !slices.ContainsFunc(values, func(value string) bool {
		return !slices.ContainsFunc(wanted, func(pattern string) bool { return matches(pattern, value) })
	})
}

// like matches the wildcards of policies: * is any text, ? one character.
func like(pattern, text string) bool {
	quoted := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern))
	return regexp.MustCompile(`(?s)^` + quoted + `$`).MatchString(text)
}

// resolve gives a value of the template as CloudFormation would write it. Resources have their logical ids for names.
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

// arns are how the ARNs of resources end, behind the account.
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

// arn is the ARN of a resource.
func (tpl *template) arn(t *testing.T, id string) string {
	t.Helper()
	form, known := arns[tpl.Resources[id].Type]
	if !known {
		t.Fatalf("the judge knows no ARNs of %s", tpl.Resources[id].Type)
	}
	return "arn:aws:" + form.service + ":" + thisRegion + ":" + thisAccount + ":" + fmt.Sprintf(form.form, id)
}

// roleOf gives the statements of every policy that a role has.
func (tpl *template) roleOf(t *testing.T, role string) (policies []statement) {
	t.Helper()
	for _, s := range tpl.statements(t) {
		if slices.ContainsFunc(list(tpl.Resources[s.holder].Properties["Roles"]), func(r any) bool { return id(r) == role }) {
			policies = append(policies, s)
		}
	}
	return policies
}

// policiesOf gives the statements about a queue or a topic that stand in its own policy.
func (tpl *template) policiesOf(t *testing.T, resource string) (policies []statement) {
	t.Helper()
	for _, s := range tpl.statements(t) {
		holder := tpl.Resources[s.holder].Properties
		if slices.ContainsFunc(append(list(holder["Topics"]), list(holder["Queues"])...), func(r any) bool { return id(r) == resource }) {
			policies = append(policies, s)
		}
	}
	return policies
}

func TestTheJudgeJudgesAsIAM(t *testing.T) {
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
		if got := tpl.allows(t, c.policies, c.request); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
