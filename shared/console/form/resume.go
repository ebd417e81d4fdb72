package form

import (
	"net/url"
	"strconv"

	"nepenthes/shared/limits"
)

// The choices for held deliveries.
const (
	Release = "release"
	Drop    = "drop"
)

// Resume is the end of a pause as it was typed.
type Resume struct{ Held, PerSecond string }

// NewResume returns the form that releases held deliveries at the default rate.
func NewResume() Resume {
	return Resume{Held: Release, PerSecond: strconv.Itoa(limits.ReleaseRate)}
}

// ReadResume reads the form.
func ReadResume(values url.Values) Resume {
	v := Values{values}
	return Resume{Held: v.text("held"), PerSecond: v.text("per_second")}
}
