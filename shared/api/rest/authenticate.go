package rest

import (
	"strings"

	"nepenthes/shared/auth"
	"nepenthes/shared/fault"
)

// authenticate finds who calls by the bearer token (RFC 6750 §2.1). Cookies and the query are not looked at: a token
// must not reach logs or other sites.
func (x *exchange) authenticate() (auth.Caller, error) {
	sent := x.r.Header.Values("Authorization")
	if len(sent) == 0 {
		return auth.Caller{}, fault.New(fault.Unauthenticated, "A token is needed here.").
			With("Get one at /oauth/token and send it as Authorization: Bearer <token>.")
	}
	kind, token, _ := strings.Cut(sent[0], " ")
	if len(sent) > 1 || !strings.EqualFold(kind, scheme) {
		return auth.Caller{}, fault.New(fault.Unauthenticated, "The header Authorization does not carry one bearer token.").
			With("Send Authorization: Bearer <token>, once.")
	}
	return x.h.Verifier.Verify(x.r.Context(), strings.TrimSpace(token))
}
