// Package oauth is the authorization server on HTTP. It issues access tokens for client credentials (RFC 6749 §4.4),
// revokes them (RFC 7009), publishes the keys that verify them (RFC 7517), and serves the metadata that lists these
// endpoints (RFC 8414).
package oauth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"nepenthes/shared/auth"
	"nepenthes/shared/httpedge"
	"nepenthes/shared/keypair"
	"nepenthes/shared/required"
)

// Keys lists the public keys of tokens.
type Keys interface {
	// VerificationKeys returns the keys whose tokens are accepted now, and the keys that will sign soon. The list is
	// empty before the first token.
	VerificationKeys(ctx context.Context) ([]keypair.Public, error)
}

// Config has the parts of a Server.
type Config struct {
	Authenticator *auth.Authenticator
	Issuer        *auth.Issuer
	Keys          Keys
	// PublicURL is the scheme and host of the deployment. It is empty when the deployment has no address of its own;
	// then the server serves no metadata.
	PublicURL string
	Logger    *slog.Logger
}

// Server is the authorization server. It is safe for concurrent use.
type Server struct{ Config }

// New returns a new Server. It panics if a dependency is missing.
func New(c Config) *Server {
	required.Fields(c)
	return &Server{c}
}

// Route is one operation of the server. The router of package rest mounts it, so that the settings for CORS apply.
type Route struct {
	Method  string
	Path    string
	Handler http.Handler
}

// The paths of the server. They are part of the metadata, from which standard clients learn them. The two paths below
// /.well-known are fixed by RFC 8414 and by convention.
const (
	TokenPath    = "/oauth/token"
	RevokePath   = "/oauth/revoke"
	KeySetPath   = "/.well-known/jwks.json"
	MetadataPath = "/.well-known/oauth-authorization-server"
)

// Routes returns the operations. Their errors have the form of RFC 6749. The caller that mounts the routes must refuse
// other methods and paths. Without a public URL there is no route for the metadata.
func (s *Server) Routes() []Route {
	routes := []Route{
		{http.MethodPost, TokenPath, s.secretly(s.token)},
		{http.MethodPost, RevokePath, s.secretly(s.revoke)},
		{http.MethodGet, KeySetPath, http.HandlerFunc(s.keySet)},
	}
	if s.PublicURL != "" {
		routes = append(routes, Route{http.MethodGet, MetadataPath, http.HandlerFunc(s.metadata)})
	}
	return routes
}

// secretly returns a handler for an operation whose answers must not be cached (RFC 6749 §5.1). It also writes the
// refusals of the operation.
func (s *Server) secretly(operation func(http.ResponseWriter, *http.Request) *refusal) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Pragma", "no-cache")
		if refused := operation(w, r); refused != nil {
			refused.write(w)
		}
	})
}

// failed returns the refusal for err. It logs err when the server is at fault.
func (s *Server) failed(ctx context.Context, err error) *refusal {
	refused := refuse(err)
	if refused.status >= http.StatusInternalServerError {
		s.Logger.ErrorContext(ctx, "oauth.failed", "error", err)
	}
	return refused
}

// token answers POST /oauth/token with an access token for the client's secret (RFC 6749 §4.4).
func (s *Server) token(w http.ResponseWriter, r *http.Request) *refusal {
	form, given, refused := readForm(w, r)
	if refused != nil {
		return refused
	}
	switch form.Get("grant_type") {
	case "client_credentials":
	case "":
		return invalidRequest("The parameter grant_type is missing.")
	default:
		return &refusal{status: http.StatusBadRequest, code: "unsupported_grant_type", description: "The only grant_type is client_credentials."}
	}
	client, secretID, err := s.Authenticator.SignIn(r.Context(), given.id, given.secret, httpedge.PeerAddress(r))
	if err != nil {
		return s.failed(r.Context(), err)
	}
	token, err := s.Issuer.Issue(r.Context(), client, secretID, form.Get("scope"))
	if errors.Is(err, auth.ErrScope) {
		return &refusal{status: http.StatusBadRequest, code: "invalid_scope", description: "A scope is unknown, or the client does not hold it."}
	}
	if err != nil {
		return s.failed(r.Context(), err)
	}
	writeJSON(w, http.StatusOK, struct {
		Token   string `json:"access_token"`
		Type    string `json:"token_type"`
		Expires int    `json:"expires_in"`
		Scope   string `json:"scope"`
	}{token.Text, "Bearer", int(auth.TokenLife / time.Second), token.Scope})
	return nil
}

// revoke answers POST /oauth/revoke (RFC 7009). The client's token is refused from the next request on. The status is
// also 200 for a text that is not a token and for a token that is no longer valid. The body is an empty JSON object:
// RFC 7009 tells clients to ignore it, but some clients fail on a body that is not JSON.
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) *refusal {
	form, given, refused := readForm(w, r)
	if refused != nil {
		return refused
	}
	token := form.Get("token")
	if token == "" {
		return invalidRequest("The parameter token is missing.")
	}
	client, _, err := s.Authenticator.SignIn(r.Context(), given.id, given.secret, httpedge.PeerAddress(r))
	if err != nil {
		return s.failed(r.Context(), err)
	}
	err = s.Issuer.Revoke(r.Context(), client.ID, token)
	if errors.Is(err, auth.ErrForeign) {
		return &refusal{status: http.StatusBadRequest, code: "invalid_grant", description: "The token was issued to another client."}
	}
	if err != nil {
		return s.failed(r.Context(), err)
	}
	writeJSON(w, http.StatusOK, struct{}{})
	return nil
}
