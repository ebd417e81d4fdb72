package store

import "nepenthes/shared/fault"

// Missing returns the fault for something that is not stored. kind is the word that clients know, such as "webhook".
func Missing(kind, id string) *fault.Fault {
	return fault.New(fault.NotFound, "There is no %s %s.", kind, id)
}

// Conflict returns the fault for a write whose version is not the stored version.
func Conflict(kind string) *fault.Fault {
	return fault.New(fault.UpdateConflict, "Somebody else has changed the %s in the meantime.", kind).
		With("Read it again and repeat the change.")
}
