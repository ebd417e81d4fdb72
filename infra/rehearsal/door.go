package rehearsal

import (
	"context"
	"net/http"

	"nepenthes/shared/awsclient"
	"nepenthes/shared/vault"
)

// Door is the way into a deployed stack from outside: its address, the stage path included, a client that trusts the
// endpoint, and the administrator.
type Door struct {
	URL                    string
	ClientID, ClientSecret string
	HTTP                   *http.Client
}

// Door opens the deployed stack. It fails when nothing is deployed or the administrator's secret cannot be read.
func (c Cloud) Door(ctx context.Context) (d Door, err error) {
	outputs, err := c.Folder.Outputs()
	if err != nil {
		return d, err
	}
	if err := c.Endpoint.Use(); err != nil {
		return d, err
	}
	config, err := awsclient.Load(ctx, 1)
	if err != nil {
		return d, err
	}
	way, err := newClient(c.Endpoint, outputs)
	if err != nil {
		return d, err
	}
	d.URL, d.HTTP = way.base, way.http
	d.ClientID, d.ClientSecret, err = vault.NewSecrets(config).Administrator(ctx, outputs.AdministratorSecretARN)
	return d, err
}
