// Package id makes and reads the identifiers of the system.
//
// An identifier is a prefix that says what it names, an underscore, and a ULID: 26 characters of Crockford's
// base 32, of which the first ten are the time in milliseconds, so that ids sort by when they were made.
// A delivery's id is the exception: it is derived from the delivery's key and can be turned back into it.
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

// The prefixes in use.
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

// New makes an identifier that no other call returns. Ids of one process made in the same millisecond sort in
// the order of the calls. It is safe for concurrent use and panics only when the clock is beyond the year 10889.
func New(p Prefix, now time.Time) string {
	mu.Lock()
	defer mu.Unlock()
	u, err := ulid.New(ulid.Timestamp(now), entropy)
	if err != nil { // the monotonic part overflowed within one millisecond: begin a new one
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

// deliverySize is the size of a delivery's key in bytes: a webhook's ULID (16), the milliseconds at which the
// event was received (6, as in a ULID) and the event's key (12).
const deliverySize = 16 + 6 + 12

// Delivery derives the id of the delivery of one event to one webhook: "dlv_" and the base64url of its key.
// webhook must be Valid; Delivery panics otherwise, since no caller may have it from outside unchecked.
func Delivery(webhook string, receivedMs int64, event [12]byte) string {
	u := ulid.MustParseStrict(strings.TrimPrefix(webhook, string(Webhook)))
	var b [deliverySize]byte
	copy(b[:16], u[:])
	putMs(b[16:22], receivedMs)
	copy(b[22:], event[:])
	return delivery + base64.RawURLEncoding.EncodeToString(b[:])
}

var errDelivery = errors.New("not a delivery id")

// ParseDelivery turns a delivery's id back into its key. It refuses every other spelling of the same bytes, so
// that two different strings never name one delivery.
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
