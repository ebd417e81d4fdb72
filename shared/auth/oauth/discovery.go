package oauth

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"

	"nepenthes/shared/access"
	"nepenthes/shared/fault"
	"nepenthes/shared/keypair"
)

// publicly lets anyone keep an answer for a minute: a new key is published for longer before it signs.
const publicly = "public, max-age=60"

// jsonWebKey is a public key on P-256 for signatures (RFC 7517, RFC 7518 §6.2).
type jsonWebKey struct {
	Type      string `json:"kty"`
	Curve     string `json:"crv"`
	X         string `json:"x"`
	Y         string `json:"y"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	ID        string `json:"kid"`
}

// webKey gives the published form of a key.
func webKey(p keypair.Public) (jsonWebKey, error) {
	point, err := p.Key.Bytes() // SEC 1, uncompressed: 4, then X and Y of 32 bytes each
	if err != nil {
		return jsonWebKey{}, err
	}
	encode := base64.RawURLEncoding.EncodeToString
	return jsonWebKey{"EC", "P-256", encode(point[1:33]), encode(point[33:]), "sig", "ES256", p.ID}, nil
}

// keySet answers GET /.well-known/jwks.json: the keys of every token that is good now, and those that will sign
// soon.
func (s *Server) keySet(w http.ResponseWriter, r *http.Request) {
	keys, err := s.webKeys(r.Context())
	if err != nil {
		s.failed(r.Context(), err).write(w)
		return
	}
	w.Header().Set("Cache-Control", publicly)
	writeJSON(w, http.StatusOK, map[string]any{"keys": keys})
}

// webKeys is never empty: the first key is made rather than let somebody keep a set without it.
func (s *Server) webKeys(ctx context.Context) (keys []jsonWebKey, err error) {
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
	for _, public := range accepted {
		key, err := webKey(public)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
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
		"response_types_supported":                   []string{}, // a required member; there is no page to sign in at
		"scopes_supported":                           access.Scopes(),
		"service_documentation":                      base + "/api/docs",
	})
}
