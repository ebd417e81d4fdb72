// Package oauth is the authorization server on HTTP: access tokens for client secrets (RFC 6749 §4.4, client
// credentials), their revocation (RFC 7009), the public keys that verify them (RFC 7517), and the metadata by which
// clients find all that (RFC 8414).
package oauth

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"nepenthes/shared/auth"
	"nepenthes/shared/keypair"
)

// Keys lists the public keys of tokens.
type Keys interface {
	// VerificationKeys gives those whose tokens are accepted, and those that will sign soon; none before the
	// first token.
	VerificationKeys(ctx context.Context) ([]keypair.Public, error)
}

// Config is what a Server is made of.
type Config struct {
	Authenticator *auth.Authenticator
	Issuer        *auth.Issuer
	Keys          Keys
	// PublicURL is the deployment's address, scheme and host; empty when it has none of its own. Without it
	// there is no metadata to discover.
	PublicURL string
	// Source gives the address from which a request came; nil means that of the connection. It must never
	// believe a header that a client can write.
	Source func(*http.Request) string
	Logger *slog.Logger
}

// Server is the authorization server. It is safe for concurrent use.
type Server struct{ Config }

// New makes a Server; it panics when a part is missing.
func New(c Config) *Server {
	if c.Authenticator == nil || c.Issuer == nil || c.Keys == nil || c.Logger == nil {
		panic("oauth: a part of Config is missing")
	}
	if c.Source == nil {
		c.Source = peer
	}
	return &Server{c}
}

// peer is the address of the other end of the connection.
func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// Route is one operation of the server.
type Route struct {
	Method  string
	Path    string
	Handler http.Handler
}

// The paths of the server.
const (
	TokenPath    = "/oauth/token"
	RevokePath   = "/oauth/revoke"
	KeySetPath   = "/.well-known/jwks.json"
	MetadataPath = "/.well-known/oauth-authorization-server"
)

// Routes lists the operations. Their errors are those of RFC 6749; other methods and paths are for whoever
// mounts them to refuse. Without a public URL the metadata is not among them.
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

// secretly serves an operation whose answers must not be stored on their way (RFC 6749 §5.1), and writes its
// refusals.
func (s *Server) secretly(operation func(http.ResponseWriter, *http.Request) *refusal) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Pragma", "no-cache")
		if refused := operation(w, r); refused != nil {
			refused.write(w)
		}
	})
}

// failed is the refusal for err, which is logged when it is ours.
func (s *Server) failed(ctx context.Context, err error) *refusal {
	refused := refuse(err)
	if refused.status >= http.StatusInternalServerError {
		s.Logger.ErrorContext(ctx, "oauth.failed", "error", err)
	}
	return refused
}

// token answers POST /oauth/token: an access token for the client's secret (RFC 6749 §4.4).
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
	client, secretID, err := s.Authenticator.SignIn(r.Context(), given.id, given.secret, s.Source(r))
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

// revoke answers POST /oauth/revoke (RFC 7009): the client's token opens nothing from the next request on. A
// token that never was one, or is none any more, is what the client wanted: 200. The body says nothing, in JSON:
// RFC 7009 has clients ignore it, but some fail on an answer that is no JSON.
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) *refusal {
	form, given, refused := readForm(w, r)
	if refused != nil {
		return refused
	}
	token := form.Get("token")
	if token == "" {
		return invalidRequest("The parameter token is missing.")
	}
	client, _, err := s.Authenticator.SignIn(r.Context(), given.id, given.secret, s.Source(r))
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
