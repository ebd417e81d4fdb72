package page

import (
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

// NewAPI returns the page with the input and the faults of err. If somebody else saved meanwhile, theirs has their
// settings; otherwise it is nil.
func NewAPI(f Frame, s form.Settings, writable bool, err error, theirs *settings.Settings) *API {
	f.Title = "API"
	p := &API{
		Frame: f, Version: s.Version, Writable: writable,
		Enabled: Field{
			ID: "enabled", Name: "enabled", Label: "Enable REST web service", Checked: s.Enabled, Fixed: !writable,
			Hint: "When it is off, every request is refused. These pages and the webhooks keep working.",
		},
		MaxPageSize: Field{
			ID: "max_page_size", Name: "max_page_size", Label: "Maximum page size", Type: "number", Min: "1", Max: "1000",
			Value: s.MaxPageSize, Fixed: !writable, Hint: "The largest number of elements that a list returns at once: 1 to 1000. A program that asks for more gets this many.",
		},
		DocsEnabled: Field{
			ID: "docs_enabled", Name: "docs_enabled", Label: "Enable docs page", Checked: s.DocsEnabled, Fixed: !writable,
			Hint: "Everybody who can reach this address can read it without signing in.",
		},
		CORSEnabled: Field{
			ID: "cors_enabled", Name: "cors_enabled", Label: "Enable CORS", Checked: s.CORSEnabled, Fixed: !writable,
			Hint: "Lets web pages of other origins call the API from a browser.",
		},
		AllowedOrigins: Field{
			ID: "allowed_origins", Name: "allowed_origins", Label: "Allowed origins", Rows: 5, Width: "code",
			Value: s.AllowedOrigins, Fixed: !writable, Hint: "One on each line, as browsers send them, such as https://app.example.com",
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
	AssignFaults(err, []string{"api.enabled", "api.maxPageSize", "api.docsEnabled", "cors.enabled", "cors.allowedOrigins"}, fields)
	p.Summary = SummaryOf(err, fields)
	return p
}

func settingsTexts(s form.Settings) []string {
	return []string{onOff(s.Enabled), s.MaxPageSize, onOff(s.DocsEnabled), onOff(s.CORSEnabled), s.AllowedOrigins}
}

func onOff(on bool) string { return map[bool]string{true: "on", false: "off"}[on] }
