package api

import "nepenthes/shared/fault"

// Patch is the change of one attribute. It sets the attribute to a value, resets it to its default, or leaves it as it is.
// The zero Patch leaves the attribute as it is.
type Patch[T any] struct {
	value  T
	change change
}

type change uint8

const (
	noChange change = iota
	toDefault
	toValue
)

// Set returns the Patch that sets an attribute to value.
func Set[T any](value T) Patch[T] { return Patch[T]{value: value, change: toValue} }

// Reset returns the Patch that sets an attribute to its default.
func Reset[T any]() Patch[T] { return Patch[T]{change: toDefault} }

// Value returns the value, and whether the Patch has one.
func (p Patch[T]) Value() (T, bool) { return p.value, p.change == toValue }

// IsReset reports whether the Patch asks for the default.
func (p Patch[T]) IsReset() bool { return p.change == toDefault }

// IsAbsent reports whether the Patch leaves the attribute as it is.
func (p Patch[T]) IsAbsent() bool { return p.change == noChange }

// Apply sets *to to the value, or to initial if the Patch is a reset. Otherwise it leaves *to as it is.
func (p Patch[T]) Apply(to *T, initial T) {
	switch p.change {
	case toValue:
		*to = p.value
	case toDefault:
		*to = initial
	}
}

// needed adds a fault if an attribute that cannot be empty is reset, or absent while something is created.
func needed[T any](f *faults, attribute string, p Patch[T], isNew bool) {
	if p.IsReset() || isNew && p.IsAbsent() {
		f.addf(attribute, "It is required.", "")
	}
}

// Found holds the faults that the caller of an operation found while it read the request. The operation adds its own, so
// that a client gets all faults of a request at once. The zero Found holds none.
type Found[T any] struct {
	// Read are the parts of the request that could not be read.
	Read fault.Details
	// Returned compares the members of the request that cannot be written with the thing as it is now. It may be nil. A
	// client may send back what it has read, but a member that it changed would be ignored without a fault.
	Returned func(current T) fault.Details
}

// compare adds the faults that Returned finds.
func (f Found[T]) compare(found *faults, current T) {
	if f.Returned != nil {
		found.Join(f.Returned(current))
	}
}

// Insistence is the version that a change insists on. The zero Insistence accepts any version.
type Insistence struct {
	// LockVersion is the version that the caller has read; nil accepts any.
	LockVersion *int64
	// Check returns a fault of kind UpdateConflict if the caller does not accept the version. It may be nil.
	Check func(lockVersion int64) error
}

// OnVersion returns the Insistence on one version.
func OnVersion(lockVersion int64) Insistence { return Insistence{LockVersion: &lockVersion} }

// any reports whether the change accepts every version.
func (i Insistence) any() bool { return i.LockVersion == nil && i.Check == nil }

// accepts returns a fault of kind UpdateConflict if the change insists on another version than the current one.
func (i Insistence) accepts(current int64) error {
	if i.LockVersion != nil && *i.LockVersion != current {
		return Conflict()
	}
	if i.Check != nil {
		return i.Check(current)
	}
	return nil
}
