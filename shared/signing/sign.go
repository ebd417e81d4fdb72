// Package signing defines the secrets of webhooks and makes the signatures that a receiver verifies.
//
// Signatures follow Standard Webhooks: v1 is HMAC-SHA256 and v1a is ed25519, both over the delivery's id, the attempt's
// Unix time and the raw body. During a rotation a webhook has several valid secrets. All of them sign, so that a
// receiver needs only one of them. [Legacy] makes the signature of the original APIv3 webhooks.
package signing

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strconv"
	"sync"
)

// longestSignature is the length of a space, "v1a," and an ed25519 signature in base64.
var longestSignature = len(" v1a,") + base64.StdEncoding.EncodedLen(ed25519.SignatureSize)

// keptMessage is the largest buffer, in bytes, that is kept for the next signature. It is twice the size of the largest
// event.
const keptMessage = 512 << 10

// scratch is the memory that a call of Sign needs. It is used again by later calls.
type scratch struct {
	message []byte // "{id}.{timestamp}." and, only for ed25519, the body
	sum     []byte // the MAC
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// Sign returns the value of the header webhook-signature: "v1,…" for each HMAC secret, then "v1a,…" for each key pair,
// in the order of secrets and separated by spaces. Newer secrets should come first. The timestamp is in Unix seconds.
// If there are no secrets, Sign returns "", and the request must not have the header.
func Sign(id string, timestamp int64, body []byte, secrets []Secret) string {
	s := scratches.Get().(*scratch)
	defer s.release()
	s.message = append(append(s.message[:0], id...), '.')
	s.message = append(strconv.AppendInt(s.message, timestamp, 10), '.')

	signatures := make([]byte, 0, len(secrets)*longestSignature)
	for _, secret := range secrets {
		if secret.Kind() == HMAC {
			signatures = s.appendV1(signatures, secret.material(), body)
		}
	}
	hasBody := false // whether message contains the body already
	for _, secret := range secrets {
		if secret.Kind() != Ed25519 {
			continue
		}
		if !hasBody {
			s.message, hasBody = append(s.message, body...), true
		}
		signatures = appendSignature(signatures, "v1a,", ed25519.Sign(secret.material().private, s.message))
	}
	return string(signatures)
}

// appendV1 appends a symmetric signature. It writes the body to the MAC without copying it.
func (s *scratch) appendV1(signatures []byte, m *material, body []byte) []byte {
	mac := m.mac()
	defer m.macs.Put(mac)
	mac.Write(s.message)
	mac.Write(body)
	s.sum = mac.Sum(s.sum[:0])
	return appendSignature(signatures, "v1,", s.sum)
}

// release keeps the memory for later calls, unless it is so large that it should be freed.
func (s *scratch) release() {
	if cap(s.message) <= keptMessage {
		scratches.Put(s)
	}
}

// mac returns a MAC with the key and without data. A used MAC should be put back into macs: package hmac keeps the
// state after the key at the first Reset, so the key need not be hashed again.
func (m *material) mac() hash.Hash {
	mac := m.macs.Get().(hash.Hash)
	mac.Reset()
	return mac
}

// appendSignature appends a signature in base64, with a space before it if it is not the first.
func appendSignature(signatures []byte, version string, signature []byte) []byte {
	if len(signatures) > 0 {
		signatures = append(signatures, ' ')
	}
	return base64.StdEncoding.AppendEncode(append(signatures, version...), signature)
}

// Legacy returns the value of the header X-OP-Signature: "sha1=" and the HMAC-SHA1 of the body in hexadecimal. The key
// is the literal text of the secret with its prefix, because receivers of the original webhooks are configured with
// that text. If secret is not an HMAC secret, Legacy returns "", and the request must not have the header.
func Legacy(secret Secret, body []byte) string {
	if secret.Kind() != HMAC {
		return ""
	}
	mac := hmac.New(sha1.New, []byte(secret.Text()))
	mac.Write(body)
	return "sha1=" + hex.EncodeToString(mac.Sum(nil))
}
