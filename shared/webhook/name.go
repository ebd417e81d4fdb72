package webhook

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// FoldName gives the form in which names are compared: two names are one when their folded forms are equal. It is
// the canonical caseless match of the Unicode Standard (definition D145): full case folding, so that "ß" is "SS",
// and the same for every language, so that "I" is "i" and never the dotless "ı". Folding may leave a text that is
// not composed, hence the form NFC at the end.
func FoldName(name string) string {
	fold := cases.Fold() // a Caser must not be shared between goroutines
	return norm.NFC.String(fold.String(strings.Map(cherokeeCapital, norm.NFD.String(name))))
}

// cherokeeCapital makes Cherokee letters capital, which in this script is their folded form. cases.Fold (x/text
// 0.44) swaps the cases of these 86 pairs instead of making them one.
func cherokeeCapital(r rune) rune {
	if unicode.Is(unicode.Cherokee, r) {
		return unicode.ToUpper(r)
	}
	return r
}
