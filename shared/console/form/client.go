package form

import (
	"net/url"
	"strconv"

	"nepenthes/shared/api"
	"nepenthes/shared/api/hal"
	"nepenthes/shared/strictjson"
)

// Client is an application as typed.
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

// FromClient fills the form.
func FromClient(c *hal.OAuthClient) Client {
	return Client{Name: c.Name, Scopes: c.Scopes, Version: strconv.FormatInt(c.LockVersion, 10)}
}

// Body is what the form asks for; a new client has no version yet.
func (c Client) Body(isNew bool) (body api.Body[api.ClientPatch]) {
	body.Value.Name = strictjson.Of(c.Name)
	body.Value.Scopes = strictjson.Of(c.Scopes)
	if !isNew {
		body.Value.LockVersion = version(c.Version)
	}
	return body
}
