// Package settings holds what an administrator decides about the API: whether it is on, how large a page may be,
// whether its documentation is shown, and which web origins may call it.
package settings

import "time"

// Settings is the one settings resource.
type Settings struct {
	// APIEnabled switches the REST web service.
	APIEnabled bool
	// MaxPageSize bounds every list, 1 to 1000.
	MaxPageSize int
	// DocsEnabled shows the documentation page and the OpenAPI document.
	DocsEnabled bool
	// CORSEnabled lets the AllowedOrigins call from a browser.
	CORSEnabled    bool
	AllowedOrigins []string // normalised: scheme://host[:port]
	LockVersion    int64    // raised by every change; 0 while nobody changed the defaults
	UpdatedAt      time.Time
}

// MaxPageSizeLimit is the largest page size that can be set, and the default.
const MaxPageSizeLimit = 1000

// Defaults are the settings of a deployment in which nobody has changed any.
func Defaults() Settings {
	return Settings{APIEnabled: true, MaxPageSize: MaxPageSizeLimit, DocsEnabled: true}
}
