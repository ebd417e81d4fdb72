// Package id makes and reads the identifiers of the system.
//
// An id is a prefix that says what the id names, an underscore, and a ULID: 26 characters of Crockford's base 32. The
// first ten characters are the time in milliseconds, so that ids sort by their time. Only the id of a delivery is
// different: it is derived from the delivery's key, and the key can be read from it.
package id

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// Prefix says what an identifier names.
type Prefix string

// The prefixes, one for each kind of resource.
const (
	Event    Prefix = "evt_"
	Webhook  Prefix = "wh_"
	Secret   Prefix = "sec_"
	Attempt  Prefix = "att_"
	Client   Prefix = "app_"
	Request  Prefix = "req_"
	delivery        = "dlv_"
)

var (
	mu      sync.Mutex // protects entropy
	entropy = ulid.Monotonic(rand.Reader, 0)
)

// New returns an id that no other call returns. Ids that a process makes in the same millisecond sort in the order of
// the calls. New is safe for concurrent use. It panics only if now is after the year 10889.
func New(p Prefix, now time.Time) string {
	mu.Lock()
	defer mu.Unlock()
	u, err := ulid.New(ulid.Timestamp(now), entropy)
	if err != nil { // the monotonic part overflowed within one millisecond: start again at a random number
		u = ulid.MustNew(ulid.Timestamp(now), rand.Reader)
	}
	return string(p) + u.String()
}

// Valid reports whether s is p followed by a ULID in its canonical (upper case) spelling.
func Valid(p Prefix, s string) bool {
	rest, ok := strings.CutPrefix(s, string(p))
	if !ok {
		return false
	}
	u, err := ulid.ParseStrict(rest)
	return err == nil && u.String() == rest
}

// deliverySize is the size of a delivery's key in bytes: the ULID of the webhook (16), the time of the event's receipt
// in milliseconds (6, as in a ULID) and the key of the event (12).
const deliverySize = 16 + 6 + 12

// Delivery returns the id of the delivery of an event to a webhook: "dlv_" and the delivery's key in base64url. It
// panics if the webhook's id is not Valid: ids from outside must be checked before.
func Delivery(webhook string, receivedMs int64, event [12]byte) string {
	u := ulid.MustParseStrict(strings.TrimPrefix(webhook, string(Webhook)))
	var b [deliverySize]byte
	copy(b[:16], u[:])
	putMs(b[16:22], receivedMs)
	copy(b[22:], event[:])
	return delivery + base64.RawURLEncoding.EncodeToString(b[:])
}

var errDelivery = errors.New("not a delivery id")

// ParseDelivery returns the key in the id of a delivery. It accepts only the spelling that Delivery writes, so that two
// different strings never name the same delivery.
func ParseDelivery(s string) (webhook string, receivedMs int64, event [12]byte, err error) {
	rest, ok := strings.CutPrefix(s, delivery)
	if !ok {
		return "", 0, event, errDelivery
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(rest)
	if err != nil || len(b) != deliverySize || len(rest) != base64.RawURLEncoding.EncodedLen(deliverySize) {
		return "", 0, event, errDelivery
	}
	copy(event[:], b[22:])
	return string(Webhook) + ulid.ULID(b[:16]).String(), getMs(b[16:22]), event, nil
}

func putMs(b []byte, ms int64) {
	binary.BigEndian.PutUint16(b, uint16(ms>>32))
	binary.BigEndian.PutUint32(b[2:], uint32(ms))
}

func getMs(b []byte) int64 {
	return int64(binary.BigEndian.Uint16(b))<<32 | int64(binary.BigEndian.Uint32(b[2:]))
}
