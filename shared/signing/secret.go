package signing

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"nepenthes/shared/fault"
)

// Kind is the algorithm with which a secret signs.
type Kind string

// The kinds of secrets.
const (
	HMAC    Kind = "hmac"    // symmetric; signs with HMAC-SHA256 (signature v1)
	Ed25519 Kind = "ed25519" // a key pair (signature v1a)
)

// The prefixes and lengths of secrets. Those of symmetric secrets are from Standard Webhooks.
const (
	symmetricPrefix = "whsec_"
	privatePrefix   = "whsk_"
	publicPrefix    = "whpk_"

	minSymmetric = 24 // bytes, decoded
	maxSymmetric = 64 // bytes, decoded
	newSymmetric = 32 // bytes, decoded, of a generated secret

	minText = 8   // bytes of UTF-8
	maxText = 128 // bytes of UTF-8

	// maxMistaken is the largest text for which a refusal explains the mistake. Keys in PEM and secrets with other text
	// around them are shorter.
	maxMistaken = 1 << 10 // bytes
)

// redacted is printed in place of a secret.
const redacted = "***"

// Secret is a signing secret of a webhook. Only Text returns its value. If a Secret is printed, logged or encoded in
// any other way, the result is "***". The zero Secret signs nothing. A Secret is safe for concurrent use.
type Secret struct {
	// The pointer to a pointer protects the value from package fmt. If a Secret is in an unexported field of another
	// struct, fmt prints it without calling its methods. For some verbs fmt even follows a pointer to a struct, but for
	// a pointer to a pointer it prints only the address.
	hidden **material
}

// material is the content of a secret.
type material struct {
	kind    Kind
	text    string
	key     []byte             // HMAC only
	private ed25519.PrivateKey // Ed25519 only
	macs    sync.Pool          // of hash.Hash with the key; see mac
}

// Parse reads a secret that a client wrote. There are three forms:
//
//  1. "whsec_" and 24 to 64 bytes in base64. The bytes are an HMAC key.
//  2. "whsk_" and the 64 bytes of an ed25519 private key in base64: the seed and the public key (RFC 8032).
//  3. Any other 8 to 128 bytes of UTF-8. They are an HMAC key.
//
// A malformed text with one of the two prefixes is refused; it never has the third form. Parse also refuses a text that
// is not meant as a secret: with white space or quotation marks around it, with a prefix in upper case or after other
// text, or the placeholder ***. The error is a fault about the attribute "secret". It says what to do and does not
// contain the text.
func Parse(text string) (Secret, error) {
	if len(text) > maxMistaken {
		return refuseLength()
	}
	encoded := strings.HasPrefix(text, symmetricPrefix) || strings.HasPrefix(text, privatePrefix)
	if !encoded {
		if message, hint := mistaken(text); message != "" {
			return refuse(message, hint)
		}
	}
	return Restore(text)
}

// Restore reads a stored secret, which an earlier version of Parse may have accepted under fewer rules. It must still
// sign. The error is the same as that of Parse.
func Restore(text string) (Secret, error) {
	if encoded, ok := strings.CutPrefix(text, symmetricPrefix); ok {
		return parseSymmetric(text, encoded)
	}
	if encoded, ok := strings.CutPrefix(text, privatePrefix); ok {
		return parsePrivate(text, encoded)
	}
	if len(text) < minText || len(text) > maxText {
		return refuseLength()
	}
	if !utf8.ValidString(text) {
		return refuse("It must be UTF-8.", "For other bytes, give whsec_ followed by the bytes in base64.")
	}
	return symmetric(text, []byte(text)), nil
}

func parseSymmetric(text, encoded string) (Secret, error) {
	key, ok := decode(encoded)
	if !ok || len(key) < minSymmetric || len(key) > maxSymmetric {
		return refuse(
			fmt.Sprintf("After whsec_, it must be %d to %d bytes in base64.", minSymmetric, maxSymmetric),
			base64Hint(encoded)+` Or give "generate".`)
	}
	return symmetric(text, key), nil
}

func parsePrivate(text, encoded string) (Secret, error) {
	key, ok := decode(encoded)
	if !ok || len(key) != ed25519.PrivateKeySize {
		return refuse(
			fmt.Sprintf("After whsk_, it must be the %d bytes of an ed25519 private key in base64.", ed25519.PrivateKeySize),
			base64Hint(encoded)+` The bytes are the seed followed by the public key. Or give "generate-ed25519".`)
	}
	// With the public half of another seed, no signature could be verified, and the signatures could even reveal the
	// seed.
	private := ed25519.NewKeyFromSeed(key[:ed25519.SeedSize])
	if !private.Equal(ed25519.PrivateKey(key)) {
		return refuse("The public half of this ed25519 key does not belong to its seed.",
			`Give the 64 bytes as they were generated, or "generate-ed25519".`)
	}
	return hide(&material{kind: Ed25519, text: text, private: private}), nil
}

// decode decodes base64 with padding (RFC 4648 §4). It accepts only the canonical form, because the libraries of
// receivers differ in other forms. Go's decoder, for example, skips line breaks.
func decode(encoded string) ([]byte, bool) {
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	return decoded, err == nil && base64.StdEncoding.EncodeToString(decoded) == encoded
}

// base64Hint returns a hint for a text that decode does not accept.
func base64Hint(encoded string) string {
	switch {
	case strings.ContainsFunc(encoded, func(r rune) bool { return isBlank(r) || unicode.IsControl(r) }):
		return "Remove white space, line breaks and invisible characters."
	case strings.ContainsAny(encoded, "-_"):
		return "Use the standard alphabet, which has + and / instead of - and _."
	case len(encoded)%4 != 0:
		return "Use the standard alphabet with its padding: the number of characters after the prefix must be a multiple of 4."
	}
	return "Use the standard alphabet with padding."
}

func hide(m *material) Secret { return Secret{&m} }

// material returns the content of the secret. It is empty for the zero Secret.
func (s Secret) material() *material {
	if s.hidden == nil {
		return new(material)
	}
	return *s.hidden
}

func refuseLength() (Secret, error) {
	return refuse(fmt.Sprintf("It must have %d to %d bytes.", minText, maxText), `Give another secret, or "generate".`)
}

func refuse(message, hint string) (Secret, error) {
	return Secret{}, fault.Invalid(fault.Detail{Attribute: "secret", Message: message, Hint: hint})
}

func symmetric(text string, key []byte) Secret {
	m := &material{kind: HMAC, text: text, key: key}
	m.macs.New = func() any { return hmac.New(sha256.New, key) }
	return hide(m)
}

// Generate returns a new HMAC secret: "whsec_" and 32 random bytes in base64.
func Generate() Secret {
	key := make([]byte, newSymmetric)
	rand.Read(key) // never fails (Go 1.24)
	return symmetric(symmetricPrefix+base64.StdEncoding.EncodeToString(key), key)
}

// GenerateEd25519 returns a new key pair.
func GenerateEd25519() Secret {
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed) // never fails (Go 1.24)
	private := ed25519.NewKeyFromSeed(seed)
	text := privatePrefix + base64.StdEncoding.EncodeToString(private)
	return hide(&material{kind: Ed25519, text: text, private: private})
}

// Kind returns the kind of the secret. It is empty for the zero Secret.
func (s Secret) Kind() Kind { return s.material().kind }

// PublicKey returns "whpk_" and the public half of a key pair in base64. It is empty for other kinds of secrets.
func (s Secret) PublicKey() string {
	if s.Kind() != Ed25519 {
		return ""
	}
	public := s.material().private.Public().(ed25519.PublicKey)
	return publicPrefix + base64.StdEncoding.EncodeToString(public)
}

// Weak reports whether an HMAC key has fewer than the 24 bytes that Standard Webhooks requires. A weak secret is
// accepted with a warning.
func (s Secret) Weak() bool {
	return s.Kind() == HMAC && len(s.material().key) < minSymmetric
}

// Text returns the secret itself, exactly as it was given or generated. Use it only to seal the secret, or to show a
// generated secret to the client that asked for it.
func (s Secret) Text() string { return s.material().text }

// String returns "***".
func (s Secret) String() string { return redacted }

// GoString returns "***".
func (s Secret) GoString() string { return redacted }

// Format writes "***" for every verb. Package fmt calls String only for some verbs.
func (s Secret) Format(state fmt.State, _ rune) { state.Write([]byte(redacted)) }

// LogValue returns "***".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON returns "***" in quotation marks. There is no UnmarshalJSON, because secrets must be read with Parse.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText returns "***".
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
