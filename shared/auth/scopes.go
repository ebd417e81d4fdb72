package auth

import (
	"errors"
	"slices"
	"strings"

	"nepenthes/shared/access"
)

// allScopes is the order in which scopes are listed.
var allScopes = access.Scopes()

// ordered returns the scopes without duplicates, in the order of access.Scopes. Unknown scopes are dropped.
func ordered(scopes []access.Scope) []access.Scope {
	list := make([]access.Scope, 0, len(scopes))
	for _, s := range allScopes {
		if slices.Contains(scopes, s) {
			list = append(list, s)
		}
	}
	return list
}

// held returns the scopes that a holder of others has. held(allScopes, others) is the complete list of others: it
// also contains the read scope that each write scope includes. So a token for webhooks:write keeps webhooks:read
// when its client is left with webhooks:read.
func held(scopes, others []access.Scope) []access.Scope {
	list := make([]access.Scope, 0, len(scopes))
	for _, s := range scopes {
		if access.Allows(others, s) {
			list = append(list, s)
		}
	}
	return list
}

// ErrScope reports that a requested scope does not exist or is not held by the client.
var ErrScope = errors.New("a scope is unknown, or the client does not hold it")

// granted returns the scopes for a token: the requested ones (RFC 6749 §3.3), or all that the client holds when asked
// is empty. It returns ErrScope when a requested scope cannot be granted.
func granted(asked string, holds []access.Scope) ([]access.Scope, error) {
	if asked == "" {
		return ordered(holds), nil
	}
	list := parse(asked)
	refused := func(s access.Scope) bool { return !access.Allows(holds, s) }
	if len(list) == 0 || slices.ContainsFunc(list, refused) {
		return nil, ErrScope
	}
	return ordered(list), nil
}

// parse splits the list of scopes of a token or a request. It does not check whether the scopes are known.
func parse(text string) []access.Scope {
	return access.Named(slices.DeleteFunc(strings.Split(text, " "), func(name string) bool { return name == "" }))
}

// joined returns the scopes separated by spaces, as parse reads them.
func joined(scopes []access.Scope) string {
	var b strings.Builder
	for i, s := range scopes {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(s))
	}
	return b.String()
}
