package rehearsal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"nepenthes/shared/awsclient"
	"nepenthes/shared/fault"
	"nepenthes/shared/vault"
)

// Door says how to reach the API of a stack, and has the administrator's credentials.
type Door struct {
	// URL is the address of the stage in an emulator.
	URL string
	// Stage is the path with which links begin, such as "/dev".
	Stage string
	// Host is the host name with which a browser reaches the stage at the endpoint's port, and can follow links.
	Host string
	// HTTP trusts the endpoint's certificate and does not follow redirects.
	HTTP *http.Client
	// ClientID and ClientSecret are the administrator's.
	ClientID, ClientSecret string
}

// Door returns the door of the stack. It also makes this process use the endpoint.
func (c Cloud) Door(ctx context.Context) (d Door, err error) {
	o, err := c.Folder.Outputs()
	if err != nil {
		return d, err
	}
	if err := c.Endpoint.Use(); err != nil {
		return d, err
	}
	cfg, err := awsclient.Load(ctx, 1)
	if err != nil {
		return d, err
	}
	d = Door{
		URL: c.Endpoint.URL() + "/restapis/" + o.ApiID + "/" + o.Stage + "/_user_request_", Stage: "/" + o.Stage,
		Host: o.ApiID + ".execute-api.localhost",
	}
	if d.HTTP, err = c.Endpoint.client(); err != nil {
		return d, err
	}
	d.ClientID, d.ClientSecret, err = vault.NewSecrets(cfg).Administrator(ctx, o.AdministratorSecretARN)
	return d, err
}

// client calls the API of a stack.
type client struct {
	door  Door
	token string
}

// members is an answer of the API.
type members = map[string]any

// authorise gets a token.
func (c *client) authorise(ctx context.Context) (err error) {
	defer fault.Wrap(&err, "get a token")
	form := url.Values{"grant_type": {"client_credentials"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.door.URL+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(url.QueryEscape(c.door.ClientID), url.QueryEscape(c.door.ClientSecret))
	answer, err := c.send(request, http.StatusOK)
	c.token, _ = answer["access_token"].(string)
	return err
}

// call sends a request to the path of a link, which may begin with the stage path. It returns an error if the status
// of the answer is not the wanted one.
func (c *client) call(ctx context.Context, method, path string, body any, want int) (_ members, err error) {
	defer fault.Wrap(&err, "%s %s", method, path)
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.door.URL+strings.TrimPrefix(path, c.door.Stage), content)
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	return c.send(request, want)
}

func (c *client) send(request *http.Request, want int) (members, error) {
	request.Header.Set("Accept", "application/json")
	answer, err := c.door.HTTP.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != want {
		return nil, fmt.Errorf("the status is %d instead of %d: %s", answer.StatusCode, want, text)
	}
	if len(text) == 0 {
		return nil, nil //nolint:nilnil // an answer without members
	}
	var m members
	return m, json.Unmarshal(text, &m)
}
