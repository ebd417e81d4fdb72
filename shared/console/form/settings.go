package form

import (
	"net/url"
	"strconv"
	"strings"

	"nepenthes/shared/api"
	"nepenthes/shared/settings"
)

// Settings are the settings as they were typed.
type Settings struct {
	Enabled, DocsEnabled, CORSEnabled bool
	MaxPageSize                       string
	AllowedOrigins                    string // one on each line
	Version                           string
}

// ReadSettings reads the form.
func ReadSettings(values url.Values) Settings {
	v := Values{values}
	return Settings{
		Enabled: v.ticked("enabled"), DocsEnabled: v.ticked("docs_enabled"), CORSEnabled: v.ticked("cors_enabled"),
		MaxPageSize: v.text("max_page_size"), AllowedOrigins: strings.TrimRight(v.text("allowed_origins"), "\n"), Version: v.text("version"),
	}
}

// FromSettings returns the form for the current settings.
func FromSettings(s *settings.Settings) Settings {
	return Settings{
		Enabled: s.APIEnabled, DocsEnabled: s.DocsEnabled, CORSEnabled: s.CORSEnabled,
		MaxPageSize: strconv.Itoa(s.MaxPageSize), AllowedOrigins: strings.Join(s.AllowedOrigins, "\n"),
		Version: strconv.FormatInt(s.LockVersion, 10),
	}
}

// Same reports whether the values are equal. It ignores the versions.
func (s Settings) Same(other Settings) bool {
	s.Version = other.Version
	return s == other
}

// Change returns the change that the form asks for.
func (s Settings) Change() *api.ChangeSettings {
	var found problems
	in := &api.ChangeSettings{
		APIEnabled: api.Set(s.Enabled), MaxPageSize: found.wholeNumber("api.maxPageSize", s.MaxPageSize), DocsEnabled: api.Set(s.DocsEnabled),
		CORSEnabled: api.Set(s.CORSEnabled), AllowedOrigins: api.Set(lines(s.AllowedOrigins)),
		Insistence: filledFrom(s.Version),
	}
	in.Found.Read = found.Details
	return in
}
