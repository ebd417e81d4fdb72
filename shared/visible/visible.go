// Package visible knows which characters a person can see.
package visible

import (
	"strings"
	"unicode"
)

// blank are characters that are drawn as nothing, though the Unicode Standard counts them among letters and symbols:
// the empty braille pattern, blanks of Egyptian hieroglyphs, a note without a head. The fillers of Hangul are in
// Other_Default_Ignorable_Code_Point.
var blank = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x2800, Hi: 0x2800, Stride: 1}},
	R32: []unicode.Range32{{Lo: 0x13441, Hi: 0x13442, Stride: 1}, {Lo: 0x1D159, Hi: 0x1D159, Stride: 1}},
}

// In reports whether the text has a character that can be seen by itself. White space, control and format characters,
// marks that combine with a character before them, and blanks cannot. The empty text has none.
func In(text string) bool { return strings.ContainsFunc(text, Rune) }

// Rune reports whether r can be seen by itself.
func Rune(r rune) bool {
	if unicode.Is(unicode.Prepended_Concatenation_Mark, r) { // format characters that are drawn, such as U+0600
		return true
	}
	return !unicode.In(r, unicode.Z, unicode.Cc, unicode.Cf, unicode.Mn, unicode.Me,
		unicode.Other_Default_Ignorable_Code_Point, blank)
}
