package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nepenthes/shared/routes"
)

// paths returns the path of every resource of the API by its logical id. The root has the API's own id.
func (tpl *template) paths(t *testing.T) map[string]string {
	t.Helper()
	resources := tpl.each(t, "AWS::ApiGateway::Resource")
	paths := map[string]string{}
	var path func(id string) string
	path = func(id string) string {
		r, ok := resources[id]
		if !ok {
			return ""
		}
		return path(idOf(r.Properties["ParentId"])) + "/" + r.Properties["PathPart"].(string)
	}
	for id := range resources {
		paths[id] = path(id)
	}
	for id := range tpl.each(t, "AWS::ApiGateway::RestApi") {
		paths[id] = "/"
	}
	return paths
}

func idOf(value any) string { return id(value) }

func TestEveryPathHasItsFunction(t *testing.T) {
	tpl := of(t, plain)
	paths := tpl.paths(t)
	served := map[string]string{}
	for method, r := range tpl.each(t, "AWS::ApiGateway::Method") {
		path := paths[id(r.Properties["ResourceId"])]
		if r.Properties["HttpMethod"] != "ANY" || get(r.Properties, "Integration", "Type") != "AWS_PROXY" || r.Properties["AuthorizationType"] != "NONE" {
			t.Errorf("%s %s: %v", method, path, r.Properties)
		}
		uri := fmt.Sprint(get(r.Properties, "Integration", "Uri"))
		for _, f := range routes.HTTP() {
			if function, _ := tpl.function(t, f); strings.Contains(uri, function) {
				served[path] = string(f)
			}
		}
	}
	want := map[string]string{}
	for _, prefix := range routes.Prefixes() {
		owner := string(routes.Owner(prefix))
		want[prefix], want[strings.TrimSuffix(prefix, "/")+"/{proxy+}"] = owner, owner
	}
	if diff := cmp.Diff(want, served); diff != "" {
		t.Error(diff)
	}
	if got, want := len(paths), len(served); got != want {
		t.Errorf("%d resources, %d of them with a function", got, want)
	}
}

func TestTheGatewayMayCallOnlyItsFunctions(t *testing.T) {
	tpl := of(t, plain)
	var got, want []string
	for _, r := range tpl.each(t, "AWS::Lambda::Permission") {
		if r.Properties["Principal"] == "apigateway.amazonaws.com" {
			got = append(got, id(r.Properties["FunctionName"]))
		}
	}
	for _, f := range routes.HTTP() {
		function, _ := tpl.function(t, f)
		want = append(want, function)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
		t.Error(diff)
	}
}

func TestTheStage(t *testing.T) {
	for name, c := range map[string]struct {
		make  func() (*template, error)
		stage string
		rate  float64
	}{"plain": {plain, "dev", 5000}, "full": {full, "prod", 350}} {
		t.Run(name, func(t *testing.T) {
			for _, r := range of(t, c.make).each(t, "AWS::ApiGateway::Stage") {
				if got := r.Properties["StageName"]; got != c.stage {
					t.Errorf("the stage is %v, want %s", got, c.stage)
				}
				settings := list(r.Properties["MethodSettings"])
				if len(settings) != 1 {
					t.Fatalf("got %v", settings)
				}
				want := object{
					"HttpMethod": "*", "ResourcePath": "/*", "DataTraceEnabled": false, "LoggingLevel": "ERROR",
					"ThrottlingRateLimit": c.rate, "ThrottlingBurstLimit": c.rate,
				}
				if diff := cmp.Diff(want, settings[0]); diff != "" {
					t.Error(diff)
				}
				if id(get(r.Properties, "AccessLogSetting", "DestinationArn")) == "" {
					t.Error("there is no access log")
				}
				format := fmt.Sprint(get(r.Properties, "AccessLogSetting", "Format"))
				if !json.Valid([]byte(format)) || !strings.Contains(format, "$context.requestId") {
					t.Errorf("the format of the access log is %s", format)
				}
				for _, secret := range []string{"authorizer", "querystring", "$input", "header"} {
					if strings.Contains(strings.ToLower(format), secret) {
						t.Errorf("the access log contains %s", secret)
					}
				}
			}
		})
	}
}

func TestTheGatewayAnswersWithProblemDocuments(t *testing.T) {
	seen := map[any]bool{}
	for _, r := range of(t, plain).each(t, "AWS::ApiGateway::GatewayResponse") {
		kind := r.Properties["ResponseType"]
		seen[kind] = true
		if got := get(r.Properties, "ResponseParameters", "gatewayresponse.header.Content-Type"); got != "'application/problem+json'" {
			t.Errorf("%v has the content type %v", kind, got)
		}
		text, _ := get(r.Properties, "ResponseTemplates", "application/json").(string)
		var document object
		if err := json.Unmarshal([]byte(text), &document); err != nil {
			t.Errorf("%v: %v in %s", kind, err, text)
		}
		if fmt.Sprint(document["status"]) != r.Properties["StatusCode"] || document["type"] != document["errorIdentifier"] || document["_type"] != "Error" ||
			document["detail"] != document["message"] || document["title"] == "" || document["instance"] != "urn:nepenthes:request:$context.requestId" {
			t.Errorf("%v: got %v", kind, document)
		}
	}
	for _, kind := range []string{"DEFAULT_4XX", "DEFAULT_5XX", "REQUEST_TOO_LARGE", "THROTTLED", "INTEGRATION_TIMEOUT", "INTEGRATION_FAILURE"} {
		if !seen[kind] {
			t.Errorf("%s has the gateway's default answer", kind)
		}
	}
}

func TestTheAPIIsRegionalAndAcceptsBytes(t *testing.T) {
	for _, r := range of(t, plain).each(t, "AWS::ApiGateway::RestApi") {
		if got := get(r.Properties, "EndpointConfiguration", "Types"); !cmp.Equal(got, []any{"REGIONAL"}) {
			t.Errorf("the endpoint is %v", got)
		}
		if got := r.Properties["BinaryMediaTypes"]; !cmp.Equal(got, []any{"*/*"}) {
			t.Errorf("the binary media types are %v", got)
		}
	}
}

// With a custom domain the API has no second name to which a webhook could point.
func TestADomainReplacesTheGatewaysName(t *testing.T) {
	for name, c := range map[string]struct {
		make func() (*template, error)
		off  bool
	}{"plain": {plain, false}, "full": {full, true}} {
		for _, r := range of(t, c.make).each(t, "AWS::ApiGateway::RestApi") {
			if got := r.Properties["DisableExecuteApiEndpoint"]; got != c.off {
				t.Errorf("%s: off is %v, want %v", name, got, c.off)
			}
		}
	}
}

func TestTheDomainLeadsToTheStage(t *testing.T) {
	tpl := of(t, full)
	for _, r := range tpl.each(t, "AWS::ApiGateway::DomainName") {
		if r.Properties["DomainName"] != "hooks.example.com" || r.Properties["SecurityPolicy"] != "TLS_1_2" || r.Properties["RegionalCertificateArn"] != chosen().certificateARN {
			t.Errorf("got %v", r.Properties)
		}
	}
	for _, r := range tpl.each(t, "AWS::ApiGateway::BasePathMapping") {
		if r.Properties["BasePath"] != nil {
			t.Errorf("the base path is %v", r.Properties["BasePath"])
		}
	}
}
