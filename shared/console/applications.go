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

// applicationPage shows an application, or the form of a new one; refused is what a change met.
func (x *exchange) applicationPage(typed form.Client, current *access.Client, conflict bool, refused error) error {
	status := formStatus(refused)
	if conflict {
		status = http.StatusUnprocessableEntity
	}
	return x.render(status, "application", page.NewApplication(x.frame(), typed, page.ApplicationOptions{
		Current: current, Held: x.client.Scopes, Once: once(), Conflict: conflict, Now: x.h.Now(),
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

// createApplication makes an application and shows its secret, this once.
func (x *exchange) createApplication() error {
	typed, frame := form.ReadClient(x.r.PostForm), x.frame()
	first, err := x.useOnce(frame.To("/applications"))
	if !first {
		return err
	}
	c, err := do(x, x.h.Operations.Clients.Create, typed.Creation())
	if err != nil {
		x.unuseOnce()
		if correctable(err) {
			return x.applicationPage(typed, nil, false, err)
		}
		return err
	}
	return x.render(http.StatusOK, "secret", page.NewClientSecret(frame, c, "The new application"))
}

// saveApplication changes an application. If somebody else was faster, both values are shown and the next Save decides.
func (x *exchange) saveApplication() error {
	typed := form.ReadClient(x.r.PostForm)
	_, err := do(x, x.h.Operations.Clients.Change, typed.Change(x.clientID()))
	conflict := fault.Is(err, fault.UpdateConflict)
	switch {
	case err == nil:
		return x.done("/applications/"+x.clientID(), "saved")
	case !conflict && !correctable(err):
		return err
	}
	current, unread := x.readApplication()
	if unread != nil {
		return unread
	}
	return x.applicationPage(typed, current, conflict, err)
}

// rotateClientSecret gives an application another secret and shows it, this once. The former one goes on until it is
// removed.
func (x *exchange) rotateClientSecret() error {
	frame := x.frame()
	first, err := x.useOnce(frame.To("/applications/" + x.clientID()))
	if !first {
		return err
	}
	c, err := do(x, x.h.Operations.Clients.AddSecret, &api.ClientID{ID: x.clientID()})
	if err == nil {
		return x.render(http.StatusOK, "secret", page.NewClientSecret(frame, c, "The new secret",
			"The former secret goes on working. Remove it on the page of the application once the new one is in use."))
	}
	x.unuseOnce()
	return x.refusedApplication(err)
}

func (x *exchange) confirmSecret() error {
	c, err := x.endable()
	if err != nil {
		return err
	}
	p := page.NewRemoveSecret(x.frame(), c, x.r.PathValue("secret"), c.ID == x.client.ID, x.h.Now())
	if p == nil {
		return fault.New(fault.NotFound, "There is no such secret, or no longer.")
	}
	return x.render(http.StatusOK, "confirm", p)
}

// removeClientSecret ends a secret at once; sessions that began with it end with it.
func (x *exchange) removeClientSecret() error {
	in := &api.RemoveClientSecret{ID: x.clientID(), SecretID: x.r.PathValue("secret")}
	if _, err := do(x, x.h.Operations.Clients.RemoveSecret, in); err != nil {
		return x.refusedApplication(err)
	}
	return x.done("/applications/"+in.ID, "removed")
}

// refusedApplication shows an application with what a request about it met.
func (x *exchange) refusedApplication(err error) error {
	if !correctable(err) {
		return err
	}
	c, unread := x.readApplication()
	if unread != nil {
		return unread
	}
	return x.applicationPage(form.FromClient(c), c, false, err)
}

// endable reads an application that is to be ended, or a part of it, and refuses what the operation would: to touch
// one with more scopes than one's own.
func (x *exchange) endable() (*access.Client, error) {
	c, err := x.readApplication()
	if err != nil {
		return nil, err
	}
	return c, clients.Permit(x.call.Caller, c.Scopes)
}

func (x *exchange) confirmRevocation() error {
	c, err := x.endable()
	if err != nil {
		return err
	}
	return x.render(http.StatusOK, "confirm", page.NewRevokeApplication(x.frame(), c, c.ID == x.client.ID))
}

// revokeApplication ends all tokens and sessions of an application, that of who asks for it included.
func (x *exchange) revokeApplication() error {
	in := &api.ClientID{ID: x.clientID()}
	if _, err := do(x, x.h.Operations.Clients.Revoke, in); err != nil {
		return x.refusedApplication(err)
	}
	if in.ID == x.client.ID {
		return x.done("/sign_in", "revoked")
	}
	return x.done("/applications/"+in.ID, "revoked")
}

func (x *exchange) confirmApplication() error {
	c, err := x.endable()
	if err != nil {
		return err
	}
	return x.render(http.StatusOK, "confirm", page.NewDeleteApplication(x.frame(), c, nil))
}

// deleteApplication deletes an application; its tokens and sessions end.
func (x *exchange) deleteApplication() error {
	_, err := do(x, x.h.Operations.Clients.Delete, &api.DeleteClient{ID: x.clientID()})
	switch {
	case err == nil:
		return x.done("/applications", "deleted")
	case !correctable(err):
		return err
	}
	c, unread := x.readApplication()
	if unread != nil {
		return unread
	}
	return x.render(http.StatusUnprocessableEntity, "confirm", page.NewDeleteApplication(x.frame(), c, err))
}
