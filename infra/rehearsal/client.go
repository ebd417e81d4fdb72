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

	"nepenthes/shared/fault"
)

// client calls the API of a stack as any program would.
type client struct {
	http  *http.Client
	base  string // the address that emulators give a stage
	stage string
	token string
}

// member is an answer of the API.
type members = map[string]any

func newClient(e Endpoint, o Outputs) (*client, error) {
	h, err := e.client()
	if err != nil {
		return nil, err
	}
	return &client{http: h, stage: "/" + o.Stage, base: e.URL() + "/restapis/" + o.ApiID + "/" + o.Stage + "/_user_request_"}, nil
}

// authorise gets a token for the client's secret.
func (c *client) authorise(ctx context.Context, id, secret string) (err error) {
	defer fault.Wrap(&err, "get a token")
	form := url.Values{"grant_type": {"client_credentials"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	answer, err := c.send(request, http.StatusOK)
	c.token, _ = answer["access_token"].(string)
	return err
}

// call makes a request to a path as links have it, with or without the stage's, and wants the status.
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
	request, err := http.NewRequestWithContext(ctx, method, c.base+strings.TrimPrefix(path, c.stage), content)
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
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != want {
		return nil, fmt.Errorf("answered %d instead of %d: %s", answer.StatusCode, want, text)
	}
	if len(text) == 0 {
		return nil, nil //nolint:nilnil // an answer without members
	}
	var m members
	return m, json.Unmarshal(text, &m)
}
