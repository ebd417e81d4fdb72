package page

import (
	"strings"

	visibletext "nepenthes/shared/visible" // this package has a function visible
)

// NameOf returns a name as pages show it. It returns the id if the name has no visible character, which is possible for
// names from events. It removes characters that change the direction of the text after the name. Letters that are
// written from right to left do not need these characters.
func NameOf(name, id string) string {
	if !visibletext.In(name) {
		return id
	}
	return strings.Map(func(r rune) rune {
		if r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' { // embeddings, overrides and isolates (UAX #9)
			return -1
		}
		return r
	}, name)
}
