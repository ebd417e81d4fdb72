// Package settings defines the settings of the API and their rules: whether the API is on, how large a page may be,
// whether the documentation is shown, and which web origins may call the API.
package settings

import "time"

// Settings are the settings of a deployment. A deployment has exactly one Settings.
type Settings struct {
	// APIEnabled reports whether the REST web service is on.
	APIEnabled bool
	// MaxPageSize is the largest page size of every list, from 1 to MaxPageSizeLimit.
	MaxPageSize int
	// DocsEnabled reports whether the documentation page and the OpenAPI document are shown.
	DocsEnabled bool
	// CORSEnabled reports whether pages of the AllowedOrigins may call the API from a browser.
	CORSEnabled bool
	// AllowedOrigins has the form scheme://host[:port], as Normalise writes it.
	AllowedOrigins []string
	LockVersion    int64 // 0 for the defaults; every change adds 1
	UpdatedAt      time.Time
}

// MaxPageSizeLimit is the largest MaxPageSize, and the default.
const MaxPageSizeLimit = 1000

// Defaults returns the settings of a new deployment.
func Defaults() Settings {
	return Settings{APIEnabled: true, MaxPageSize: MaxPageSizeLimit, DocsEnabled: true}
}
