package rest

import (
	"net/http"

	"nepenthes/shared/api"
	"nepenthes/shared/fault"
	"nepenthes/shared/rest/hal"
	"nepenthes/shared/rest/mergepatch"
	"nepenthes/shared/settings"
)

const pathSettings = hal.Base + "/settings"

// addSettings adds the routes of the settings. They work while the API is off, because they switch it on again.
func (h *Handler) addSettings(o *api.Settings) {
	addRoute(h, o.Read, spec{
		method: http.MethodGet, path: pathSettings, id: "readSettings", tag: tagSettings, whileSwitchedOff: "settings",
		summary: "Read the settings", about: "This also works while the REST web service is switched off.", answers: "The settings.",
	}, noInput, showSettings)
	addRoute(h, o.Change, spec{
		method: http.MethodPatch, path: pathSettings, id: "changeSettings", tag: tagSettings, whileSwitchedOff: "settings",
		summary: "Change the settings", faults: stale, answers: "The settings as they are now.",
		about: "The body is a merge patch (RFC 7396): absent members stay as they are, and null resets a member to its default. This also works while the REST web service is switched off. A change is in force from the next request on.",
	}, (*changeSettings).input, showSettings)
}

func showSettings(v view, s *settings.Settings) *hal.Settings { return hal.FromSettings(v.Paths, s) }

// changeSettings is the request for a change of the settings.
type changeSettings struct {
	ifMatch
	Body body[SettingsPatch]
}

// SettingsPatch is a merge patch of the settings (RFC 7396): absent members stay as they are, and null resets a member
// to its default.
type SettingsPatch struct {
	Type        anything                     `json:"_type,omitempty" readOnly:"true" doc:"Read-only. It may be sent back unchanged."`
	API         mergepatch.Member[APIPatch]  `json:"api,omitempty" null:"resets" doc:"The REST web service and its documentation. Null resets all its members."`
	CORS        mergepatch.Member[CORSPatch] `json:"cors,omitempty" null:"resets" doc:"Cross-origin resource sharing (CORS). Null resets all its members."`
	LockVersion mergepatch.Member[int64]     `json:"lockVersion,omitempty" minimum:"0" nullable:"true" doc:"The version to change. If it is not the current version, the answer is 409 UpdateConflict." example:"3"`
	UpdatedAt   anything                     `json:"updatedAt,omitempty" readOnly:"true" doc:"Read-only. It may be sent back unchanged."`
	Links       anything                     `json:"_links,omitempty" readOnly:"true" doc:"Ignored."`
}

// APIPatch is the part about the REST web service.
type APIPatch struct {
	Enabled     mergepatch.Member[bool] `json:"enabled,omitempty" nullable:"true" doc:"Whether the REST web service is on." example:"true"`
	MaxPageSize mergepatch.Member[int]  `json:"maxPageSize,omitempty" minimum:"1" maximum:"1000" nullable:"true" doc:"The largest page size of all lists." example:"1000"`
	DocsEnabled mergepatch.Member[bool] `json:"docsEnabled,omitempty" nullable:"true" doc:"Whether the documentation page and this document are available." example:"true"`
}

// CORSPatch is the part about calls from web pages.
type CORSPatch struct {
	Enabled        mergepatch.Member[bool]     `json:"enabled,omitempty" nullable:"true" doc:"Whether web pages of the allowed origins may call the API from a browser. It needs at least one allowed origin." example:"true"`
	AllowedOrigins mergepatch.Member[[]string] `json:"allowedOrigins,omitempty" nullable:"true" doc:"The origins whose web pages may call the API: at most 100, each as scheme://host or scheme://host:port of at most 300 characters. They replace the former origins, and are stored as browsers write them." example:"https://app.example.com"`
}

// input returns the change. Null for api or cors resets all members in it.
func (in *changeSettings) input() (*api.ChangeSettings, error) {
	p := &in.Body.value
	insists, err := in.insistence(p.LockVersion)
	if err != nil {
		return nil, err
	}
	web, _ := p.API.Get()
	if p.API.IsNull() {
		web = APIPatch{mergepatch.Null[bool](), mergepatch.Null[int](), mergepatch.Null[bool]()}
	}
	cors, _ := p.CORS.Get()
	if p.CORS.IsNull() {
		cors = CORSPatch{mergepatch.Null[bool](), mergepatch.Null[[]string]()}
	}
	return &api.ChangeSettings{
		APIEnabled: patch(web.Enabled), MaxPageSize: patch(web.MaxPageSize), DocsEnabled: patch(web.DocsEnabled),
		CORSEnabled: patch(cors.Enabled), AllowedOrigins: patch(cors.AllowedOrigins),
		Insistence: insists, Found: api.Found[settings.Settings]{Read: in.Body.problems, Returned: in.returned},
	}, nil
}

// returned compares the members that cannot be written.
func (in *changeSettings) returned(current settings.Settings) fault.Details {
	var found returned
	found.unchanged("_type", in.Body.value.Type, "Settings")
	found.unchangedAt("updatedAt", in.Body.value.UpdatedAt, current.UpdatedAt)
	return found.Details
}
