// Package cursor writes positions in lists of deliveries as texts, for the links between pages in the API and in the
// console. Only a process that has the key of the deployment can write a cursor. A cursor is valid only for the list for
// which it was written.
package cursor

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"time"

	"nepenthes/shared/api"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/instant"
)

// KeySize is the smallest size of a Key in bytes.
const KeySize = sha256.Size

// Key authenticates cursors. It is random, and all processes of a deployment share it.
type Key []byte

// List names a list of deliveries with its filters. It is the path and the query of the list in the API. Cursors contain
// an HMAC of this text, so it must not change: cursors of earlier releases would no longer be valid.
type List string

const apiPath = "/api/v3/"

// ListOf returns the name of a webhook's list of deliveries.
func ListOf(in *api.ListDeliveries) List {
	return list("webhooks/"+url.PathEscape(in.Webhook)+"/deliveries", in.State, in.Filters)
}

// ListOfDead returns the name of the list of deliveries that need a person.
func ListOfDead(in *api.ListDeadDeliveries) List {
	return list("deliveries", delivery.Dead, in.Filters)
}

func list(path string, state delivery.State, f api.DeliveryFilters) List {
	query := Query(state, f)
	if len(query) == 0 {
		return List(apiPath + path)
	}
	return List(apiPath + path + "?" + query.Encode())
}

// Query returns the query that asks the API for deliveries in a state that pass the filters. It leaves out an empty state
// and empty filters.
func Query(state delivery.State, f api.DeliveryFilters) url.Values {
	query := url.Values{}
	add := func(name, value string) {
		if value != "" {
			query.Set(name, value)
		}
	}
	add("state", string(state))
	add("event", f.Event)
	add("since", text(f.Since))
	add("until", text(f.Until))
	return query
}

// text returns t as the API writes it, or "" for the zero time.
func text(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return instant.Text(t)
}

// A cursor consists of a letter for the direction, the key of a delivery as in the id of the delivery, and the first bytes
// of an HMAC of the list, the letter and the key.
const (
	forward, backward = "n", "p"
	idPrefix          = "dlv_"
	macSize           = 16 // bytes of the HMAC-SHA256; RFC 2104 advises at least half
)

// Write returns the cursor of a position in the list.
func (k Key) Write(l List, p api.Position) string {
	direction := forward
	if p.Backward {
		direction = backward
	}
	position := direction + strings.TrimPrefix(p.From.ID(), idPrefix)
	return position + base64.RawURLEncoding.EncodeToString(k.mac(l, position))
}

// Read returns the position of a cursor. An empty cursor is the beginning of the list. For a text that Write does not
// return for this list, Read returns a fault of kind InvalidQuery.
func (k Key) Read(l List, cursor string) (api.Position, error) {
	if cursor == "" {
		return api.Position{}, nil
	}
	split := len(cursor) - base64.RawURLEncoding.EncodedLen(macSize)
	if split < 1 {
		return api.Position{}, refused()
	}
	mac, err := base64.RawURLEncoding.Strict().DecodeString(cursor[split:])
	if err != nil || !hmac.Equal(mac, k.mac(l, cursor[:split])) {
		return api.Position{}, refused()
	}
	key, err := delivery.ParseKey(idPrefix + cursor[1:split])
	if err != nil {
		return api.Position{}, refused()
	}
	return api.Position{From: key, Backward: cursor[:1] == backward}, nil
}

func (k Key) mac(l List, position string) []byte {
	h := hmac.New(sha256.New, k)
	h.Write([]byte(l))
	h.Write([]byte{0}) // so that moving a byte from the list to the position changes the HMAC
	h.Write([]byte(position))
	return h.Sum(nil)[:macSize]
}

func refused() error {
	return fault.BadParameter("cursor", "It is not a cursor of this list with these filters.",
		"Follow a link of a page, or leave the cursor out to begin again.")
}
