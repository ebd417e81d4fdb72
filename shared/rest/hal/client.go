package hal

import (
	"time"

	"nepenthes/shared/access"
	"nepenthes/shared/instant"
)

// OAuthClient is an application that may call the API.
type OAuthClient struct {
	Type         string         `json:"_type" enum:"OAuthClient" doc:"Always OAuthClient." example:"OAuthClient"`
	ID           string         `json:"id" doc:"The client id." example:"app_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
	Name         string         `json:"name" doc:"The name." example:"Billing sync"`
	Scopes       []string       `json:"scopes" nullable:"false" doc:"The scopes of the client. Write includes read." example:"webhooks:read,deliveries:read"`
	Secrets      []ClientSecret `json:"secrets" nullable:"false" doc:"The live secrets, oldest first. Their values are never shown."`
	ClientSecret string         `json:"clientSecret,omitempty" doc:"The secret that this request created. It is shown only once: keep it." example:"3q2-7wEjRWeJq83vASNFZ4mrze8BI0VniavN7wEjRWc"`
	LockVersion  int64          `json:"lockVersion" minimum:"1" doc:"The version, which every change raises. Send it back with a change, and the change is made only if the version is still current." example:"1"`
	CreatedAt    instant.Time   `json:"createdAt" doc:"When it was created." example:"2026-01-02T11:00:00.000Z"`
	Links        SelfLink       `json:"_links"`
}

// ClientSecret describes a secret of a client without its value.
type ClientSecret struct {
	ID        string        `json:"id" doc:"The id." example:"sec_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
	CreatedAt instant.Time  `json:"createdAt" doc:"When it was created." example:"2026-01-02T11:00:00.000Z"`
	ExpiresAt *instant.Time `json:"expiresAt" nullable:"true" doc:"When the secret expires. Null means never." example:"2026-01-03T11:00:00.000Z"`
}

// FromClient represents a client at now. secret is the secret that the request created, or empty.
func FromClient(p Paths, c *access.Client, secret string, now time.Time) *OAuthClient {
	shown := &OAuthClient{
		Type: "OAuthClient", ID: c.ID, Name: c.Name, Scopes: make([]string, len(c.Scopes)), Secrets: []ClientSecret{},
		ClientSecret: secret, LockVersion: c.LockVersion, CreatedAt: instant.Of(c.CreatedAt),
		Links: SelfLink{Self: Link{Href: p.To("oauth_clients", c.ID)}},
	}
	for i, s := range c.Scopes {
		shown.Scopes[i] = string(s)
	}
	for _, s := range c.Secrets {
		if s.Live(now) {
			shown.Secrets = append(shown.Secrets, ClientSecret{ID: s.ID, CreatedAt: instant.Of(s.CreatedAt), ExpiresAt: moment(s.ExpiresAt)})
		}
	}
	return shown
}

// ETag returns the entity tag of the lock version.
func (c *OAuthClient) ETag() string { return ETag(c.LockVersion) }

// Location returns the path of the client.
func (c *OAuthClient) Location() string { return c.Links.Self.Href }
