package rest_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"nepenthes/shared/rest/hal"
)

// TestNoCallRevealsASecret makes random calls for one webhook. It searches every answer and the log for all secrets that
// were given or generated. Only the answer to the request that generated a secret may contain it.
func TestNoCallRevealsASecret(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	rapid.Check(t, func(rt *rapid.T) {
		p := &player{service: s, t: t, token: token, webhook: s.webhook(t, token, fmt.Sprint("w", rapid.Uint64().Draw(rt, "name")))}
		for range rapid.IntRange(1, 12).Draw(rt, "calls") {
			p.play(rt)
		}
		s.do(t, token, "DELETE", "/api/v3/webhooks/"+p.webhook, "").want(t, 204, nil)
	})
}

// player makes calls and remembers the secrets.
type player struct {
	*service
	t       testing.TB
	token   string
	webhook string
	secrets []string
}

// fresh draws a new secret.
func (p *player) fresh(rt *rapid.T) string {
	secret := fmt.Sprintf("hush-%016x", rapid.Uint64().Draw(rt, "secret"))
	p.secrets = append(p.secrets, secret)
	return secret
}

func (p *player) play(rt *rapid.T) {
	path := "/api/v3/webhooks/" + p.webhook
	call := func(method, path, body string) {
		got := p.do(p.t, p.token, method, path, body)
		var shown struct{ Secret string }
		if got.StatusCode < 300 && strings.Contains(got.text, `"secret":`) {
			got.want(p.t, got.StatusCode, &shown)
		}
		for _, secret := range p.secrets {
			if strings.Contains(got.text, secret) || strings.Contains(p.Log.String(), secret) {
				rt.Fatalf("%s %s %s: the answer or the log contains %s: %s", method, path, body, secret, got.text)
			}
		}
		if shown.Secret != "" {
			p.secrets = append(p.secrets, shown.Secret)
		}
	}
	switch rapid.IntRange(0, 9).Draw(rt, "call") {
	case 0:
		call("GET", path, "")
	case 1:
		call("GET", "/api/v3/webhooks", "")
	case 2:
		call("PATCH", path, `{"secret":"generate"}`)
	case 3:
		call("PATCH", path, `{"secret":"`+p.fresh(rt)+`"}`)
	case 4:
		call("PATCH", path, `{"secret":"whsec_`+p.fresh(rt)+`"}`) // malformed: refused without repeating it
	case 5:
		call("PATCH", path, `{"headers":{"Authorization":"`+p.fresh(rt)+`","X-A":"***"}}`)
	case 6:
		call("PATCH", path, `{"headers":{"Authorization":"`+p.fresh(rt)+`"}}`)
	case 7:
		call("POST", path+"/secrets", `{"secret":"`+p.fresh(rt)+`","overlapHours":0}`)
	case 8:
		call("POST", path+"/secrets", `{"secret":"generate-ed25519","overlapHours":0}`)
	case 9:
		call("PATCH", path, `{"payloadUrl":"https://user:`+p.fresh(rt)+`@receiver.example.com/","colour":1}`)
	}
}

func TestAClientSecretIsShownOnce(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	var created hal.OAuthClient
	s.do(t, token, "POST", "/api/v3/oauth_clients", `{"name":"sync","scopes":["webhooks:read"]}`).want(t, 201, &created)
	if created.ClientSecret == "" {
		t.Fatal("got no secret")
	}
	for _, path := range []string{"/api/v3/oauth_clients", "/api/v3/oauth_clients/" + created.ID} {
		if got := s.do(t, token, "GET", path, ""); strings.Contains(got.text, created.ClientSecret) {
			t.Errorf("%s: got the secret again", path)
		}
	}
	if strings.Contains(s.Log.String(), created.ClientSecret) {
		t.Error("the log contains the secret")
	}
}
