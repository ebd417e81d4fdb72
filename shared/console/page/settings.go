package page

import (
	"strconv"

	"nepenthes/shared/console/form"
	"nepenthes/shared/settings"
)

// API is the page of the settings.
type API struct {
	Frame
	Summary                                                        *Summary
	Enabled, MaxPageSize, DocsEnabled, CORSEnabled, AllowedOrigins Field
	DocsHref, Version                                              string
	Writable                                                       bool
}

// NewAPI makes the page: what the form says, with the faults that err has about it, and with what somebody else saved
// meanwhile if theirs is not nil.
func NewAPI(f Frame, s form.Settings, writable bool, err error, theirs *settings.Settings) *API {
	f.Title = "API"
	p := &API{
		Frame: f, Version: s.Version, Writable: writable,
		Enabled: Field{
			ID: "enabled", Name: "enabled", Label: "Enable REST web service", Checked: s.Enabled, Fixed: !writable,
			Hint: "Off: programs get no answer but that it is off. These pages go on, and so do webhooks.",
		},
		MaxPageSize: Field{
			ID: "max_page_size", Name: "max_page_size", Label: "Maximum page size", Type: "number", Min: "1", Max: "1000",
			Value: s.MaxPageSize, Fixed: !writable, Hint: "The most elements that any list answers at once: 1 to 1000. A program that asks for more gets so many.",
		},
		DocsEnabled: Field{
			ID: "docs_enabled", Name: "docs_enabled", Label: "Enable docs page", Checked: s.DocsEnabled, Fixed: !writable,
			Hint: "Everybody who reaches this address can read it, without signing in.",
		},
		CORSEnabled: Field{
			ID: "cors_enabled", Name: "cors_enabled", Label: "Enable CORS", Checked: s.CORSEnabled, Fixed: !writable,
			Hint: "Lets web pages of other origins call the API from a browser.",
		},
		AllowedOrigins: Field{
			ID: "allowed_origins", Name: "allowed_origins", Label: "Allowed origins", Rows: 5, Width: "code",
			Value: s.AllowedOrigins, Fixed: !writable, Hint: "One a line, as a browser sends it: https://app.example.com",
		},
	}
	if s.DocsEnabled {
		p.DocsHref = DocsHref(f.Base)
	}
	fields := []*Field{&p.Enabled, &p.MaxPageSize, &p.DocsEnabled, &p.CORSEnabled, &p.AllowedOrigins}
	if theirs != nil {
		other := form.FromSettings(theirs)
		p.Version, p.Summary = other.Version, Conflict()
		Compare(settingsTexts(s), settingsTexts(other), fields)
		return p
	}
	Blame(err, []string{"api.enabled", "api.maxPageSize", "api.docsEnabled", "cors.enabled", "cors.allowedOrigins"}, fields)
	p.Summary = SummaryOf(err, fields)
	return p
}

func settingsTexts(s form.Settings) []string {
	return []string{onOff(s.Enabled), s.MaxPageSize, onOff(s.DocsEnabled), onOff(s.CORSEnabled), s.AllowedOrigins}
}

func onOff(on bool) string { return map[bool]string{true: "on", false: "off"}[on] }

func number(n int64) string { return strconv.FormatInt(n, 10) }
