package hal

import (
	"nepenthes/shared/instant"
	"nepenthes/shared/settings"
)

// Settings is the one settings resource.
type Settings struct {
	Type        string        `json:"_type" enum:"Settings" doc:"Always Settings." example:"Settings"`
	API         APISettings   `json:"api" doc:"The REST web service and its documentation."`
	CORS        CORSSettings  `json:"cors" doc:"Cross-origin resource sharing: which web pages may call from a browser."`
	LockVersion int64         `json:"lockVersion" minimum:"0" doc:"Raised by every change; send it back to make sure that nobody else changed the settings meanwhile." example:"3"`
	UpdatedAt   *instant.Time `json:"updatedAt" nullable:"true" doc:"When somebody last changed them; null while they are the defaults." example:"2026-01-02T11:00:00.000Z"`
	Links       SelfLink      `json:"_links"`
}

// APISettings are about the REST web service.
type APISettings struct {
	Enabled     bool `json:"enabled" doc:"Whether the REST web service answers. While it is off every call made with a token gets 403, but for this resource." example:"true"`
	MaxPageSize int  `json:"maxPageSize" minimum:"1" maximum:"1000" doc:"The largest page of any list. A larger pageSize is clamped to it." example:"1000"`
	DocsEnabled bool `json:"docsEnabled" doc:"Whether the documentation page and this document are shown." example:"true"`
}

// CORSSettings are about calls from web pages.
type CORSSettings struct {
	Enabled        bool     `json:"enabled" doc:"Whether the allowed origins may call from a browser." example:"true"`
	AllowedOrigins []string `json:"allowedOrigins" nullable:"false" maxItems:"100" doc:"The origins that may call, each scheme://host or scheme://host:port." example:"https://app.example.com"`
}

// FromSettings shows settings.
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

// ETag is the tag of the lock version.
func (s *Settings) ETag() string { return ETag(s.LockVersion) }
