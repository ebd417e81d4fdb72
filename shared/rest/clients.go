package rest

import (
	"net/http"

	"nepenthes/shared/access"
	"nepenthes/shared/api"
	"nepenthes/shared/fault"
	"nepenthes/shared/rest/hal"
	"nepenthes/shared/rest/mergepatch"
)

const (
	pathClients = hal.Base + "/oauth_clients"
	pathClient  = pathClients + "/{id}"
)

// addClients adds the routes of OAuth clients.
func (h *Handler) addClients(o *api.Clients) {
	addPaged(h, o.List, spec{
		method: http.MethodGet, path: pathClients, id: "listClients", tag: tagClients,
		summary: "List OAuth clients", about: "Oldest first.", answers: "A page of clients.",
	}, (*listClients).input, showClients)
	addRoute(h, o.Create, spec{
		method: http.MethodPost, path: pathClients, id: "createClient", tag: tagClients, status: http.StatusCreated,
		summary: "Create an OAuth client", about: "The client can get only scopes that the caller holds.",
		answers: "The client. Its secret is shown only once.",
	}, (*createClient).input, showIssuedSecret)
	addRoute(h, o.Read, spec{
		method: http.MethodGet, path: pathClient, id: "readClient", tag: tagClients,
		summary: "Read an OAuth client", about: "Secrets are never shown.", answers: "The client.",
	}, (*clientID).input, showClient)
	addRoute(h, o.Change, spec{
		method: http.MethodPatch, path: pathClient, id: "changeClient", tag: tagClients,
		faults: []fault.Kind{fault.UpdateConflict, fault.InvalidState}, summary: "Change an OAuth client",
		about:   "The body is a merge patch (RFC 7396). The caller must hold all scopes of the client. A scope that is removed is lost from the next request on.",
		answers: "The client as it is now.",
	}, (*changeClient).input, showClient)
	addRoute(h, o.Delete, spec{
		method: http.MethodDelete, path: pathClient, id: "deleteClient", tag: tagClients, status: http.StatusNoContent,
		faults: []fault.Kind{fault.UpdateConflict, fault.InvalidState}, summary: "Delete an OAuth client",
		about:   "The client's tokens are invalid from the next request on. The last client that can administer clients cannot be deleted.",
		answers: "The client was deleted.",
	}, (*deleteClient).input, noAnswer)
	addRoute(h, o.AddSecret, spec{
		method: http.MethodPost, path: pathClient + "/secrets", id: "addClientSecret", tag: tagClients, status: http.StatusCreated,
		faults: []fault.Kind{fault.InvalidState}, summary: "Add a secret to an OAuth client",
		about: "A client can have two live secrets, so that one can replace the other.", answers: "The client. The new secret is shown only once.",
	}, (*clientID).input, showIssuedSecret)
	addRoute(h, o.RemoveSecret, spec{
		method: http.MethodDelete, path: pathClient + "/secrets/{secretId}", id: "removeClientSecret", tag: tagClients,
		status: http.StatusNoContent, faults: []fault.Kind{fault.InvalidState}, summary: "Remove a secret of an OAuth client",
		about: "The secret is invalid from the next request on, and so are the tokens and sessions that it opened. The last secret of the last client that can administer clients cannot be removed.", answers: "The secret was removed.",
	}, (*removeClientSecret).input, noAnswer)
	addRoute(h, o.Revoke, spec{
		method: http.MethodPost, path: pathClient + "/revocations", id: "revokeClient", tag: tagClients, status: http.StatusNoContent,
		summary: "End all tokens and sessions of an OAuth client",
		about:   "All tokens of the client are invalid from the next request on, and everybody who is signed in to the console as this client is signed out. The secrets stay valid. The caller must hold all scopes of the client.",
		answers: "All tokens and sessions have ended.",
	}, (*clientID).input, noAnswer)
}

// listClients is the request for a page of clients.
type listClients struct {
	paging
	Name string `query:"name" doc:"Only clients whose name or id contains this text. Case does not matter." example:"sync"`
}

func (in *listClients) input() (*api.ListClients, error) {
	return &api.ListClients{Paging: in.page(), Name: in.Name}, nil
}

func showClients(v view, in *listClients, page *api.Page[access.Client]) *hal.Collection[hal.OAuthClient] {
	return collection(v.To("oauth_clients"), filters("name", in.Name), page, func(c *access.Client) *hal.OAuthClient {
		return showClient(v, c)
	})
}

// showClient represents a client without any value of a secret. Only showIssuedSecret shows one.
func showClient(v view, c *access.Client) *hal.OAuthClient {
	return hal.FromClient(v.Paths, c, "", v.now)
}

// showIssuedSecret represents a client with the secret that the request created.
func showIssuedSecret(v view, c *api.IssuedClientSecret) *hal.OAuthClient {
	return hal.FromClient(v.Paths, &c.Client, c.Secret, v.now)
}

// clientID is a request that only names a client.
type clientID struct {
	ID string `path:"id" doc:"The client's id." example:"app_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
}

func (in *clientID) input() (*api.ClientID, error) { return &api.ClientID{ID: in.ID}, nil }

// ClientPatch is a change of the attributes of a client: all of them for a new client, and a merge patch (RFC 7396) for an
// existing client.
type ClientPatch struct {
	Name        mergepatch.Member[string]   `json:"name,omitempty" create:"required" minLength:"1" maxLength:"255" doc:"The name." example:"Billing sync"`
	Scopes      mergepatch.Member[[]string] `json:"scopes,omitempty" create:"required" nullable:"false" minItems:"1" doc:"The scopes of the client. A caller can grant only scopes that it holds." example:"webhooks:read,deliveries:read"`
	LockVersion mergepatch.Member[int64]    `json:"lockVersion,omitempty" minimum:"1" nullable:"true" doc:"The version to change. If it is not the current version, the answer is 409 UpdateConflict." example:"1"`

	Type      anything `json:"_type,omitempty" readOnly:"true" doc:"Read-only. It may be sent back unchanged."`
	ID        anything `json:"id,omitempty" readOnly:"true" doc:"Read-only. It may be sent back unchanged."`
	CreatedAt anything `json:"createdAt,omitempty" readOnly:"true" doc:"Read-only. It may be sent back unchanged."`
	Secrets   anything `json:"secrets,omitempty" readOnly:"true" doc:"Ignored. Use the resource secrets."`
	// The answer that created the client has this member. A client may send that answer back as it is.
	ClientSecret anything `json:"clientSecret,omitempty" readOnly:"true" doc:"Ignored. Use the resource secrets."`
	Links        anything `json:"_links,omitempty" readOnly:"true" doc:"Ignored."`
}

// scopes returns the list of scopes. It contains unknown names, which the operation refuses.
func (p *ClientPatch) scopes() api.Patch[[]access.Scope] {
	if names, given := p.Scopes.Get(); given {
		return api.Set(access.Named(names))
	}
	if p.Scopes.IsNull() {
		return api.Reset[[]access.Scope]()
	}
	return api.Patch[[]access.Scope]{}
}

// returned compares the members that cannot be written with current, which is nil for a new client.
func (p *ClientPatch) returned(current *access.Client) fault.Details {
	var found returned
	found.unchanged("_type", p.Type, "OAuthClient")
	if current == nil {
		found.firstVersion(p.LockVersion)
		found.unchanged("id", p.ID, nil)
		found.unchanged("createdAt", p.CreatedAt, nil)
		return found.Details
	}
	found.unchanged("id", p.ID, current.ID)
	found.unchangedAt("createdAt", p.CreatedAt, current.CreatedAt)
	return found.Details
}

// createClient is the request for a new client.
type createClient struct{ Body body[ClientPatch] }

func (in *createClient) input() (*api.CreateClient, error) {
	p := &in.Body.value
	return &api.CreateClient{
		Name: patch(p.Name), Scopes: p.scopes(),
		Found: api.Found[*access.Client]{Read: in.Body.problems, Returned: p.returned},
	}, nil
}

// changeClient is the request for a change of a client.
type changeClient struct {
	clientID
	ifMatch
	Body body[ClientPatch]
}

func (in *changeClient) input() (*api.ChangeClient, error) {
	p := &in.Body.value
	insists, err := in.insistence(p.LockVersion)
	return &api.ChangeClient{
		ID: in.ID, Name: patch(p.Name), Scopes: p.scopes(), Insistence: insists,
		Found: api.Found[*access.Client]{Read: in.Body.problems, Returned: p.returned},
	}, err
}

// deleteClient is the request to delete a client.
type deleteClient struct {
	clientID
	ifMatch
}

func (in *deleteClient) input() (*api.DeleteClient, error) {
	insists, err := in.insistence(noVersion)
	return &api.DeleteClient{ID: in.ID, Insistence: insists}, err
}

// removeClientSecret is the request to remove a secret of a client.
type removeClientSecret struct {
	clientID
	SecretID string `path:"secretId" doc:"The secret's id." example:"sec_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
}

func (in *removeClientSecret) input() (*api.RemoveClientSecret, error) {
	return &api.RemoveClientSecret{ID: in.ID, SecretID: in.SecretID}, nil
}
