package rest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"nepenthes/shared/access"
	"nepenthes/shared/fault"
	"nepenthes/shared/instant"
)

// document is the OpenAPI document. It is made at its first request, so that functions start faster.
type document struct {
	once sync.Once
	text []byte
	err  error
}

// prefixMark stands in the document for the stage path of the request.
const prefixMark = "/{stage path}"

// serveDocument answers with the OpenAPI document. Its server is the service that the request was sent to. Only the request
// tells the stage path, so the document has a mark for it.
func (x *exchange) serveDocument() {
	text, err := x.h.openAPI()
	if err != nil {
		x.fail(err)
		return
	}
	prefix := x.h.Prefix(x.r)
	text = bytes.ReplaceAll(text, []byte(`"`+prefixMark+`"`), quote(orRoot(prefix)))
	text = bytes.ReplaceAll(text, []byte(prefixMark), []byte(prefix))
	x.Header().Set("Content-Type", typeJSON)
	x.Header().Set("Content-Length", strconv.Itoa(len(text)))
	x.WriteHeader(http.StatusOK)
	x.Write(text) // an error means that the client has gone
}

// orRoot returns prefix, or "/" if it is empty, because an empty server address is not valid.
func orRoot(prefix string) string {
	if prefix == "" {
		return "/"
	}
	return prefix
}

// quote returns a text as JSON.
func quote(text string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // impossible: every string has a JSON form
	}
	return quoted
}

// openAPI returns the document as JSON, with prefixMark in it.
func (h *Handler) openAPI() ([]byte, error) {
	h.document.once.Do(func() {
		h.document.text, h.document.err = json.Marshal(h.describe())
	})
	return h.document.text, h.document.err
}

// describe makes the document from the routes.
func (h *Handler) describe() *huma.OpenAPI {
	registry := huma.NewMapRegistry("#/components/schemas/", schemaName)
	registry.RegisterTypeAlias(reflect.TypeFor[instant.Time](), reflect.TypeFor[time.Time]())
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Nepenthes", Version: h.Version, Description: introduction,
			License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Servers:    []*huma.Server{{URL: prefixMark, Description: "This deployment"}},
		Tags:       tags,
		Security:   []map[string][]string{{securityScheme: {}}},
		Components: &huma.Components{Schemas: registry, SecuritySchemes: security(), Responses: map[string]*huma.Response{}},
	}
	d := describer{registry: registry, doc: doc}
	d.problems()
	for _, rt := range h.routes {
		doc.AddOperation(d.operation(rt))
	}
	for _, op := range d.authorization() {
		doc.AddOperation(op)
	}
	repair(registry)
	enumerate(registry)
	return doc
}

const securityScheme = "oauth2"

// security describes the tokens and all scopes.
func security() map[string]*huma.SecurityScheme {
	scopes := map[string]string{}
	for _, s := range access.Scopes() {
		resource, mode, _ := strings.Cut(string(s), ":")
		scopes[string(s)] = map[string]string{"read": "Read ", "write": "Read and change "}[mode] + resource
	}
	return map[string]*huma.SecurityScheme{securityScheme: {
		Type:        "oauth2",
		Description: "OAuth 2.0 client credentials. The token is a JWT that is valid for 15 minutes. Send it as a bearer token.",
		Flows:       &huma.OAuthFlows{ClientCredentials: &huma.OAuthFlow{TokenURL: prefixMark + "/oauth/token", Scopes: scopes}},
	}}
}

// schemaName returns the name of a type's schema: the name of the type, and for a collection also that of its elements.
func schemaName(t reflect.Type, hint string) string {
	return huma.DefaultSchemaNamer(t, hint)
}

// describer makes the parts of a document.
type describer struct {
	registry huma.Registry
	doc      *huma.OpenAPI
}

// operation describes a route.
func (d describer) operation(rt *route) *huma.Operation {
	op := &huma.Operation{
		Method: rt.method, Path: rt.path, OperationID: rt.id, Tags: []string{rt.tag},
		Summary: rt.summary, Description: rt.about, Responses: map[string]*huma.Response{},
		Security: []map[string][]string{{securityScheme: {}}},
	}
	if rt.scope != "" {
		op.Security = []map[string][]string{{securityScheme: {string(rt.scope)}}}
		op.Description += "\n\nNeeds the scope `" + string(rt.scope) + "`."
	}
	for i := range rt.in.fields {
		op.Parameters = append(op.Parameters, d.parameter(&rt.in.fields[i]))
	}
	if rt.in.body != nil {
		op.RequestBody = d.body(rt)
	}
	op.Responses[strconv.Itoa(rt.status)] = d.success(rt)
	if rt.alternativeStatus != 0 {
		op.Responses[strconv.Itoa(rt.alternativeStatus)] = d.success(rt)
	}
	for _, kind := range rt.failures() {
		d.addFailure(op, kind)
	}
	return op
}

// parameter describes a parameter of the path, the query or a header.
func (d describer) parameter(f *inputField) *huma.Param {
	schema := huma.SchemaFromField(d.registry, f.StructField, "")
	p := &huma.Param{Name: f.name, In: f.in, Description: schema.Description, Schema: schema}
	p.Required = f.in == "path" || f.Tag.Get("required") == "true"
	schema.Description, schema.Nullable = "", false // a parameter cannot be null
	if schema.Type == huma.TypeInteger {
		schema.Format = "" // numbers of any size are accepted and clamped
	}
	if f.in == "query" && f.name == "event" {
		schema.Enum = values(typeNames(everyType))
	}
	return p
}

// body describes the body of a request.
func (d describer) body(rt *route) *huma.RequestBody {
	body := &huma.RequestBody{Required: !rt.optionalBody, Content: map[string]*huma.MediaType{}}
	if rt.in.event != "" {
		body.Content = d.eventBody(rt.in.event == "draft")
		return body
	}
	described := reflect.New(rt.in.field.Type).Interface().(interface{ DescribedBy() reflect.Type }).DescribedBy()
	schema := d.registry.Schema(described, true, "")
	if required := requiredAtCreate(rt, described); required != nil {
		schema = &huma.Schema{AllOf: []*huma.Schema{schema, {Type: huma.TypeObject, Required: required}}}
	}
	for _, name := range rt.readable() {
		body.Content[name] = &huma.MediaType{Schema: schema}
	}
	return body
}

// requiredAtCreate returns the members that are required to create a thing. A patch requires none.
func requiredAtCreate(rt *route, t reflect.Type) (names []string) {
	if rt.method != http.MethodPost {
		return nil
	}
	for _, f := range reflect.VisibleFields(t) {
		if f.Tag.Get("create") == "required" {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			names = append(names, name)
		}
	}
	return names
}

// success describes the answer of success.
func (d describer) success(rt *route) *huma.Response {
	response := &huma.Response{Description: rt.answers, Headers: map[string]*huma.Header{"X-Request-Id": requestID}}
	if rt.status == http.StatusNoContent {
		return response
	}
	schema := d.registry.Schema(rt.output, true, "")
	response.Content = map[string]*huma.MediaType{typeHAL: {Schema: schema}, typeJSON: {Schema: schema}}
	output := reflect.New(rt.output).Interface()
	if _, versioned := output.(interface{ ETag() string }); versioned {
		response.Headers["ETag"] = header("The version of the resource, for If-Match.", `"3"`)
	}
	if _, located := output.(interface{ Location() string }); located && rt.status != http.StatusOK {
		response.Headers["Location"] = header("The path of the resource that was created.", "/api/v3/webhooks/wh_01JH2W9V3M8Q7R5T6Y1Z4X0C2B")
	}
	return response
}

// header describes a header of an answer.
func header(about, example string) *huma.Header {
	return &huma.Header{Description: about, Schema: &huma.Schema{Type: huma.TypeString, Examples: []any{example}}}
}

var requestID = header("The id of this request. Tell it to the operator when you ask for help.", "req_01JH2W9V3M8Q7R5T6Y1Z4X0C2B")

// failures returns the kinds of faults that the route can answer with. A PUT creates what it does not find. The query of
// explainEvent can name a webhook that does not exist.
func (rt *route) failures() []fault.Kind {
	kinds := []fault.Kind{
		fault.Unauthenticated, fault.TooManyRequests, fault.APIDisabled, fault.PayloadTooLarge, fault.NotAcceptable,
		fault.Unavailable, fault.Internal,
	}
	if rt.in.body != nil {
		kinds = append(kinds, fault.TypeNotSupported, fault.InvalidRequestBody, fault.PropertyConstraintViolation)
	}
	if rt.in.queries {
		kinds = append(kinds, fault.InvalidQuery)
	}
	if strings.Contains(rt.path, "{") && rt.method != http.MethodPut || rt.id == "explainEvent" {
		kinds = append(kinds, fault.NotFound)
	}
	return slices.Concat(kinds, rt.faults)
}

// problems describes one response for every status that a fault can have.
func (d describer) problems() {
	schema := d.registry.Schema(reflect.TypeFor[Problem](), true, "")
	for _, kind := range fault.Kinds() {
		name := problemName(kind)
		if kind == fault.MethodNotAllowed { // the document does not have the methods that it is about
			continue
		}
		if d.doc.Components.Responses[name] != nil {
			d.doc.Components.Responses[name].Description += " Or: " + kind.Title() + "."
			continue
		}
		response := &huma.Response{
			Description: kind.Title() + ".", Headers: map[string]*huma.Header{"X-Request-Id": requestID},
			Content: map[string]*huma.MediaType{typeProblem: {Schema: schema}},
		}
		switch kind {
		case fault.Unauthenticated:
			response.Headers["WWW-Authenticate"] = header("How to authenticate.", `Bearer error="invalid_token"`)
		case fault.TooManyRequests, fault.Unavailable:
			response.Headers["Retry-After"] = header("How many seconds to wait.", "1")
		}
		d.doc.Components.Responses[name] = response
	}
}

func problemName(kind fault.Kind) string { return "Problem" + strconv.Itoa(kind.Status()) }

// addFailure adds a failure to an operation. Operations share the descriptions of failures, which keeps the document
// small.
func (d describer) addFailure(op *huma.Operation, kind fault.Kind) {
	op.Responses[strconv.Itoa(kind.Status())] = &huma.Response{Ref: "#/components/responses/" + problemName(kind)}
}

// repair adds what huma leaves out: null among the values of an enumeration, and the fact that a member which is a pointer to
// an object may be null.
func repair(registry huma.Registry) {
	for name, schema := range registry.Map() {
		owner := registry.TypeFromRef("#/components/schemas/" + name)
		for property, s := range schema.Properties {
			if s.Nullable && s.Enum != nil && !slices.Contains(s.Enum, any(nil)) {
				s.Enum = append(s.Enum, nil)
			}
			if s.Ref != "" && isNullable(owner, property) {
				schema.Properties[property] = &huma.Schema{
					Description: s.Description, AnyOf: []*huma.Schema{{Ref: s.Ref}, {Type: "null"}},
				}
			}
		}
	}
}

// isNullable reports whether a member of a struct is an object that may be null: a pointer that is always written, or a
// Member that null resets.
func isNullable(t reflect.Type, member string) bool {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		return false
	}
	for _, f := range reflect.VisibleFields(t) {
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == member {
			return f.Type.Kind() == reflect.Pointer && rest == "" || f.Tag.Get("null") == "resets"
		}
	}
	return false
}
