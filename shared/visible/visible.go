// Package visible reports which characters a person can see.
package visible

import (
	"strings"
	"unicode"
)

// blank has characters that Unicode counts as letters or symbols although they are drawn empty: the empty braille
// pattern, blanks of Egyptian hieroglyphs, and a musical note without a head. The fillers of Hangul are in
// Other_Default_Ignorable_Code_Point.
var blank = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x2800, Hi: 0x2800, Stride: 1}},
	R32: []unicode.Range32{{Lo: 0x13441, Hi: 0x13442, Stride: 1}, {Lo: 0x1D159, Hi: 0x1D159, Stride: 1}},
}

// In reports whether the text contains a character for which Rune returns true.
func In(text string) bool { return strings.ContainsFunc(text, Rune) }

// Rune reports whether r is visible on its own. White space, control and format characters, blanks, and marks that
// combine with the character before them are not.
func Rune(r rune) bool {
	if unicode.Is(unicode.Prepended_Concatenation_Mark, r) { // these format characters are drawn, for example U+0600
		return true
	}
	return !unicode.In(r, unicode.Z, unicode.Cc, unicode.Cf, unicode.Mn, unicode.Me,
		unicode.Other_Default_Ignorable_Code_Point, blank)
}
