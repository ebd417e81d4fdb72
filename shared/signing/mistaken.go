package signing

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"nepenthes/shared/visible"
)

// What a secret of one's own was plainly meant to be. As literal text it would sign, and no receiver would verify.
var (
	// prefixed finds a prefix of Standard Webhooks wherever it stands, in any case, with whatever stands for its
	// underscore. The short ones count only where a word begins: in random text they come about by chance.
	prefixed = regexp.MustCompile(`(?i)(?:whsec|(?:^|[^0-9a-z_-])wh[sp]k)(?:[_\x{2010}-\x{2015}-]|%5f)`)
	// signature is what a request carries instead of the secret.
	signature = regexp.MustCompile(`^(?:v1a?,|sha(?:1|256)=)[0-9A-Za-z+/_-]{20,}=*$`)
	// unfilled is a place that a template or a program left empty.
	unfilled = regexp.MustCompile(`^(?:\$\{[^{}]*\}|\{\{[^{}]*\}\}|undefined|\[object Object\])$`)
	// word is the wish to have a secret made, but for its spelling.
	word = regexp.MustCompile(`(?i)^generate(?:[ _-]?ed25519)?$`)
)

// quotes are pairs of quotation marks, opening and closing.
var quotes = []string{`""`, `''`, "``", "“”", "„“", "„”", "‘’", "‚‘", "‚’", "«»", "»«", "‹›"}

// masks are the characters that stand for one that is not shown.
const masks = "*•●∙·"

// mistaken says what is wrong with a text that was plainly meant as something else than itself, and what to do; both
// are empty when the text may be a secret. They repeat nothing of it. The text does not begin with one of the prefixes
// that Parse reads.
func mistaken(text string) (message, hint string) {
	first, _ := utf8.DecodeRuneInString(text)
	last, _ := utf8.DecodeLastRuneInString(text)
	bare := strings.Map(dropUnseen, text)
	switch {
	case text == "":
		return "", ""
	case strings.Trim(text, masks) == "":
		return "*** stands for a secret that is not shown.",
			`Leave the secret out to keep the present one, or give the secret itself.`
	case isBlank(first) || isBlank(last):
		return "It begins or ends with white space, a line end or a character that nobody sees.",
			"Give the secret without what stands around it."
	case isQuoted(text):
		return "There are quotation marks around it.", "Give the secret without them."
	case strings.HasPrefix(bare, publicPrefix):
		return "A public key (whpk_…) verifies and cannot sign.",
			`Give the private key (whsk_…), or "generate-ed25519".`
	case prefixed.MatchString(bare):
		return "It holds whsec_, whsk_ or whpk_ in another spelling or behind something else.",
			"Give what begins with whsec_ or whsk_, in lower case and with nothing before it."
	case strings.HasPrefix(bare, "-----BEGIN"):
		return "A key in PEM is not a secret.",
			`Give whsk_ and base64 of the 64 bytes of the ed25519 private key, or "generate-ed25519".`
	case signature.MatchString(bare):
		return "This is a signature, not the secret that makes it.", `Give the secret itself, or "generate".`
	case unfilled.MatchString(text):
		return "This stands for a value that was not filled in.", `Give the secret itself, or "generate".`
	case word.MatchString(text):
		return "To have a secret made, the words are generate and generate-ed25519, in lower case.",
			`Write "generate" or "generate-ed25519".`
	}
	return "", ""
}

// isBlank reports whether a character at an end of a text comes from copying it: white space, or what nobody sees. Marks
// belong to the character before them, those of U+E0000 and above to a flag, and other control characters are nothing
// that is copied.
func isBlank(r rune) bool {
	return unicode.IsSpace(r) || !visible.Rune(r) && !unicode.In(r, unicode.M, unicode.Cc) && r < 0xE0000
}

func dropUnseen(r rune) rune {
	if unicode.Is(unicode.Cf, r) {
		return -1
	}
	return r
}

// isQuoted reports whether a pair of quotation marks stands around the text, also with the backslashes that JSON and
// shells put before them.
func isQuoted(text string) bool {
	text = strings.TrimPrefix(text, `\`)
	for _, pair := range quotes {
		_, size := utf8.DecodeRuneInString(pair)
		if strings.HasPrefix(text, pair[:size]) && strings.HasSuffix(text, pair[size:]) {
			return true
		}
	}
	return false
}
