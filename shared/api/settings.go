package api

import (
	"context"
	"reflect"

	"nepenthes/shared/api/hal"
	"nepenthes/shared/fault"
	"nepenthes/shared/settings"
	"nepenthes/shared/strictjson"
)

// SettingsStore changes the settings, see store.Catalogue.
type SettingsStore interface {
	PutSettings(ctx context.Context, s *settings.Settings) error
}

// ChangeSettings asks for a change of the settings.
type ChangeSettings struct {
	Precondition
	Body Body[SettingsPatch]
}

// SettingsPatch is a merge patch of the settings (RFC 7396): what is absent stays, null is the default again.
type SettingsPatch struct {
	Type        anything                     `json:"_type,omitempty" readOnly:"true" doc:"May come back unchanged."`
	API         strictjson.Member[APIPatch]  `json:"api,omitempty" null:"resets" doc:"The REST web service and its documentation; null resets all of it."`
	CORS        strictjson.Member[CORSPatch] `json:"cors,omitempty" null:"resets" doc:"Cross-origin resource sharing; null resets all of it."`
	LockVersion strictjson.Member[int64]     `json:"lockVersion,omitempty" minimum:"0" nullable:"true" doc:"The version that is to be changed; another one is 409 UpdateConflict." example:"3"`
	UpdatedAt   anything                     `json:"updatedAt,omitempty" readOnly:"true" doc:"May come back unchanged."`
	Links       anything                     `json:"_links,omitempty" readOnly:"true" doc:"Ignored."`
}

// APIPatch is the part about the REST web service.
type APIPatch struct {
	Enabled     strictjson.Member[bool] `json:"enabled,omitempty" nullable:"true" doc:"Whether the REST web service answers." example:"true"`
	MaxPageSize strictjson.Member[int]  `json:"maxPageSize,omitempty" minimum:"1" maximum:"1000" nullable:"true" doc:"The largest page of any list." example:"1000"`
	DocsEnabled strictjson.Member[bool] `json:"docsEnabled,omitempty" nullable:"true" doc:"Whether the documentation page and this document are shown." example:"true"`
}

// CORSPatch is the part about calls from web pages.
type CORSPatch struct {
	Enabled        strictjson.Member[bool]     `json:"enabled,omitempty" nullable:"true" doc:"Whether the allowed origins may call from a browser. Needs at least one." example:"true"`
	AllowedOrigins strictjson.Member[[]string] `json:"allowedOrigins,omitempty" nullable:"true" doc:"The origins that may call, each scheme://host or scheme://host:port of at most 300 characters; at most 100. They replace those of before, and are kept as browsers write them." example:"https://app.example.com"`
}

type settingsResource struct{ *Config }

func (o settingsResource) read(ctx context.Context, call Call, _ *None) (*hal.Settings, error) {
	s, err := o.Catalogue.Settings(ctx)
	if err != nil {
		return nil, err
	}
	return hal.FromSettings(call.Paths, &s), nil
}

// change applies the patch. Without a version it is applied again to what somebody else stored meanwhile.
func (o settingsResource) change(ctx context.Context, call Call, in *ChangeSettings) (_ *hal.Settings, err error) {
	defer fault.Wrap(&err, "change the settings")
	patch := &in.Body.Value
	for {
		current, err := o.Catalogue.Settings(ctx)
		if err != nil {
			return nil, err
		}
		shown := hal.FromSettings(call.Paths, &current)
		if err := in.holds(patch.LockVersion, shown.ETag(), current.LockVersion); err != nil {
			return nil, err
		}
		changed, err := patch.applied(current, shown, in.Body.Problems)
		if err != nil {
			return nil, err
		}
		if reflect.DeepEqual(changed, current) {
			return shown, nil
		}
		changed.UpdatedAt = o.moment()
		again, err := settle(ctx, o.Store.PutSettings(ctx, &changed), in.expects(patch.LockVersion))
		if again {
			continue
		}
		if err != nil {
			return nil, err
		}
		return hal.FromSettings(call.Paths, &changed), nil
	}
}

// applied is current with the patch on it; the fault lists every attribute that is not acceptable.
func (p *SettingsPatch) applied(current settings.Settings, shown *hal.Settings, problems fault.Details) (settings.Settings, error) {
	found := faults{problems}
	found.unchanged("_type", p.Type, shown.Type)
	found.unchangedAt("updatedAt", p.UpdatedAt, current.UpdatedAt)
	defaults, changed := settings.Defaults(), current
	api, _ := p.API.Get()
	if p.API.IsNull() {
		api = APIPatch{strictjson.Null[bool](), strictjson.Null[int](), strictjson.Null[bool]()}
	}
	api.Enabled.Take(&changed.APIEnabled, defaults.APIEnabled)
	api.MaxPageSize.Take(&changed.MaxPageSize, defaults.MaxPageSize)
	api.DocsEnabled.Take(&changed.DocsEnabled, defaults.DocsEnabled)
	cors, _ := p.CORS.Get()
	if p.CORS.IsNull() {
		cors = CORSPatch{strictjson.Null[bool](), strictjson.Null[[]string]()}
	}
	cors.Enabled.Take(&changed.CORSEnabled, defaults.CORSEnabled)
	cors.AllowedOrigins.Take(&changed.AllowedOrigins, defaults.AllowedOrigins)
	found.Join(changed.Normalise())
	return changed, found.Err()
}
