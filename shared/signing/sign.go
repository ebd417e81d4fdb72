// Package signing holds the secrets of webhooks and the signatures that a receiver verifies.
//
// Signatures follow Standard Webhooks: v1 is HMAC-SHA256, v1a is ed25519, both over the delivery's id, the
// attempt's Unix time and the raw body. During a rotation several secrets are live at once; every one of them
// signs, so a receiver may hold any. [Legacy] is the signature of the original APIv3 webhooks.
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

// longestSignature is the length of "v1a," with its base64 and the space before it.
var longestSignature = len(" v1a,") + base64.StdEncoding.EncodedLen(ed25519.SignatureSize)

// keptMessage is the largest buffer, in bytes, that is kept for the next signature: above the longest event.
const keptMessage = 512 << 10

// scratch is the memory of one call of Sign.
type scratch struct {
	message []byte // "{id}.{timestamp}." and, for ed25519 alone, the body
	sum     []byte
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// Sign returns the value of the header webhook-signature: "v1,…" for each HMAC secret and after these "v1a,…"
// for each key pair, both in the order of secrets (newest first), separated by spaces. It is empty when
// secrets holds none: the header is then left out. The timestamp is in Unix seconds.
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
	whole := false // whether the body is in message already
	for _, secret := range secrets {
		if secret.Kind() != Ed25519 {
			continue
		}
		if !whole {
			s.message, whole = append(s.message, body...), true
		}
		signatures = appendSignature(signatures, "v1a,", ed25519.Sign(secret.material().private, s.message))
	}
	return string(signatures)
}

// appendV1 streams the body through the MAC: a symmetric signature copies nothing.
func (s *scratch) appendV1(signatures []byte, m *material, body []byte) []byte {
	mac := m.mac()
	defer m.macs.Put(mac)
	mac.Write(s.message)
	mac.Write(body)
	s.sum = mac.Sum(s.sum[:0])
	return appendSignature(signatures, "v1,", s.sum)
}

// release gives the memory back, unless one giant body would be held for ever by it.
func (s *scratch) release() {
	if cap(s.message) <= keptMessage {
		scratches.Put(s)
	}
}

// mac returns a MAC that is keyed and empty. Used ones go back to the pool, because package hmac remembers
// the keyed state at the first Reset and need not hash the key again.
func (m *material) mac() hash.Hash {
	mac := m.macs.Get().(hash.Hash)
	mac.Reset()
	return mac
}

func appendSignature(signatures []byte, version string, signature []byte) []byte {
	if len(signatures) > 0 {
		signatures = append(signatures, ' ')
	}
	return base64.StdEncoding.AppendEncode(append(signatures, version...), signature)
}

// Legacy returns the value of the header X-OP-Signature: "sha1=" and hex HMAC-SHA1 of the body. Its key is the
// secret's literal text, prefix included, as the receivers written for the original configured it. It is empty
// when secret is no HMAC secret: the header is then left out.
func Legacy(secret Secret, body []byte) string {
	if secret.Kind() != HMAC {
		return ""
	}
	mac := hmac.New(sha1.New, []byte(secret.Text()))
	mac.Write(body)
	return "sha1=" + hex.EncodeToString(mac.Sum(nil))
}
