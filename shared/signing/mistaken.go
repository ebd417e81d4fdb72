package signing

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"nepenthes/shared/visible"
)

// Patterns of texts that are not meant as secrets. Such a text could sign, but no receiver would verify its signatures.
var (
	// prefixed matches a prefix of Standard Webhooks anywhere, in upper or lower case, and with a dash or %5F instead
	// of the underscore. The short prefixes match only at the beginning of a word, because random text may contain
	// them.
	prefixed = regexp.MustCompile(`(?i)(?:whsec|(?:^|[^0-9a-z_-])wh[sp]k)(?:[_\x{2010}-\x{2015}-]|%5f)`)
	// signature matches the signature of a request, which is easily taken for the secret.
	signature = regexp.MustCompile(`^(?:v1a?,|sha(?:1|256)=)[0-9A-Za-z+/_-]{20,}=*$`)
	// unfilled matches a placeholder that a template or a program did not replace.
	unfilled = regexp.MustCompile(`^(?:\$\{[^{}]*\}|\{\{[^{}]*\}\}|undefined|\[object Object\])$`)
	// generateWord matches "generate" and "generate-ed25519" in other spellings.
	generateWord = regexp.MustCompile(`(?i)^generate(?:[ _-]?ed25519)?$`)
)

// quotes has pairs of opening and closing quotation marks.
var quotes = []string{`""`, `''`, "``", "“”", "„“", "„”", "‘’", "‚‘", "‚’", "«»", "»«", "‹›"}

// masks has the characters that programs show instead of a secret's characters.
const masks = "*•●∙·"

// mistaken returns what is wrong with a text that is not meant as a secret, and what to do. Both are empty if the text
// can be a secret, and neither contains a part of the text. The text must not begin with a prefix that Parse reads.
func mistaken(text string) (message, hint string) {
	first, _ := utf8.DecodeRuneInString(text)
	last, _ := utf8.DecodeLastRuneInString(text)
	bare := strings.Map(dropFormat, text)
	switch {
	case text == "":
		return "", ""
	case strings.Trim(text, masks) == "":
		return "It is a placeholder for a secret that is not shown.",
			"Leave it out to keep the current secret, or give the secret itself."
	case isBlank(first) || isBlank(last):
		return "It begins or ends with white space, a line break or an invisible character.",
			"Remove the characters before and after the secret."
	case isQuoted(text):
		return "It has quotation marks around it.", "Remove the quotation marks."
	case strings.HasPrefix(bare, publicPrefix):
		return "It is a public key (whpk_…), which can verify but not sign.",
			`Give the private key (whsk_…), or "generate-ed25519".`
	case prefixed.MatchString(bare):
		return "It contains whsec_, whsk_ or whpk_ in another spelling or after other text.",
			"Begin with whsec_ or whsk_, in lower case and with nothing before it."
	case strings.HasPrefix(bare, "-----BEGIN"):
		return "It is a key in PEM, which is not supported.",
			`Give whsk_ followed by the 64 bytes of the ed25519 private key in base64, or "generate-ed25519".`
	case signature.MatchString(bare):
		return "It is a signature, not a secret.", `Give the secret itself, or "generate".`
	case unfilled.MatchString(text):
		return "It is a placeholder that was not filled in.", `Give the secret itself, or "generate".`
	case generateWord.MatchString(text):
		return "The words for a new secret are generate and generate-ed25519, in lower case.",
			`Write "generate" or "generate-ed25519".`
	}
	return "", ""
}

// isBlank reports whether r is white space or invisible. At an end of a secret, such a character was usually copied by
// mistake. Combining marks do not count, because they belong to the character before them, nor do characters from
// U+E0000 on, which belong to a flag. Other control characters do not count, because nobody copies them by mistake.
func isBlank(r rune) bool {
	return unicode.IsSpace(r) || !visible.Rune(r) && !unicode.In(r, unicode.M, unicode.Cc) && r < 0xE0000
}

// dropFormat is for strings.Map. It drops format characters, such as a zero-width space, which could hide a prefix.
func dropFormat(r rune) rune {
	if unicode.Is(unicode.Cf, r) {
		return -1
	}
	return r
}

// isQuoted reports whether text has quotation marks around it. They may be escaped with backslashes, as in JSON or a
// shell.
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
