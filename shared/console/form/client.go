package form

import (
	"net/url"
	"strconv"

	"nepenthes/shared/access"
	"nepenthes/shared/api"
)

// Client is an application as it was typed.
type Client struct {
	Name    string
	Scopes  []string
	Version string
}

// ReadClient reads the form.
func ReadClient(values url.Values) Client {
	v := Values{values}
	return Client{Name: v.text("name"), Scopes: v.list("scopes"), Version: v.text("version")}
}

// FromClient returns the form for an existing application.
func FromClient(c *access.Client) Client {
	return Client{Name: c.Name, Scopes: texts(c.Scopes), Version: strconv.FormatInt(c.LockVersion, 10)}
}

// texts returns the scopes as texts, as the boxes of the form have them.
func texts(scopes []access.Scope) []string {
	all := make([]string, len(scopes))
	for i, s := range scopes {
		all[i] = string(s)
	}
	return all
}

// Creation returns the request for the client that the form describes.
func (c Client) Creation() *api.CreateClient {
	return &api.CreateClient{Name: api.Set(c.Name), Scopes: api.Set(access.Named(c.Scopes))}
}

// Change returns the change of the client with the id that the form asks for.
func (c Client) Change(id string) *api.ChangeClient {
	return &api.ChangeClient{
		ID: id, Name: api.Set(c.Name), Scopes: api.Set(access.Named(c.Scopes)), Insistence: filledFrom(c.Version),
	}
}
