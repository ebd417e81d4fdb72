package api

import (
	"context"
	"reflect"

	"nepenthes/shared/access"
	"nepenthes/shared/fault"
	"nepenthes/shared/required"
	"nepenthes/shared/settings"
)

// SettingsStore stores the settings. See store.Catalogue.
type SettingsStore interface {
	PutSettings(ctx context.Context, s *settings.Settings) error
}

// ChangeSettings asks for a change of the settings.
type ChangeSettings struct {
	APIEnabled, DocsEnabled, CORSEnabled Patch[bool]
	MaxPageSize                          Patch[int]
	AllowedOrigins                       Patch[[]string]

	Insistence Insistence
	Found      Found[settings.Settings]
}

// SettingsConfig holds the dependencies of the operations on the settings.
type SettingsConfig struct {
	Common
	Store SettingsStore
}

// Settings holds the operations on the settings.
type Settings struct {
	Read   Operation[*None, *settings.Settings]
	Change Operation[*ChangeSettings, *settings.Settings]
}

// NewSettings returns the operations on the settings. It panics if a dependency is missing.
func NewSettings(c SettingsConfig) *Settings {
	required.Fields(c)
	o := settingsResource{c}
	return &Settings{
		Read:   operation(access.SettingsRead, o.read),
		Change: write(&c.Common, access.SettingsWrite, UpdatedSettings, o.change, func(*ChangeSettings, *settings.Settings) string { return "settings" }),
	}
}

// settingsResource has the methods of the operations on the settings.
type settingsResource struct{ SettingsConfig }

// read returns the settings. Before their first change these are the defaults, with version 0.
func (o settingsResource) read(ctx context.Context, _ Call, _ *None) (*settings.Settings, error) {
	s, err := o.Settings.Settings(ctx)
	if err != nil {
		return nil, err
	}
	return &s, nil
}

// change applies the patch. If somebody else stored a change in the meantime, a change that does not insist on a version is
// applied to the new settings. A change that changes nothing writes nothing, so that a repeated request does not raise the
// version.
func (o settingsResource) change(ctx context.Context, _ Call, in *ChangeSettings) (_ *settings.Settings, err error) {
	defer fault.Wrap(&err, "change the settings")
	for {
		current, err := o.Settings.Settings(ctx)
		if err != nil {
			return nil, err
		}
		if err := in.Insistence.accepts(current.LockVersion); err != nil {
			return nil, err
		}
		changed, err := in.applied(current)
		if err != nil {
			return nil, err
		}
		if reflect.DeepEqual(changed, current) {
			return &current, errUnchanged
		}
		changed.UpdatedAt = o.moment()
		again, err := settle(ctx, o.Store.PutSettings(ctx, &changed), !in.Insistence.any())
		if again {
			continue
		}
		if err != nil {
			return nil, err
		}
		return &changed, nil
	}
}

// applied returns the current settings with the patch applied. It returns a fault with every attribute that is not
// acceptable.
func (in *ChangeSettings) applied(current settings.Settings) (settings.Settings, error) {
	found, defaults, changed := faults{in.Found.Read}, settings.Defaults(), current
	in.Found.compare(&found, current)
	in.APIEnabled.Apply(&changed.APIEnabled, defaults.APIEnabled)
	in.MaxPageSize.Apply(&changed.MaxPageSize, defaults.MaxPageSize)
	in.DocsEnabled.Apply(&changed.DocsEnabled, defaults.DocsEnabled)
	in.CORSEnabled.Apply(&changed.CORSEnabled, defaults.CORSEnabled)
	in.AllowedOrigins.Apply(&changed.AllowedOrigins, defaults.AllowedOrigins)
	found.Join(changed.Normalise())
	return changed, found.Err()
}
