package page

import (
	"strings"

	seen "nepenthes/shared/visible" // visible is a function here
)

// NameOf is a name as pages show it. In place of one that nobody would see stands the id: events can teach a project
// such a name. Characters that turn the direction of what stands behind them are left out, since names stand within
// sentences, in titles and beside other text; letters that run from right to left need none of them.
func NameOf(name, id string) string {
	if !seen.In(name) {
		return id
	}
	return strings.Map(func(r rune) rune {
		if r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' { // embeddings, overrides and isolates (UAX #9)
			return -1
		}
		return r
	}, name)
}
