package store

import "nepenthes/shared/fault"

// Missing returns the fault of a thing that is not stored. kind is what a client calls the thing, such as "webhook".
func Missing(kind, id string) *fault.Fault {
	return fault.New(fault.NotFound, "There is no %s %s.", kind, id)
}

// Conflict returns the fault of a write whose version is not the stored one.
func Conflict(kind string) *fault.Fault {
	return fault.New(fault.UpdateConflict, "Somebody else has changed the %s meanwhile.", kind).
		With("Read it again and repeat the change.")
}
