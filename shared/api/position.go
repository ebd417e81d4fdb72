package api

import (
	"math"

	"nepenthes/shared/delivery"
	"nepenthes/shared/store"
)

// Position is the place in a list of deliveries where a page begins: after the delivery From, or, if Backward is true,
// before it. The delivery itself need not exist. The zero Position is the beginning of the list.
type Position struct {
	From     delivery.Key
	Backward bool
}

// neighbours returns the positions of the pages after and before the page that was found at a position. A position is nil if
// there is no such page. In the direction in which the store read, it knows whether there is more. In the other direction
// there is the page from which the caller came.
func neighbours(at Position, found store.Page) (next, previous *Position) {
	list := found.Deliveries
	if at.Backward {
		if found.More != nil {
			previous = &Position{From: *found.More, Backward: true}
		}
		if len(list) > 0 {
			return &Position{From: list[len(list)-1].Key}, previous
		}
		return &Position{From: newer(at.From)}, previous
	}
	if found.More != nil {
		next = &Position{From: *found.More}
	}
	switch {
	case at.From == delivery.Key{}:
	case len(list) > 0:
		previous = &Position{From: list[0].Key, Backward: true}
	default:
		previous = &Position{From: older(at.From), Backward: true}
	}
	return next, previous
}

// older returns the key directly after key, in the direction of older deliveries. A page that ends before it includes
// key.
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

// newer returns the key directly before key. A page that begins after it includes key.
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
