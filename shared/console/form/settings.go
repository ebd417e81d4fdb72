package form

import (
	"net/url"
	"strconv"
	"strings"

	"nepenthes/shared/api"
	"nepenthes/shared/api/hal"
	"nepenthes/shared/strictjson"
)

// Settings are the settings as typed.
type Settings struct {
	Enabled, DocsEnabled, CORSEnabled bool
	MaxPageSize                       string
	AllowedOrigins                    string // one a line
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

// FromSettings fills the form.
func FromSettings(s *hal.Settings) Settings {
	return Settings{
		Enabled: s.API.Enabled, DocsEnabled: s.API.DocsEnabled, CORSEnabled: s.CORS.Enabled,
		MaxPageSize: strconv.Itoa(s.API.MaxPageSize), AllowedOrigins: strings.Join(s.CORS.AllowedOrigins, "\n"),
		Version: strconv.FormatInt(s.LockVersion, 10),
	}
}

// Same reports whether both say the same, whichever version they were filled from.
func (s Settings) Same(other Settings) bool {
	s.Version = other.Version
	return s == other
}

// Body is the change that the form asks for.
func (s Settings) Body() (body api.Body[api.SettingsPatch]) {
	var found problems
	body.Value.API = strictjson.Of(api.APIPatch{
		Enabled: strictjson.Of(s.Enabled), MaxPageSize: found.number("api.maxPageSize", s.MaxPageSize), DocsEnabled: strictjson.Of(s.DocsEnabled),
	})
	body.Value.CORS = strictjson.Of(api.CORSPatch{
		Enabled: strictjson.Of(s.CORSEnabled), AllowedOrigins: strictjson.Of(lines(s.AllowedOrigins)),
	})
	body.Value.LockVersion = version(s.Version)
	body.Problems = found.Details
	return body
}
