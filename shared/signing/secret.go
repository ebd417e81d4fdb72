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

// Kind says how a secret signs.
type Kind string

// The kinds of secret: one symmetric (signature v1), one asymmetric (signature v1a).
const (
	HMAC    Kind = "hmac"
	Ed25519 Kind = "ed25519"
)

// The prefixes of Standard Webhooks and the lengths that the contract of delivery allows.
const (
	symmetricPrefix = "whsec_"
	privatePrefix   = "whsk_"
	publicPrefix    = "whpk_"

	minSymmetric = 24 // bytes, decoded
	maxSymmetric = 64 // bytes, decoded
	generated    = 32 // bytes, decoded

	minText = 8   // bytes of UTF-8
	maxText = 128 // bytes of UTF-8

	// maxMeant bounds what is looked at to guess what it was meant to be: keys in PEM and secrets with something
	// around them are shorter.
	maxMeant = 1 << 10 // bytes
)

// redacted stands wherever a secret would otherwise be printed.
const redacted = "***"

// Secret is one signing secret of a webhook. Its value is shown by Text alone: printed, logged or encoded in
// any other way it is "***". The zero Secret signs nothing. It is safe for concurrent use.
type Secret struct {
	// Two pointers are part of the protection: a Secret in an unexported field of another struct is printed
	// by package fmt without asking its methods. For some verbs fmt follows a pointer to a struct even
	// there, but of a pointer to a pointer it never prints more than the address.
	hidden **material
}

type material struct {
	kind    Kind
	text    string
	key     []byte             // of HMAC
	private ed25519.PrivateKey // of Ed25519
	macs    sync.Pool          // of hash.Hash, keyed; see mac
}

// Parse reads a secret as a client writes it.
//
//  1. "whsec_" and base64 of 24–64 bytes: the decoded bytes are an HMAC key.
//  2. "whsk_" and base64 of the 64 bytes of an ed25519 private key (seed and public key, RFC 8032): a key pair.
//  3. Anything else of 8–128 bytes of UTF-8: these bytes are an HMAC key.
//
// Whatever begins like one of the first two and is malformed is refused, never taken for the third, and so is what
// was plainly meant as something else: white space or quotation marks around it, a prefix in another case or behind
// something, the *** that stands for a secret. The error is a fault on the attribute "secret" that says what to do and
// does not repeat any of it.
func Parse(text string) (Secret, error) {
	if len(text) > maxMeant {
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

// Restore reads a secret that Parse accepted, now or under fewer rules: what was stored goes on signing. The error is
// that of Parse.
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
		return refuse("A secret is UTF-8 text.", "For arbitrary bytes use whsec_ and base64 of them.")
	}
	return symmetric(text, []byte(text)), nil
}

func parseSymmetric(text, encoded string) (Secret, error) {
	key, ok := decode(encoded)
	if !ok || len(key) < minSymmetric || len(key) > maxSymmetric {
		return refuse(
			fmt.Sprintf("After whsec_ a secret is base64 of %d to %d bytes.", minSymmetric, maxSymmetric),
			baseHint(encoded)+` Or write "generate".`)
	}
	return symmetric(text, key), nil
}

func parsePrivate(text, encoded string) (Secret, error) {
	key, ok := decode(encoded)
	if !ok || len(key) != ed25519.PrivateKeySize {
		return refuse(
			fmt.Sprintf("After whsk_ a secret is base64 of the %d bytes of an ed25519 private key.", ed25519.PrivateKeySize),
			baseHint(encoded)+` The bytes are the seed followed by the public key. Or write "generate-ed25519".`)
	}
	// A public half of another seed would sign nothing that anyone can verify, and signatures made with
	// a wrong half can give the seed away.
	private := ed25519.NewKeyFromSeed(key[:ed25519.SeedSize])
	if !private.Equal(ed25519.PrivateKey(key)) {
		return refuse("The public half of this ed25519 key does not belong to its seed.",
			`Give the 64 bytes as they were generated, or "generate-ed25519".`)
	}
	return hide(&material{kind: Ed25519, text: text, private: private}), nil
}

// decode reads base64 with padding (RFC 4648 §4), and only its canonical form: receivers' libraries differ in
// what else they take, and Go's own skips line breaks.
func decode(encoded string) ([]byte, bool) {
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	return decoded, err == nil && base64.StdEncoding.EncodeToString(decoded) == encoded
}

// baseHint says how to mend what is not base64 in the one form that is taken.
func baseHint(encoded string) string {
	switch {
	case strings.ContainsFunc(encoded, func(r rune) bool { return isBlank(r) || unicode.IsControl(r) }):
		return "Give it without white space, line ends and characters that nobody sees."
	case strings.ContainsAny(encoded, "-_"):
		return "Use the standard alphabet, which has + and / where this has - and _."
	case len(encoded)%4 != 0:
		return "Use the standard alphabet with its padding: the number of characters after the prefix is a multiple of 4."
	}
	return "Use the standard alphabet with padding."
}

func hide(m *material) Secret { return Secret{&m} }

// material is what makes up the secret; that of the zero Secret is empty.
func (s Secret) material() *material {
	if s.hidden == nil {
		return new(material)
	}
	return *s.hidden
}

func refuseLength() (Secret, error) {
	return refuse(fmt.Sprintf("A secret has %d to %d bytes.", minText, maxText), `Give another one, or "generate".`)
}

func refuse(message, hint string) (Secret, error) {
	return Secret{}, fault.Invalid(fault.Detail{Attribute: "secret", Message: message, Hint: hint})
}

func symmetric(text string, key []byte) Secret {
	m := &material{kind: HMAC, text: text, key: key}
	m.macs.New = func() any { return hmac.New(sha256.New, key) }
	return hide(m)
}

// Generate makes an HMAC secret: "whsec_" and 32 random bytes.
func Generate() Secret {
	key := make([]byte, generated)
	rand.Read(key) // never fails (Go 1.24)
	return symmetric(symmetricPrefix+base64.StdEncoding.EncodeToString(key), key)
}

// GenerateEd25519 makes a key pair.
func GenerateEd25519() Secret {
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed) // never fails (Go 1.24)
	private := ed25519.NewKeyFromSeed(seed)
	text := privatePrefix + base64.StdEncoding.EncodeToString(private)
	return hide(&material{kind: Ed25519, text: text, private: private})
}

// Kind says how the secret signs; it is empty for the zero Secret.
func (s Secret) Kind() Kind { return s.material().kind }

// PublicKey is "whpk_" and base64 of the public half of a key pair; it is empty for every other secret.
func (s Secret) PublicKey() string {
	if s.Kind() != Ed25519 {
		return ""
	}
	public := s.material().private.Public().(ed25519.PublicKey)
	return publicPrefix + base64.StdEncoding.EncodeToString(public)
}

// Weak reports whether an HMAC key has fewer than the 24 bytes that Standard Webhooks asks for.
// Such a secret is used, with a warning.
func (s Secret) Weak() bool {
	return s.Kind() == HMAC && len(s.material().key) < minSymmetric
}

// Text is the secret itself, exactly as it was given or generated: to be sealed, or shown to the one who had
// it generated, and for nothing else.
func (s Secret) Text() string { return s.material().text }

// String is "***".
func (s Secret) String() string { return redacted }

// GoString is "***".
func (s Secret) GoString() string { return redacted }

// Format writes "***" for every verb: package fmt asks String for some of them only.
func (s Secret) Format(state fmt.State, _ rune) { state.Write([]byte(redacted)) }

// LogValue is "***".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON writes "***". Reading it back is left out on purpose: secrets come in through Parse.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText writes "***".
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
