package rest

import (
	"net/http"

	"nepenthes/shared/access"
	"nepenthes/shared/api"
	"nepenthes/shared/fault"
	"nepenthes/shared/rest/hal"
	"nepenthes/shared/strictjson"
)

const (
	pathClients = hal.Base + "/oauth_clients"
	pathClient  = pathClients + "/{id}"
)

func (h *Handler) addClients(o *api.Clients) {
	addPaged(h, o.List, spec{
		method: http.MethodGet, path: pathClients, id: "listClients", tag: tagClients,
		summary: "List OAuth clients", about: "Oldest first.", answers: "A page of clients.",
	}, (*listClients).input, showClients)
	addRoute(h, o.Create, spec{
		method: http.MethodPost, path: pathClients, id: "createClient", tag: tagClients, status: http.StatusCreated,
		summary: "Create an OAuth client", about: "It can be given only scopes that the caller holds.",
		answers: "The client. Its secret is shown only here.",
	}, (*createClient).input, showIssuedSecret)
	addRoute(h, o.Read, spec{
		method: http.MethodGet, path: pathClient, id: "readClient", tag: tagClients,
		summary: "Read an OAuth client", about: "Secrets are never shown.", answers: "The client.",
	}, (*clientID).input, showClient)
	addRoute(h, o.Change, spec{
		method: http.MethodPatch, path: pathClient, id: "changeClient", tag: tagClients,
		faults: []fault.Kind{fault.UpdateConflict, fault.InvalidState}, summary: "Change an OAuth client",
		about:   "A merge patch (RFC 7396). Only clients all of whose scopes the caller holds can be changed. A scope that is lost is lost at the next request.",
		answers: "The client as it is now.",
	}, (*changeClient).input, showClient)
	addRoute(h, o.Delete, spec{
		method: http.MethodDelete, path: pathClient, id: "deleteClient", tag: tagClients, status: http.StatusNoContent,
		faults: []fault.Kind{fault.UpdateConflict, fault.InvalidState}, summary: "Delete an OAuth client",
		about:   "Its tokens end with the next request. The last client that can administer clients cannot be deleted.",
		answers: "The client is gone.",
	}, (*deleteClient).input, noAnswer)
	addRoute(h, o.AddSecret, spec{
		method: http.MethodPost, path: pathClient + "/secrets", id: "addClientSecret", tag: tagClients, status: http.StatusCreated,
		faults: []fault.Kind{fault.InvalidState}, summary: "Add a secret to an OAuth client",
		about: "Two can be live, so that one can replace the other.", answers: "The client. The new secret is shown only here.",
	}, (*clientID).input, showIssuedSecret)
	addRoute(h, o.RemoveSecret, spec{
		method: http.MethodDelete, path: pathClient + "/secrets/{secretId}", id: "removeClientSecret", tag: tagClients,
		status: http.StatusNoContent, faults: []fault.Kind{fault.InvalidState}, summary: "Remove a secret of an OAuth client",
		about: "It opens nothing from the next request on, and the tokens and sessions that were got with it end. The last secret of the last client that can administer clients cannot be removed.", answers: "The secret is gone.",
	}, (*removeClientSecret).input, noAnswer)
	addRoute(h, o.Revoke, spec{
		method: http.MethodPost, path: pathClient + "/revocations", id: "revokeClient", tag: tagClients, status: http.StatusNoContent,
		summary: "End all tokens and sessions of an OAuth client",
		about:   "From the next request on none of the client's tokens opens anything, and who is signed in to the console as this client is signed out. Its secrets stay, and get new tokens. Only clients all of whose scopes the caller holds can be treated so.",
		answers: "All of them have ended.",
	}, (*clientID).input, noAnswer)
}

type listClients struct {
	paging
	Name string `query:"name" doc:"Only clients whose name or id contains this, whatever the case of its letters." example:"sync"`
}

func (in *listClients) input() (*api.ListClients, error) {
	return &api.ListClients{Paging: in.page(), Name: in.Name}, nil
}

func showClients(v view, in *listClients, page *api.Page[access.Client]) *hal.Collection[hal.OAuthClient] {
	return collection(v.To("oauth_clients"), filters("name", in.Name), page, func(c *access.Client) *hal.OAuthClient {
		return showClient(v, c)
	})
}

func showClient(v view, c *access.Client) *hal.OAuthClient {
	return hal.FromClient(v.Paths, c, "", v.now)
}

func showIssuedSecret(v view, c *api.IssuedClientSecret) *hal.OAuthClient {
	return hal.FromClient(v.Paths, &c.Client, c.Secret, v.now)
}

type clientID struct {
	ID string `path:"id" doc:"The client's id." example:"app_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
}

func (in *clientID) input() (*api.ClientID, error) { return &api.ClientID{ID: in.ID}, nil }

// ClientPatch is what can be said about a client: all of it at create, a merge patch (RFC 7396) afterwards.
type ClientPatch struct {
	Name        strictjson.Member[string]   `json:"name,omitempty" create:"required" minLength:"1" maxLength:"255" doc:"Its name." example:"Billing sync"`
	Scopes      strictjson.Member[[]string] `json:"scopes,omitempty" create:"required" nullable:"false" minItems:"1" doc:"What it may do; only scopes that the caller holds itself." example:"webhooks:read,deliveries:read"`
	LockVersion strictjson.Member[int64]    `json:"lockVersion,omitempty" minimum:"1" nullable:"true" doc:"The version that is to be changed; another one is 409 UpdateConflict." example:"1"`

	Type      anything `json:"_type,omitempty" readOnly:"true" doc:"May come back unchanged."`
	ID        anything `json:"id,omitempty" readOnly:"true" doc:"May come back unchanged."`
	CreatedAt anything `json:"createdAt,omitempty" readOnly:"true" doc:"May come back unchanged."`
	Secrets   anything `json:"secrets,omitempty" readOnly:"true" doc:"Ignored: see the resource secrets."`
	// The secret of the answer that created the client: the answer may come back as it is.
	ClientSecret anything `json:"clientSecret,omitempty" readOnly:"true" doc:"Ignored: see the resource secrets."`
	Links        anything `json:"_links,omitempty" readOnly:"true" doc:"Ignored."`
}

// scopes is the list of scopes by their names. An unknown name stays in it: the operation refuses it.
func (p *ClientPatch) scopes() api.Patch[[]access.Scope] {
	if names, given := p.Scopes.Get(); given {
		return api.Set(access.Named(names))
	}
	if p.Scopes.IsNull() {
		return api.Reset[[]access.Scope]()
	}
	return api.Patch[[]access.Scope]{}
}

// returned compares the members that cannot be written; current is nil for a new client.
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

type createClient struct{ Body body[ClientPatch] }

func (in *createClient) input() (*api.CreateClient, error) {
	p := &in.Body.value
	return &api.CreateClient{
		Name: patch(p.Name), Scopes: p.scopes(),
		Found: api.Found[*access.Client]{Read: in.Body.problems, Returned: p.returned},
	}, nil
}

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

type deleteClient struct {
	clientID
	ifMatch
}

func (in *deleteClient) input() (*api.DeleteClient, error) {
	insists, err := in.insistence(noVersion)
	return &api.DeleteClient{ID: in.ID, Insistence: insists}, err
}

type removeClientSecret struct {
	clientID
	SecretID string `path:"secretId" doc:"The secret's id." example:"sec_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
}

func (in *removeClientSecret) input() (*api.RemoveClientSecret, error) {
	return &api.RemoveClientSecret{ID: in.ID, SecretID: in.SecretID}, nil
}
