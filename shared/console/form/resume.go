package form

import (
	"net/url"
	"strconv"

	"nepenthes/shared/api"
	"nepenthes/shared/limits"
)

// Resume is the end of a pause as it was typed.
type Resume struct{ Held, PerSecond string }

// NewResume returns the form that releases held deliveries at the default rate.
func NewResume() Resume {
	return Resume{Held: string(api.ReleaseHeld), PerSecond: strconv.Itoa(limits.ReleaseRate)}
}

// ReadResume reads the form.
func ReadResume(values url.Values) Resume {
	v := Values{values}
	return Resume{Held: v.text("held"), PerSecond: v.text("per_second")}
}

// Input returns the request to resume the webhook with the id. The rate counts only for a release; an empty rate means the
// default.
func (r Resume) Input(id string) *api.Resume {
	in := &api.Resume{ID: id}
	if r.Held != "" {
		in.Held = api.Set(api.HeldChoice(r.Held))
	}
	if r.Held == string(api.ReleaseHeld) && r.PerSecond != "" {
		in.PerSecond, in.Found = WholeNumber("ratePerSecond", r.PerSecond)
	}
	return in
}
