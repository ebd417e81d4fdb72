package auth

import (
	"errors"
	"slices"
	"strings"

	"nepenthes/shared/access"
)

// allScopes is the order in which scopes are listed.
var allScopes = access.Scopes()

// ordered gives the scopes without repeats, in the order of access.Scopes; unknown ones are dropped.
func ordered(scopes []access.Scope) []access.Scope {
	list := make([]access.Scope, 0, len(scopes))
	for _, s := range allScopes {
		if slices.Contains(scopes, s) {
			list = append(list, s)
		}
	}
	return list
}

// held gives those of the scopes that a holder of others has. Held among all, a list is complete: every read that
// a write of it includes stands there too, so that a token for webhooks:write keeps webhooks:read when its client
// is left with that.
func held(scopes, others []access.Scope) []access.Scope {
	list := make([]access.Scope, 0, len(scopes))
	for _, s := range scopes {
		if access.Allows(others, s) {
			list = append(list, s)
		}
	}
	return list
}

// ErrScope says that scopes were asked for that do not exist or are not the client's to have.
var ErrScope = errors.New("a scope is unknown, or the client does not hold it")

// granted gives the scopes for a token: those asked for (RFC 6749 §3.3), all that the client holds when none are;
// ErrScope when one cannot be had.
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

// parse splits a list of scopes as it stands in a token or a request; it does not look whether they are known.
func parse(text string) []access.Scope {
	return access.Named(slices.DeleteFunc(strings.Split(text, " "), func(name string) bool { return name == "" }))
}

// joined is the reverse of parse.
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
