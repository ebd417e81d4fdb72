// Package api holds the operations of the API: everything that a program can do over HTTP, or a person in the console.
// Package rest puts them on the wire and describes them. The console calls the same operations, so every rule is in one
// place.
//
// An operation checks a request in this order: the caller's scope, the query, whether the thing exists,
// its version and state, and then all attributes at once. The order is fixed so that a caller without a scope cannot find
// out what exists. An operation reports what is wrong in a *fault.Fault.
package api

import (
	"context"
	"errors"

	"nepenthes/shared/access"
	"nepenthes/shared/auth"
	"nepenthes/shared/fault"
)

// Call describes who calls, and through which interface.
type Call struct {
	auth.Caller
	Via Via
	// Request is the id of the HTTP request.
	Request string
	// Host is the host and port of this service in the caller's request. A webhook must not point at it.
	Host string
}

// Operation is one thing that a caller can do. I is its input, and O its result. Both are pointers: the compiler copies
// generic code for every other type, and names the copies after all fields of a struct.
type Operation[I, O any] struct {
	// Scope is the scope that a caller must hold. An empty Scope admits every caller.
	Scope access.Scope
	// Action names what the operation does to configuration or to somebody's access. It is empty if it does nothing to
	// them.
	Action Action
	do     func(context.Context, Call, I) (O, error)
}

// Do carries out the operation. If the caller does not hold the scope, Do looks at nothing and returns a fault of kind
// MissingPermission. If an operation with an action has written something, it writes a log line.
func (op Operation[I, O]) Do(ctx context.Context, call Call, in I) (O, error) {
	if err := Permit(call.Caller, op.Scope); err != nil { // package rest checks it before it reads the body; other callers may not check it
		var none O
		return none, err
	}
	return op.do(ctx, call, in)
}

// Permit returns a fault of kind MissingPermission that names the scope if the caller does not hold it. An empty scope
// admits every caller.
func Permit(caller auth.Caller, scope access.Scope) error {
	if scope == "" || caller.Allows(scope) {
		return nil
	}
	return fault.New(fault.MissingPermission, "This needs the scope %s, which this client does not have.", scope).
		With("Ask an administrator of the clients to grant the scope, then get a new token.")
}

// None is the input of an operation that needs none, and the result of an operation that returns nothing.
type None struct{}

// operation returns an operation that changes neither configuration nor anybody's access.
func operation[I, O any](scope access.Scope, do func(context.Context, Call, I) (O, error)) Operation[I, O] {
	return Operation[I, O]{Scope: scope, do: do}
}

// errUnchanged is the error of an operation that succeeds without a write, because everything is as the caller wants it
// already. The operation returns its result as well.
var errUnchanged = errors.New("nothing has changed")

// write returns an operation that changes configuration or somebody's access. target returns the id of the thing that
// was changed. The operation succeeds if do returns errUnchanged, but leaves no line in the log.
func write[I, O any](
	c *Common, scope access.Scope, action Action, do func(context.Context, Call, I) (O, error), target func(I, O) string,
) Operation[I, O] {
	logger := c.Logger
	return Operation[I, O]{Scope: scope, Action: action, do: func(ctx context.Context, call Call, in I) (O, error) {
		out, err := do(ctx, call, in)
		switch {
		case errors.Is(err, errUnchanged):
			return out, nil
		case err == nil:
			LogWritten(ctx, logger, call, action, target(in, out))
		}
		return out, err
	}}
}
