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
	token, isBearer := bearer(sent[0])
	if len(sent) > 1 || !isBearer {
		return auth.Caller{}, fault.New(fault.Unauthenticated, "The header Authorization does not carry one bearer token.").
			With("Send Authorization: Bearer <token>, once.")
	}
	return x.h.Verifier.Verify(x.r.Context(), token)
}

// bearer is the token that a header Authorization carries, and whether it carries one.
func bearer(authorization string) (token string, sent bool) {
	kind, token, _ := strings.Cut(authorization, " ")
	return strings.TrimSpace(token), strings.EqualFold(kind, scheme)
}
