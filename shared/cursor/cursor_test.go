package cursor_test

import (
	"bytes"
	"testing"
	"time"

	"nepenthes/events"
	"nepenthes/shared/api"
	"nepenthes/shared/cursor"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
)

const webhookID = "wh_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"

var (
	key      = cursor.Key(make([]byte, cursor.KeySize))
	position = api.Position{From: delivery.Key{Webhook: webhookID, ReceivedMs: 1_767_351_600_000, Event: events.KeyOf("", "e")}}
)

// A client may keep a cursor while a new release is deployed, so the texts must not change.
func TestTheTextOfACursorDoesNotChange(t *testing.T) {
	since := time.Date(2026, 1, 2, 11, 0, 0, 0, time.UTC)
	backward := position
	backward.Backward = true
	for name, c := range map[string]struct {
		list     cursor.List
		position api.Position
		want     string
	}{
		"of dead deliveries": {cursor.ListOfDead(&api.ListDeadDeliveries{}), position, "nAZRFxOx0Rc-C6N4PydAwSwGbfl1DgDbdtTDOzV3PXdsBNgLU1TQ3otBfbaobt11RnHoA"},
		"of a webhook":       {cursor.ListOf(&api.ListDeliveries{Webhook: webhookID}), position, "nAZRFxOx0Rc-C6N4PydAwSwGbfl1DgDbdtTDOzV3PXdsBNgFpNFUXKXl9A326E-aH6LCQ"},
		"with all filters": {cursor.ListOf(&api.ListDeliveries{
			Webhook: webhookID, State: delivery.Dead, Filters: api.DeliveryFilters{Event: "work_package:updated", Since: since, Until: since.Add(time.Hour)},
		}), position, "nAZRFxOx0Rc-C6N4PydAwSwGbfl1DgDbdtTDOzV3PXdsBNgbPcPaqn4-xDM2noEYgNN7g"},
		"towards newer deliveries": {cursor.ListOfDead(&api.ListDeadDeliveries{}), backward, "pAZRFxOx0Rc-C6N4PydAwSwGbfl1DgDbdtTDOzV3PXdsBNgj3bX5d-lyOCbfvvyk_7RDA"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := key.Write(c.list, c.position); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if got, err := key.Read(c.list, c.want); err != nil || got != c.position {
				t.Errorf("got %+v, %v, want %+v", got, err, c.position)
			}
		})
	}
}

func TestACursorNeedsItsKey(t *testing.T) {
	list := cursor.ListOfDead(&api.ListDeadDeliveries{})
	other := cursor.Key(bytes.Repeat([]byte{1}, cursor.KeySize))
	if _, err := key.Read(list, other.Write(list, position)); !fault.Is(err, fault.InvalidQuery) {
		t.Errorf("got %v for a cursor that another key wrote, want InvalidQuery", err)
	}
}

// FuzzCursor looks for a text that Read accepts although Write does not return it.
func FuzzCursor(f *testing.F) {
	list := cursor.ListOfDead(&api.ListDeadDeliveries{})
	good := key.Write(list, position)
	for _, seed := range []string{good, good[1:], "p" + good[1:], good + "A", "n", "é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := key.Read(list, text)
		if read := err == nil; read != (text == good || text == "") {
			t.Errorf("Read(%q) returned error %v", text, err)
		}
		if err != nil && !fault.Is(err, fault.InvalidQuery) {
			t.Errorf("got %v for %q, want InvalidQuery", err, text)
		}
	})
}
