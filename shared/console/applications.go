package console

import (
	"net/http"

	"nepenthes/shared/access"
	"nepenthes/shared/api"
	"nepenthes/shared/auth/clients"
	"nepenthes/shared/console/form"
	"nepenthes/shared/console/page"
	"nepenthes/shared/fault"
)

func (x *exchange) listApplications() error {
	asked, err := paging(x.r.URL.Query())
	if err != nil {
		return err
	}
	list, err := do(x, x.h.Operations.Clients.List, &api.ListClients{Paging: asked})
	if err != nil {
		return err
	}
	return x.render(http.StatusOK, "applications", page.NewApplications(x.frame(), list, x.may(access.ClientsWrite), x.h.Now()))
}

func (x *exchange) newApplication() error {
	return x.applicationPage(form.Client{}, nil, false, nil)
}

// applicationPage shows an application, or the form for a new one if current is nil. refused is the fault of a change.
func (x *exchange) applicationPage(typed form.Client, current *access.Client, conflict bool, refused error) error {
	status := formStatus(refused)
	if conflict {
		status = http.StatusUnprocessableEntity
	}
	return x.render(status, "application", page.NewApplication(x.frame(), typed, page.ApplicationOptions{
		Current: current, Held: x.client.Scopes, FormNumber: newFormNumber(), Conflict: conflict, Now: x.h.Now(),
	}, refused))
}

func (x *exchange) readApplication() (*access.Client, error) {
	return do(x, x.h.Operations.Clients.Read, &api.ClientID{ID: x.clientID()})
}

func (x *exchange) clientID() string { return x.r.PathValue("id") }

func (x *exchange) showApplication() error {
	c, err := x.readApplication()
	if err != nil {
		return err
	}
	return x.applicationPage(form.FromClient(c), c, false, nil)
}

// createApplication creates an application and shows its secret. No other page shows the secret.
func (x *exchange) createApplication() error {
	typed, frame := form.ReadClient(x.r.PostForm), x.frame()
	first, err := x.useFormNumber(frame.To("/applications"))
	if !first {
		return err
	}
	c, err := do(x, x.h.Operations.Clients.Create, typed.Creation())
	if err != nil {
		x.freeFormNumber()
		if correctable(err) {
			return x.applicationPage(typed, nil, false, err)
		}
		return err
	}
	return x.render(http.StatusOK, "secret", page.NewClientSecret(frame, c, "The new application"))
}

// saveApplication changes an application. If somebody else saved meanwhile, the page shows both values. The form then has
// the new version, so that the next Save overwrites the other values.
func (x *exchange) saveApplication() error {
	typed := form.ReadClient(x.r.PostForm)
	_, err := do(x, x.h.Operations.Clients.Change, typed.Change(x.clientID()))
	conflict := fault.Is(err, fault.UpdateConflict)
	switch {
	case err == nil:
		return x.redirectWithNotice("/applications/"+x.clientID(), "saved")
	case !conflict && !correctable(err):
		return err
	}
	current, readErr := x.readApplication()
	if readErr != nil {
		return readErr
	}
	return x.applicationPage(typed, current, conflict, err)
}

// rotateClientSecret gives an application another secret and shows it. The previous secret stays valid until it is
// removed.
func (x *exchange) rotateClientSecret() error {
	frame := x.frame()
	first, err := x.useFormNumber(frame.To("/applications/" + x.clientID()))
	if !first {
		return err
	}
	c, err := do(x, x.h.Operations.Clients.AddSecret, &api.ClientID{ID: x.clientID()})
	if err == nil {
		return x.render(http.StatusOK, "secret", page.NewClientSecret(frame, c, "The new secret",
			"The previous secret stays valid. Remove it on the page of the application once the new one is in use."))
	}
	x.freeFormNumber()
	return x.refusedApplication(err)
}

func (x *exchange) confirmSecret() error {
	c, err := x.deletableClient()
	if err != nil {
		return err
	}
	p := page.NewRemoveSecret(x.frame(), c, x.r.PathValue("secret"), c.ID == x.client.ID, x.h.Now())
	if p == nil {
		return fault.New(fault.NotFound, "There is no such secret. It may have been removed already.")
	}
	return x.render(http.StatusOK, "confirm", p)
}

// removeClientSecret removes a secret. Sessions that began with the secret end at once.
func (x *exchange) removeClientSecret() error {
	in := &api.RemoveClientSecret{ID: x.clientID(), SecretID: x.r.PathValue("secret")}
	if _, err := do(x, x.h.Operations.Clients.RemoveSecret, in); err != nil {
		return x.refusedApplication(err)
	}
	return x.redirectWithNotice("/applications/"+in.ID, "removed")
}

// refusedApplication shows an application with the fault of a request about it.
func (x *exchange) refusedApplication(err error) error {
	if !correctable(err) {
		return err
	}
	c, readErr := x.readApplication()
	if readErr != nil {
		return readErr
	}
	return x.applicationPage(form.FromClient(c), c, false, err)
}

// deletableClient returns the application for a page that asks for confirmation. It refuses an application with a scope that
// the client does not hold, as the operation does, so that nobody is asked to confirm what is not allowed.
func (x *exchange) deletableClient() (*access.Client, error) {
	c, err := x.readApplication()
	if err != nil {
		return nil, err
	}
	return c, clients.Permit(x.call.Caller, c.Scopes)
}

func (x *exchange) confirmRevocation() error {
	c, err := x.deletableClient()
	if err != nil {
		return err
	}
	return x.render(http.StatusOK, "confirm", page.NewRevokeApplication(x.frame(), c, c.ID == x.client.ID))
}

// revokeApplication ends all tokens and sessions of an application. The session of the request can be one of them.
func (x *exchange) revokeApplication() error {
	in := &api.ClientID{ID: x.clientID()}
	if _, err := do(x, x.h.Operations.Clients.Revoke, in); err != nil {
		return x.refusedApplication(err)
	}
	if in.ID == x.client.ID {
		return x.redirectWithNotice("/sign_in", "revoked")
	}
	return x.redirectWithNotice("/applications/"+in.ID, "revoked")
}

func (x *exchange) confirmApplication() error {
	c, err := x.deletableClient()
	if err != nil {
		return err
	}
	return x.render(http.StatusOK, "confirm", page.NewDeleteApplication(x.frame(), c, nil))
}

// deleteApplication deletes an application. Its tokens and sessions end at once.
func (x *exchange) deleteApplication() error {
	_, err := do(x, x.h.Operations.Clients.Delete, &api.DeleteClient{ID: x.clientID()})
	switch {
	case err == nil:
		return x.redirectWithNotice("/applications", "deleted")
	case !correctable(err):
		return err
	}
	c, readErr := x.readApplication()
	if readErr != nil {
		return readErr
	}
	return x.render(http.StatusUnprocessableEntity, "confirm", page.NewDeleteApplication(x.frame(), c, err))
}
