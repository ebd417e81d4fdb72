package rest

import (
	"strings"

	"nepenthes/shared/auth"
	"nepenthes/shared/fault"
)

// authenticate finds the caller by the bearer token (RFC 6750 §2.1). It ignores tokens in the query, which would be logged,
// and cookies, which a browser also sends with requests of foreign pages.
func (x *exchange) authenticate() (auth.Caller, error) {
	sent := x.r.Header.Values("Authorization")
	if len(sent) == 0 {
		return auth.Caller{}, fault.New(fault.Unauthenticated, "This needs a token.").
			With("Get one at /oauth/token and send it as Authorization: Bearer <token>.")
	}
	token, isBearer := bearer(sent[0])
	if len(sent) > 1 || !isBearer {
		return auth.Caller{}, fault.New(fault.Unauthenticated, "The header Authorization is not exactly one bearer token.").
			With("Send Authorization: Bearer <token>, once.")
	}
	return x.h.Verifier.Verify(x.r.Context(), token)
}

// bearer returns the token in a header Authorization, and reports whether the header has a bearer token.
func bearer(authorization string) (token string, isBearer bool) {
	kind, token, _ := strings.Cut(authorization, " ")
	return strings.TrimSpace(token), strings.EqualFold(kind, scheme)
}
