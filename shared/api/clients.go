package api

import (
	"context"
	"slices"

	"nepenthes/shared/access"
	"nepenthes/shared/auth/clients"
	"nepenthes/shared/required"
)

// ListClients asks for a page of the clients.
type ListClients struct {
	Paging Paging
	// Name, unless it is empty, selects the clients whose name or id contains it.
	Name string
}

// ClientID names an OAuth client.
type ClientID struct{ ID string }

// CreateClient asks for a new client.
type CreateClient struct {
	Name   Patch[string]
	Scopes Patch[[]access.Scope]
	Found  Found[*access.Client]
}

// ChangeClient asks for a change of a client.
type ChangeClient struct {
	ID         string
	Name       Patch[string]
	Scopes     Patch[[]access.Scope]
	Insistence Insistence
	Found      Found[*access.Client]
}

// DeleteClient asks to delete a client.
type DeleteClient struct {
	ID         string
	Insistence Insistence
}

// RemoveClientSecret asks to remove a secret of a client.
type RemoveClientSecret struct{ ID, SecretID string }

// IssuedClientSecret is a client with a secret that was just issued to it.
type IssuedClientSecret struct {
	access.Client
	Secret string
}

// ClientsConfig holds the dependencies of the operations on clients.
type ClientsConfig struct {
	Common
	Clients *clients.Registry
}

// Clients holds the operations on clients.
type Clients struct {
	List         Operation[*ListClients, *Page[access.Client]]
	Create       Operation[*CreateClient, *IssuedClientSecret]
	Read         Operation[*ClientID, *access.Client]
	Change       Operation[*ChangeClient, *access.Client]
	Delete       Operation[*DeleteClient, *None]
	AddSecret    Operation[*ClientID, *IssuedClientSecret]
	RemoveSecret Operation[*RemoveClientSecret, *None]
	Revoke       Operation[*ClientID, *None]
}

// NewClients returns the operations on clients. It panics if a dependency is missing.
func NewClients(c ClientsConfig) *Clients {
	required.Fields(c)
	o, common, scope := clientsResource{c}, &c.Common, access.ClientsWrite
	return &Clients{
		List:         operation(access.ClientsRead, o.list),
		Create:       write(common, scope, CreatedClient, o.create, func(_ *CreateClient, created *IssuedClientSecret) string { return created.ID }),
		Read:         operation(access.ClientsRead, o.read),
		Change:       write(common, scope, UpdatedClient, o.change, func(in *ChangeClient, _ *access.Client) string { return in.ID }),
		Delete:       write(common, scope, DeletedClient, o.delete, func(in *DeleteClient, _ *None) string { return in.ID }),
		AddSecret:    write(common, scope, AddedClientSecret, o.addSecret, func(in *ClientID, _ *IssuedClientSecret) string { return in.ID }),
		RemoveSecret: write(common, scope, RemovedClientSecret, o.removeSecret, func(in *RemoveClientSecret, _ *None) string { return in.ID }),
		Revoke:       write(common, scope, RevokedClient, o.revoke, func(in *ClientID, _ *None) string { return in.ID }),
	}
}

// clientsResource checks requests about clients. Package clients applies the rules.
type clientsResource struct{ ClientsConfig }

// list returns a page of the clients, oldest first.
func (o clientsResource) list(ctx context.Context, _ Call, in *ListClients) (*Page[access.Client], error) {
	page, err := o.page(ctx, in.Paging)
	if err != nil {
		return nil, err
	}
	all, err := o.Clients.List(ctx)
	if err != nil {
		return nil, err
	}
	return pageOf(page, Named(all, in.Name, func(c access.Client) []string { return []string{c.Name, c.ID} })), nil
}

// read returns a client. A client that does not exist is a fault of kind NotFound.
func (o clientsResource) read(ctx context.Context, _ Call, in *ClientID) (*access.Client, error) {
	c, err := o.Clients.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// create creates a client with a secret. Two calls create two clients.
func (o clientsResource) create(ctx context.Context, call Call, in *CreateClient) (*IssuedClientSecret, error) {
	found := faults{in.Found.Read} // the registry adds the faults of the values
	needed(&found, "name", in.Name, true)
	needed(&found, "scopes", in.Scopes, true)
	in.Found.compare(&found, nil)
	name, _ := in.Name.Value()
	scopes, _ := in.Scopes.Value()
	c, secret, err := o.Clients.Create(ctx, call.Caller, name, scopes, found.Details)
	if err != nil {
		return nil, err
	}
	return &IssuedClientSecret{c, secret}, nil
}

// change applies the patch. A change that does not insist on a version is applied to the current client.
func (o clientsResource) change(ctx context.Context, call Call, in *ChangeClient) (*access.Client, error) {
	scopes, _ := in.Scopes.Value()
	current, version, err := o.current(ctx, call, in.ID, in.Insistence, scopes...)
	if err != nil {
		return nil, err
	}
	found, change := faults{in.Found.Read}, clients.Change{}
	needed(&found, "name", in.Name, false)
	needed(&found, "scopes", in.Scopes, false)
	in.Found.compare(&found, &current)
	if name, given := in.Name.Value(); given {
		change.Name = &name
	}
	if _, given := in.Scopes.Value(); given {
		change.Scopes = &scopes
	}
	changed, err := o.Clients.Update(ctx, call.Caller, in.ID, version, change, found.Details)
	if err != nil {
		return nil, err
	}
	if changed.LockVersion == current.LockVersion {
		return &changed, errUnchanged
	}
	return &changed, nil
}

// current returns the client and the version that the caller insists on, or 0 for any version. It reports a client that the
// caller must not change, or a scope that the caller must not grant, before a conflict of versions: reading the client again
// would not help such a caller.
func (o clientsResource) current(
	ctx context.Context, call Call, id string, insists Insistence, granted ...access.Scope,
) (access.Client, int64, error) {
	c, err := o.Clients.Get(ctx, id)
	if err != nil {
		return access.Client{}, 0, err
	}
	if err := clients.Permit(call.Caller, slices.Concat(c.Scopes, granted)); err != nil {
		return access.Client{}, 0, err
	}
	if err := insists.accepts(c.LockVersion); err != nil {
		return access.Client{}, 0, err
	}
	if insists.any() {
		return c, 0, nil
	}
	return c, c.LockVersion, nil
}

// delete deletes a client. A client that does not exist is a fault of kind NotFound.
func (o clientsResource) delete(ctx context.Context, call Call, in *DeleteClient) (*None, error) {
	_, version, err := o.current(ctx, call, in.ID, in.Insistence)
	if err != nil {
		return nil, err
	}
	return &None{}, o.Clients.Delete(ctx, call.Caller, in.ID, version)
}

// addSecret adds a secret to a client. Two calls add two secrets, up to the number of secrets that can be live.
func (o clientsResource) addSecret(ctx context.Context, call Call, in *ClientID) (*IssuedClientSecret, error) {
	c, secret, err := o.Clients.AddSecret(ctx, call.Caller, in.ID)
	if err != nil {
		return nil, err
	}
	return &IssuedClientSecret{c, secret}, nil
}

// removeSecret ends a client's secret at once. A secret that does not exist is a fault of kind NotFound.
func (o clientsResource) removeSecret(ctx context.Context, call Call, in *RemoveClientSecret) (*None, error) {
	return &None{}, o.Clients.DeleteSecret(ctx, call.Caller, in.ID, in.SecretID)
}

// revoke ends all tokens and sessions of a client at once. It can be repeated.
func (o clientsResource) revoke(ctx context.Context, call Call, in *ClientID) (*None, error) {
	return &None{}, o.Clients.Revoke(ctx, call.Caller, in.ID)
}
