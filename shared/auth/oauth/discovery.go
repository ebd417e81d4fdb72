package oauth

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"

	"nepenthes/shared/access"
	"nepenthes/shared/fault"
	"nepenthes/shared/keypair"
)

// publicly allows any cache to keep an answer for a minute. A new key is published for longer than that before it
// signs.
const publicly = "public, max-age=60"

// webKey returns the published form of a key (RFC 7517, RFC 7518 §6.2).
func webKey(p keypair.Public) (jwk.Key, error) {
	key, err := jwk.Import(p.Key)
	if err != nil {
		return nil, err
	}
	return key, errors.Join(
		key.Set(jwk.KeyIDKey, p.ID),
		key.Set(jwk.AlgorithmKey, jwa.ES256()),
		key.Set(jwk.KeyUsageKey, jwk.ForSignature),
	)
}

// keySet answers GET /.well-known/jwks.json with the keys of all tokens that are valid now, and the keys that will
// sign soon.
func (s *Server) keySet(w http.ResponseWriter, r *http.Request) {
	keys, err := s.webKeys(r.Context())
	if err != nil {
		s.failed(r.Context(), err).write(w)
		return
	}
	w.Header().Set("Cache-Control", publicly)
	writeJSON(w, http.StatusOK, keys)
}

// webKeys returns the public keys. The set is never empty: webKeys creates the first key, so that no cache keeps a set
// without it.
func (s *Server) webKeys(ctx context.Context) (keys jwk.Set, err error) {
	defer fault.Wrap(&err, "publish the keys of tokens")
	accepted, err := s.Keys.VerificationKeys(ctx)
	if err == nil && len(accepted) == 0 {
		if _, _, err := s.Issuer.Keys.SigningKey(ctx); err != nil {
			return nil, err
		}
		accepted, err = s.Keys.VerificationKeys(ctx)
	}
	if err != nil {
		return nil, err
	}
	keys = jwk.NewSet()
	for _, public := range accepted {
		key, err := webKey(public)
		if err != nil {
			return nil, err
		}
		if err := keys.AddKey(key); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// metadata answers GET /.well-known/oauth-authorization-server (RFC 8414).
func (s *Server) metadata(w http.ResponseWriter, _ *http.Request) {
	base := strings.TrimSuffix(s.PublicURL, "/")
	methods := []string{"client_secret_basic", "client_secret_post"}
	w.Header().Set("Cache-Control", publicly)
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                     s.Issuer.Verifier.Issuer,
		"token_endpoint":                             base + TokenPath,
		"token_endpoint_auth_methods_supported":      methods,
		"revocation_endpoint":                        base + RevokePath,
		"revocation_endpoint_auth_methods_supported": methods,
		"jwks_uri":                                   base + KeySetPath,
		"grant_types_supported":                      []string{"client_credentials"},
		"response_types_supported":                   []string{}, // the member is required; there is no authorization endpoint
		"scopes_supported":                           access.Scopes(),
		"service_documentation":                      base + "/api/docs",
	})
}
