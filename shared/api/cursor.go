package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"math"
	"strings"

	"nepenthes/shared/delivery"
)

// position is a place between two elements of a list of deliveries: behind the delivery from, or before it when
// backward.
type position struct {
	from     delivery.Key
	backward bool
}

// cursors turns positions into text that nobody else can make, and back. A cursor is a letter for the direction,
// the key as in the delivery's id, and a part of an HMAC over these and the list, filters included, so that it
// counts for no other.
type cursors struct{ key []byte }

const (
	forwardLetter, backwardLetter = "n", "p"
	idPrefix                      = "dlv_"
	macSize                       = 16 // bytes of HMAC-SHA256 that are kept; truncation to half is RFC 2104's advice
)

// make writes a cursor of the list.
func (c cursors) make(list string, p position) string {
	letter := forwardLetter
	if p.backward {
		letter = backwardLetter
	}
	text := letter + strings.TrimPrefix(p.from.ID(), idPrefix)
	return text + base64.RawURLEncoding.EncodeToString(c.mac(list, text))
}

// read reads a cursor of the list; the empty one is the beginning. The fault is of kind InvalidQuery.
func (c cursors) read(list, text string) (position, error) {
	if text == "" {
		return position{}, nil
	}
	refused := invalidQuery("cursor", "It is no cursor of this list with these filters.",
		"Follow a link of a page, or leave the cursor out to begin again.")
	split := len(text) - base64.RawURLEncoding.EncodedLen(macSize)
	if split < 1 {
		return position{}, refused
	}
	mac, err := base64.RawURLEncoding.Strict().DecodeString(text[split:])
	if err != nil || !hmac.Equal(mac, c.mac(list, text[:split])) {
		return position{}, refused
	}
	key, err := delivery.ParseKey(idPrefix + text[1:split])
	if err != nil {
		return position{}, refused
	}
	return position{from: key, backward: text[:1] == backwardLetter}, nil
}

func (c cursors) mac(list, text string) []byte {
	h := hmac.New(sha256.New, c.key)
	h.Write([]byte(list))
	h.Write([]byte{0})
	h.Write([]byte(text))
	return h.Sum(nil)[:macSize]
}

// older is a place just behind the key, towards older deliveries: what lies before it includes the key.
func older(key delivery.Key) delivery.Key {
	for i := len(key.Event) - 1; i >= 0; i-- {
		key.Event[i]--
		if key.Event[i] != math.MaxUint8 {
			return key
		}
	}
	key.ReceivedMs--
	return key
}

// newer is a place just before the key: what lies behind it includes the key.
func newer(key delivery.Key) delivery.Key {
	for i := len(key.Event) - 1; i >= 0; i-- {
		key.Event[i]++
		if key.Event[i] != 0 {
			return key
		}
	}
	key.ReceivedMs++
	return key
}
