package hal

import (
	"nepenthes/shared/instant"
	"nepenthes/shared/settings"
)

// Settings is the resource of the settings.
type Settings struct {
	Type        string        `json:"_type" enum:"Settings" doc:"Always Settings." example:"Settings"`
	API         APISettings   `json:"api" doc:"The REST web service and its documentation."`
	CORS        CORSSettings  `json:"cors" doc:"Cross-origin resource sharing (CORS): which web pages may call the API from a browser."`
	LockVersion int64         `json:"lockVersion" minimum:"0" doc:"The version, which every change raises. Send it back with a change, and the change is made only if the version is still current." example:"3"`
	UpdatedAt   *instant.Time `json:"updatedAt" nullable:"true" doc:"When the settings were last changed. Null means that they are the defaults." example:"2026-01-02T11:00:00.000Z"`
	Links       SelfLink      `json:"_links"`
}

// APISettings are the settings of the REST web service.
type APISettings struct {
	Enabled     bool `json:"enabled" doc:"Whether the REST web service is on. While it is off, every request with a token is answered with 403, except requests for this resource." example:"true"`
	MaxPageSize int  `json:"maxPageSize" minimum:"1" maximum:"1000" doc:"The largest page size of all lists. A larger pageSize is reduced to it." example:"1000"`
	DocsEnabled bool `json:"docsEnabled" doc:"Whether the documentation page and this document are available." example:"true"`
}

// CORSSettings are the settings of calls from web pages.
type CORSSettings struct {
	Enabled        bool     `json:"enabled" doc:"Whether web pages of the allowed origins may call the API from a browser." example:"true"`
	AllowedOrigins []string `json:"allowedOrigins" nullable:"false" maxItems:"100" doc:"The origins whose web pages may call the API, each as scheme://host or scheme://host:port." example:"https://app.example.com"`
}

// FromSettings represents the settings.
func FromSettings(p Paths, s *settings.Settings) *Settings {
	origins := s.AllowedOrigins
	if origins == nil {
		origins = []string{}
	}
	return &Settings{
		Type:        "Settings",
		API:         APISettings{Enabled: s.APIEnabled, MaxPageSize: s.MaxPageSize, DocsEnabled: s.DocsEnabled},
		CORS:        CORSSettings{Enabled: s.CORSEnabled, AllowedOrigins: origins},
		LockVersion: s.LockVersion,
		UpdatedAt:   moment(s.UpdatedAt),
		Links:       SelfLink{Self: Link{Href: p.To("settings")}},
	}
}

// ETag returns the entity tag of the lock version.
func (s *Settings) ETag() string { return ETag(s.LockVersion) }
