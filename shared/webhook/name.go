package webhook

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// FoldName returns the folded form of a name. Two names are equal if their folded forms are equal. This is the
// canonical caseless match of the Unicode Standard (definition D145). Full case folding makes "ß" equal to "SS". The
// folding does not depend on the language: "I" is equal to "i", and never to the dotless "ı". FoldName returns NFC,
// because folding may decompose characters.
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
