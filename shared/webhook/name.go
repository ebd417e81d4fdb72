package webhook

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// FoldName returns the folded form of a name. Two names are considered equal if their folded forms are equal. This is
// the canonical caseless match of the Unicode Standard (definition D145). It uses full case folding, which makes "ß"
// equal to "SS", and the same folding for all languages, which makes "I" equal to "i" and never to the dotless "ı".
// Folding may leave a decomposed text, so FoldName brings the result into NFC.
func FoldName(name string) string {
	fold := cases.Fold() // a Caser must not be shared between goroutines
	return norm.NFC.String(fold.String(strings.Map(cherokeeCapital, norm.NFD.String(name))))
}

// cherokeeCapital converts Cherokee letters to upper case, which is the folded form in this script. cases.Fold (x/text
// 0.44) swaps upper and lower case in these 86 pairs instead of folding them.
func cherokeeCapital(r rune) rune {
	if unicode.Is(unicode.Cherokee, r) {
		return unicode.ToUpper(r)
	}
	return r
}
