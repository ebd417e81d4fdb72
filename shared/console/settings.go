package console

import (
	"net/http"

	"nepenthes/shared/access"
	"nepenthes/shared/api"
	"nepenthes/shared/console/form"
	"nepenthes/shared/console/page"
	"nepenthes/shared/fault"
)

func (x *exchange) showSettings() error {
	s, err := do(x, x.h.Operations.Settings.Read, &api.None{})
	if err != nil {
		return err
	}
	return x.render(http.StatusOK, "api", page.NewAPI(x.frame(), form.FromSettings(s), x.may(access.SettingsWrite), nil, nil))
}

// saveSettings changes the settings. If somebody else saved meanwhile, the page shows both values. The form then has the new
// version, so that the next Save overwrites the other values.
func (x *exchange) saveSettings() error {
	typed := form.ReadSettings(x.r.PostForm)
	_, err := do(x, x.h.Operations.Settings.Change, typed.Change())
	switch {
	case err == nil:
		return x.redirectWithNotice("/api", "saved")
	case fault.Is(err, fault.UpdateConflict):
		theirs, err := do(x, x.h.Operations.Settings.Read, &api.None{})
		if err != nil {
			return err
		}
		if typed.Same(form.FromSettings(theirs)) { // the same form was sent twice
			return x.redirectWithNotice("/api", "saved")
		}
		return x.render(http.StatusUnprocessableEntity, "api", page.NewAPI(x.frame(), typed, true, nil, theirs))
	case correctable(err):
		return x.render(http.StatusUnprocessableEntity, "api", page.NewAPI(x.frame(), typed, true, err, nil))
	}
	return err
}
