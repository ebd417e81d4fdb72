package api

import (
	"context"
	"time"

	"nepenthes/shared/fault"
	"nepenthes/shared/visible"
)

// faults collects what is wrong with one request. Each attribute is reported once: a value that is not a string need not
// be reported as too short as well.
type faults struct{ fault.Details }

// add adds a detail unless there is one about its attribute already.
func (f *faults) add(d fault.Detail) {
	if !f.Has(d.Attribute) {
		f.Add(d)
	}
}

// addf adds a fault of an attribute. See add.
func (f *faults) addf(attribute, message, hint string) {
	f.add(fault.Detail{Attribute: attribute, Message: message, Hint: hint})
}

// named adds a fault if a name has no visible character. It accepts a name that does not change, so that a thing whose name
// is older than this rule can still be changed.
func (f *faults) named(attribute, text, before string) {
	if text != "" && text != before && !visible.In(text) {
		f.addf(attribute, "It has no visible character.", "Write a name that people can read.")
	}
}

// Conflict returns the fault of a change that insists on another version than the current one.
func Conflict() *fault.Fault {
	return fault.New(fault.UpdateConflict, "Somebody else changed it after you read it. Nothing was written.").
		With("Read it again, then repeat the change.")
}

// settle returns how an operation goes on after a write returned err. If the write lost against another change, again is
// true: the operation must read the thing and change it again. But if the caller insists on the version that it has read,
// settle returns Conflict. If the request has no time left, the fault has kind Unavailable.
func settle(ctx context.Context, err error, insists bool) (again bool, _ error) {
	switch {
	case !fault.Is(err, fault.UpdateConflict):
		return false, err
	case insists:
		return false, Conflict().Because(err)
	case ctx.Err() != nil:
		return false, fault.New(fault.Unavailable, "Too many clients are changing it at the same time.").
			With("Try again in a moment.").After(time.Second).Because(err)
	}
	return true, nil
}
