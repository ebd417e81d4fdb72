package main

import (
	"encoding/json"
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"nepenthes/shared/fault"
	"nepenthes/shared/routes"
)

// throttleTimes is the gateway's limit for all clients together, as a multiple of our limit for one client. One client
// may push events at 20 times its limit, in bursts of twice that. The gateway allows more, so that our own limit is
// reached first; its answer says more.
const throttleTimes = 50

// newGateway creates the REST API. Every path of package routes, and every path below it, leads to its function.
func (s *stack) newGateway() awsapigateway.RestApi {
	scope := s.part("Gateway")
	api := awsapigateway.NewRestApi(scope, jsii.String("Api"), &awsapigateway.RestApiProps{
		Description:   jsii.String("Nepenthes, stage " + s.stage),
		EndpointTypes: &[]awsapigateway.EndpointType{awsapigateway.EndpointType_REGIONAL},
		// With a custom domain the API has only this one name, and no webhook may point at it.
		DisableExecuteApiEndpoint: jsii.Bool(s.domainName != ""),
		// The gateway passes every body on as bytes. It would replace the bytes of a text that are not UTF-8.
		BinaryMediaTypes: jsii.Strings("*/*"),
		// API Gateway writes logs with one role of the account. The role that was set last serves all stacks.
		CloudWatchRole:              jsii.Bool(true),
		CloudWatchRoleRemovalPolicy: awscdk.RemovalPolicy_RETAIN,
		DeployOptions: &awsapigateway.StageOptions{
			StageName:            jsii.String(s.stage),
			ThrottlingRateLimit:  jsii.Number(throttleTimes * s.requestsPerSecond),
			ThrottlingBurstLimit: jsii.Number(throttleTimes * s.requestsPerSecond),
			AccessLogDestination: awsapigateway.NewLogGroupLogDestination(newLog(scope)),
			AccessLogFormat:      awsapigateway.AccessLogFormat_Custom(jsii.String(accessLog())),
			LoggingLevel:         awsapigateway.MethodLoggingLevel_ERROR,
			DataTraceEnabled:     jsii.Bool(false), // it would log payloads and tokens
		},
	})
	api.Node().TryRemoveChild(jsii.String("Endpoint")) // an output that the CDK adds
	s.route(api)
	for _, r := range gatewayResponses {
		r.add(api)
	}
	if s.domainName != "" {
		s.name(scope, api)
	}
	return api
}

// route routes every prefix, and every path below it, to the function that owns it, for all methods.
func (s *stack) route(api awsapigateway.RestApi) {
	integrations := map[routes.Function]awsapigateway.Integration{}
	for _, f := range routes.HTTP() {
		integrations[f] = awsapigateway.NewLambdaIntegration(s.functions[f], &awsapigateway.LambdaIntegrationOptions{
			ScopePermissionToMethod: jsii.Bool(false), // one permission for all of a function's routes
		})
	}
	for _, prefix := range routes.Prefixes() {
		integration := integrations[routes.Owner(prefix)]
		resource := api.Root().ResourceForPath(jsii.String(prefix))
		resource.AddMethod(jsii.String("ANY"), integration, nil)
		resource.AddResource(jsii.String("{proxy+}"), nil).AddMethod(jsii.String("ANY"), integration, nil)
	}
}

// accessLog returns the format of a log line about a request, as JSON. The path contains ids. Queries, headers and
// bodies are not logged.
func accessLog() string {
	line, _ := json.Marshal(map[string]string{ // a map of strings: this cannot fail
		"time": "$context.requestTime", "request": "$context.requestId", "source": "$context.identity.sourceIp",
		"method": "$context.httpMethod", "path": "$context.path", "status": "$context.status",
		"bytes": "$context.responseLength", "ms": "$context.responseLatency", "functionMs": "$context.integrationLatency",
		"gatewayError": "$context.error.responseType",
	})
	return string(line)
}

// gatewayResponse is an answer of the gateway itself.
type gatewayResponse struct {
	when   func() awsapigateway.ResponseType
	kind   fault.Kind
	status int
	text   string
}

// gatewayResponses are problem documents, like our own errors. If a client should repeat the request, the answer says
// when.
var gatewayResponses = []gatewayResponse{
	{awsapigateway.ResponseType_REQUEST_TOO_LARGE, fault.PayloadTooLarge, 413, "The request is too large."},
	{awsapigateway.ResponseType_THROTTLED, fault.TooManyRequests, 429, "Too many requests at once."},
	{awsapigateway.ResponseType_INTEGRATION_TIMEOUT, fault.Unavailable, 504, "The request took too long."},
	{awsapigateway.ResponseType_INTEGRATION_FAILURE, fault.Unavailable, 503, "The service does not answer just now."},
	{awsapigateway.ResponseType_DEFAULT_4XX, fault.InvalidQuery, 400, "The request cannot be understood."},
	{awsapigateway.ResponseType_DEFAULT_5XX, fault.Internal, 500, "The request could not be carried out."},
}

func (r gatewayResponse) add(api awsapigateway.RestApi) {
	const identifier = "urn:nepenthes:api:v3:errors:"
	document, _ := json.Marshal(map[string]any{ // strings and a number: this cannot fail
		"type": identifier + r.kind.Identifier(), "title": r.kind.Title(), "status": r.status, "detail": r.text,
		"_type": "Error", "errorIdentifier": identifier + r.kind.Identifier(), "message": r.text,
		"instance": "urn:nepenthes:request:$context.requestId",
	})
	headers := map[string]*string{"Content-Type": jsii.String("'application/problem+json'")}
	if r.kind == fault.TooManyRequests || r.kind == fault.Unavailable {
		headers["Retry-After"] = jsii.String("'1'")
	}
	when := r.when()
	api.AddGatewayResponse(when.ResponseType(), &awsapigateway.GatewayResponseOptions{
		Type: when, StatusCode: jsii.String(strconv.Itoa(r.status)), ResponseHeaders: &headers,
		Templates: &map[string]*string{"application/json": jsii.String(string(document))},
	})
}

// name adds the custom domain, with the API at its root. The owner of the DNS zone must create the DNS record.
func (s *stack) name(scope constructs.Construct, api awsapigateway.RestApi) {
	domain := api.AddDomainName(jsii.String("Domain"), &awsapigateway.DomainNameOptions{
		DomainName:     jsii.String(s.domainName),
		Certificate:    awscertificatemanager.Certificate_FromCertificateArn(scope, jsii.String("Certificate"), jsii.String(s.certificateARN)),
		EndpointType:   awsapigateway.EndpointType_REGIONAL,
		SecurityPolicy: awsapigateway.SecurityPolicy_TLS_1_2,
	})
	s.output("DomainTarget", domain.DomainNameAliasDomainName())
}

// url returns the address at which clients find the API.
func (s *stack) url(api awsapigateway.RestApi) *string {
	if s.publicURL != "" {
		return jsii.String(s.publicURL)
	}
	return awscdk.Fn_Join(jsii.String(""), &[]*string{
		jsii.String("https://"), api.RestApiId(), jsii.String(".execute-api."), s.Region(), jsii.String("."), s.UrlSuffix(), jsii.String("/" + s.stage),
	})
}
