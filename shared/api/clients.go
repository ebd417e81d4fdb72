package api

import (
	"context"
	"slices"

	"nepenthes/shared/access"
	"nepenthes/shared/api/hal"
	"nepenthes/shared/auth/clients"
	"nepenthes/shared/strictjson"
)

// ClientID names an OAuth client.
type ClientID struct {
	ID string `path:"id" doc:"The client's id." example:"app_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
}

// ListClients asks for a page of the clients.
type ListClients struct {
	Paging
	Name string `query:"name" doc:"Only clients whose name or id contains this, whatever the case of its letters." example:"sync"`
}

// CreateClient asks for a new client.
type CreateClient struct{ Body Body[ClientPatch] }

// ReadClient asks for a client.
type ReadClient struct{ ClientID }

// ChangeClient asks for a change of a client.
type ChangeClient struct {
	ClientID
	Precondition
	Body Body[ClientPatch]
}

// DeleteClient asks for the end of a client.
type DeleteClient struct {
	ClientID
	Precondition
}

// AddClientSecret asks for another secret of a client.
type AddClientSecret struct{ ClientID }

// RemoveClientSecret asks for the end of a client's secret.
type RemoveClientSecret struct {
	ClientID
	SecretID string `path:"secretId" doc:"The secret's id." example:"sec_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
}

// RevokeClient asks for the end of all of a client's tokens and sessions.
type RevokeClient struct{ ClientID }

// ClientPatch is what can be said about a client: all of it at create, a merge patch (RFC 7396) afterwards.
type ClientPatch struct {
	Name        strictjson.Member[string]   `json:"name,omitempty" create:"required" minLength:"1" maxLength:"255" doc:"Its name." example:"Billing sync"`
	Scopes      strictjson.Member[[]string] `json:"scopes,omitempty" create:"required" nullable:"false" minItems:"1" doc:"What it may do; only scopes that the caller holds itself." example:"webhooks:read,deliveries:read"`
	LockVersion strictjson.Member[int64]    `json:"lockVersion,omitempty" minimum:"1" nullable:"true" doc:"The version that is to be changed; another one is 409 UpdateConflict." example:"1"`

	Type      anything `json:"_type,omitempty" readOnly:"true" doc:"May come back unchanged."`
	ID        anything `json:"id,omitempty" readOnly:"true" doc:"May come back unchanged."`
	CreatedAt anything `json:"createdAt,omitempty" readOnly:"true" doc:"May come back unchanged."`
	Secrets   anything `json:"secrets,omitempty" readOnly:"true" doc:"Ignored: see the resource secrets."`
	// The secret of the answer that made the client: the answer may come back whole.
	ClientSecret anything `json:"clientSecret,omitempty" readOnly:"true" doc:"Ignored: see the resource secrets."`
	Links        anything `json:"_links,omitempty" readOnly:"true" doc:"Ignored."`
}

// clientsResource words what package auth decides.
type clientsResource struct{ *Config }

func (o clientsResource) list(ctx context.Context, call Call, in *ListClients) (*hal.Collection[hal.OAuthClient], error) {
	page, err := o.page(ctx, in.Paging)
	if err != nil {
		return nil, err
	}
	all, err := o.Clients.List(ctx)
	if err != nil {
		return nil, err
	}
	all = Named(all, in.Name, func(c access.Client) []string { return []string{c.Name, c.ID} })
	return show(call.To("oauth_clients"), filters("name", in.Name), page, all, func(c access.Client) *hal.OAuthClient {
		return o.shown(call, &c, "")
	}), nil
}

func (o clientsResource) shown(call Call, c *access.Client, secret string) *hal.OAuthClient {
	return hal.FromClient(call.Paths, c, secret, o.moment())
}

func (o clientsResource) read(ctx context.Context, call Call, in *ReadClient) (*hal.OAuthClient, error) {
	c, err := o.Clients.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return o.shown(call, &c, ""), nil
}

// create makes a client with a secret; two calls make two.
func (o clientsResource) create(ctx context.Context, call Call, in *CreateClient) (*hal.OAuthClient, error) {
	found, patch := faults{in.Body.Problems}, &in.Body.Value
	required(&found, "name", patch.Name, true)
	required(&found, "scopes", patch.Scopes, true)
	patch.readOnly(&found, nil)
	name, _ := patch.Name.Get()
	c, secret, err := o.Clients.Create(ctx, call.Caller, name, patch.scopes(), found.Details)
	if err != nil {
		return nil, err
	}
	return o.shown(call, &c, secret), nil
}

func (p *ClientPatch) readOnly(found *faults, c *access.Client) {
	found.unchanged("_type", p.Type, "OAuthClient")
	if c == nil {
		found.firstVersion(p.LockVersion)
		found.unchanged("id", p.ID, nil)
		found.unchanged("createdAt", p.CreatedAt, nil)
		return
	}
	found.unchanged("id", p.ID, c.ID)
	found.unchangedAt("createdAt", p.CreatedAt, c.CreatedAt)
}

func (p *ClientPatch) scopes() []access.Scope {
	names, _ := p.Scopes.Get()
	return access.Named(names)
}

// change applies the patch. Without a version it is applied to whatever is there.
func (o clientsResource) change(ctx context.Context, call Call, in *ChangeClient) (*hal.OAuthClient, error) {
	patch := &in.Body.Value
	scopes := patch.scopes()
	current, version, err := o.current(ctx, call, in.ID, in.Precondition, patch.LockVersion, scopes...)
	if err != nil {
		return nil, err
	}
	found, change := faults{in.Body.Problems}, clients.Change{}
	required(&found, "name", patch.Name, false)
	required(&found, "scopes", patch.Scopes, false)
	patch.readOnly(&found, &current)
	if name, given := patch.Name.Get(); given {
		change.Name = &name
	}
	if _, given := patch.Scopes.Get(); given {
		change.Scopes = &scopes
	}
	changed, err := o.Clients.Update(ctx, call.Caller, in.ID, version, change, found.Details)
	if err != nil {
		return nil, err
	}
	return o.shown(call, &changed, ""), nil
}

// current is the client, and the version on which the caller insists, 0 for none. What the caller may not do to it,
// or may not grant, is told before that the version is another one.
func (o clientsResource) current(
	ctx context.Context, call Call, id string, p Precondition, asked strictjson.Member[int64], granted ...access.Scope,
) (access.Client, int64, error) {
	c, err := o.Clients.Get(ctx, id)
	if err != nil {
		return access.Client{}, 0, err
	}
	if err := clients.Permit(call.Caller, slices.Concat(c.Scopes, granted)); err != nil {
		return access.Client{}, 0, err
	}
	if err := p.holds(asked, hal.ETag(c.LockVersion), c.LockVersion); err != nil {
		return access.Client{}, 0, err
	}
	if !p.expects(asked) {
		return c, 0, nil
	}
	return c, c.LockVersion, nil
}

// delete ends a client; the second time it is a fault of kind NotFound.
func (o clientsResource) delete(ctx context.Context, call Call, in *DeleteClient) (*None, error) {
	_, version, err := o.current(ctx, call, in.ID, in.Precondition, absentVersion)
	if err != nil {
		return nil, err
	}
	return &None{}, o.Clients.Delete(ctx, call.Caller, in.ID, version)
}

// addSecret gives a client another secret; two calls give two, if so many may be live.
func (o clientsResource) addSecret(ctx context.Context, call Call, in *AddClientSecret) (*hal.OAuthClient, error) {
	_, secret, err := o.Clients.AddSecret(ctx, call.Caller, in.ID)
	if err != nil {
		return nil, err
	}
	c, err := o.Clients.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return o.shown(call, &c, secret), nil
}

// removeSecret ends a client's secret at once; the second time it is a fault of kind NotFound.
func (o clientsResource) removeSecret(ctx context.Context, call Call, in *RemoveClientSecret) (*None, error) {
	return &None{}, o.Clients.DeleteSecret(ctx, call.Caller, in.ID, in.SecretID)
}

// revoke ends all tokens and sessions of a client at once; it can be repeated.
func (o clientsResource) revoke(ctx context.Context, call Call, in *RevokeClient) (*None, error) {
	return &None{}, o.Clients.Revoke(ctx, call.Caller, in.ID)
}
