package rest

import (
	"maps"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

const (
	tagAuthorization = "Authorization"
	typeForm         = "application/x-www-form-urlencoded"
)

// TokenRequest is the form of a token request (RFC 6749 §4.4.2).
type TokenRequest struct {
	_            struct{} `additionalProperties:"true"` // other members are ignored (RFC 6749 §3.2)
	GrantType    string   `json:"grant_type" enum:"client_credentials" doc:"The only grant." example:"client_credentials"`
	Scope        string   `json:"scope,omitempty" doc:"Scopes, separated by spaces. The default is all scopes of the client." example:"webhooks:read deliveries:read"`
	ClientID     string   `json:"client_id,omitempty" doc:"The client's id, unless the request uses HTTP Basic." example:"app_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
	ClientSecret string   `json:"client_secret,omitempty" doc:"The client's secret, unless the request uses HTTP Basic." example:"3q2-7wEjRWeJq83vASNFZ4mrze8BI0VniavN7wEjRWc"`
}

// Token is a token that was issued (RFC 6749 §5.1).
type Token struct {
	AccessToken string `json:"access_token" doc:"The token. Send it in the header Authorization: Bearer." example:"eyJhbGciOiJFUzI1NiJ9.e30.c2ln"`
	TokenType   string `json:"token_type" enum:"Bearer" doc:"Always Bearer." example:"Bearer"`
	ExpiresIn   int    `json:"expires_in" doc:"For how many seconds the token is valid." example:"900"`
	Scope       string `json:"scope" doc:"The scopes of the token." example:"webhooks:read deliveries:read"`
}

// RevocationRequest is the form of a revocation (RFC 7009 §2.1).
type RevocationRequest struct {
	_             struct{} `additionalProperties:"true"`
	Token         string   `json:"token" doc:"The token to revoke." example:"eyJhbGciOiJFUzI1NiJ9.e30.c2ln"`
	TokenTypeHint string   `json:"token_type_hint,omitempty" doc:"Ignored." example:"access_token"`
	ClientID      string   `json:"client_id,omitempty" doc:"The client's id, unless the request uses HTTP Basic." example:"app_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
	ClientSecret  string   `json:"client_secret,omitempty" doc:"The client's secret, unless the request uses HTTP Basic." example:"3q2-7wEjRWeJq83vASNFZ4mrze8BI0VniavN7wEjRWc"`
}

// Revocation is the answer to a revocation: an empty object.
type Revocation struct{}

// OAuthError is a failure of the authorization server (RFC 6749 §5.2).
type OAuthError struct {
	Error       string `json:"error" doc:"The code of the failure." example:"invalid_client"`
	Description string `json:"error_description" doc:"The failure in a sentence." example:"The client or its secret is not known."`
}

// authorization describes how a client gets and revokes a token. The document always has these operations, although
// another function serves them. The discovery documents have standards of their own.
func (d describer) authorization() []*huma.Operation {
	token := &huma.Operation{
		Path: "/oauth/token", OperationID: "getToken", Summary: "Get a token",
		Description: "OAuth 2.0 client credentials (RFC 6749 §4.4). The client authenticates with HTTP Basic or in the form, but not with both.",
	}
	d.form(token, reflect.TypeFor[TokenRequest](), reflect.TypeFor[Token](), "The token.")
	revoke := &huma.Operation{
		Path: "/oauth/revoke", OperationID: "revokeToken", Summary: "Revoke a token",
		Description: "RFC 7009. An unknown token is not an error.",
	}
	d.form(revoke, reflect.TypeFor[RevocationRequest](), reflect.TypeFor[Revocation](), "The token is invalid from now on.")
	return []*huma.Operation{token, revoke}
}

// form describes an operation that reads a form and whose failures follow RFC 6749.
func (d describer) form(op *huma.Operation, form, answer reflect.Type, means string) {
	op.Method, op.Tags = http.MethodPost, []string{tagAuthorization}
	op.Security, op.Responses = []map[string][]string{}, map[string]*huma.Response{}
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		typeForm: {Schema: d.registry.Schema(form, true, "")},
	}}
	headers := map[string]*huma.Header{"X-Request-Id": requestID}
	op.Responses["200"] = &huma.Response{
		Description: means, Headers: headers,
		Content: map[string]*huma.MediaType{typeJSON: {Schema: d.registry.Schema(answer, true, "")}},
	}
	failure := map[string]*huma.MediaType{typeJSON: {Schema: d.registry.Schema(reflect.TypeFor[OAuthError](), true, "")}}
	for status, about := range map[string]string{
		"400": "The request is not acceptable.", "401": "The client or its secret is not known.", "413": "The form is too large.",
		"429": "Too many failures. Wait as Retry-After says.", "500": "The request could not be carried out.",
		"503": "Temporarily unavailable.",
	} {
		op.Responses[status] = &huma.Response{Description: about, Headers: headers, Content: failure}
	}
	op.Responses["401"].Headers = with(headers, "WWW-Authenticate", header("How to authenticate.", "Basic"))
	for _, status := range []string{"429", "503"} {
		op.Responses[status].Headers = with(headers, "Retry-After", header("How many seconds to wait.", "60"))
	}
}

// with returns a copy of headers with one more. The operations share headers, so these must not change.
func with(headers map[string]*huma.Header, name string, h *huma.Header) map[string]*huma.Header {
	more := maps.Clone(headers)
	more[name] = h
	return more
}
