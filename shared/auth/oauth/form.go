package oauth

import (
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// formBytes bounds the body of a request; a token and its client take less than 1 KiB.
const formBytes = 16 << 10

// credentials are the id and secret that a client sends. They are empty when it sends none.
type credentials struct{ id, secret string }

// readForm returns the parameters of a request and the credentials of its client. Parameters in the URL are ignored
// (RFC 6749 §2.3.1), since URLs end up in logs. The refusal says what is wrong and never repeats what was sent.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, credentials, *refusal) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		return nil, credentials{}, invalidRequest("The body must be application/x-www-form-urlencoded.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, formBytes))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		refused := invalidRequest("The body is too large.")
		refused.status = http.StatusRequestEntityTooLarge
		return nil, credentials{}, refused
	}
	if err != nil {
		return nil, credentials{}, invalidRequest("The body could not be read.")
	}
	form, refused := parseForm(string(body))
	if refused != nil {
		return nil, credentials{}, refused
	}
	client, refused := clientOf(r.Header.Values("Authorization"), form)
	return form, client, refused
}

// parseForm parses the body. A parameter must not be repeated (RFC 6749 §3.2). A parameter without a value counts as
// absent, since Get returns an empty string for both.
func parseForm(body string) (url.Values, *refusal) {
	form, err := url.ParseQuery(body)
	if err != nil {
		return nil, invalidRequest("The body is not a form.")
	}
	for _, values := range form {
		if len(values) > 1 {
			return nil, invalidRequest("A parameter must not be repeated.")
		}
	}
	return form, nil
}

// clientOf returns the credentials from the Authorization header or from the form, never from both. When there is a
// header, the form may still repeat the client's id, as some libraries do.
func clientOf(headers []string, form url.Values) (credentials, *refusal) {
	posted := credentials{form.Get("client_id"), form.Get("client_secret")}
	if len(headers) == 0 {
		if posted.secret == "" || posted.id == "" {
			return credentials{}, invalidClient("The client did not authenticate itself.")
		}
		return posted, nil
	}
	if posted.secret != "" || len(headers) > 1 {
		return credentials{}, invalidRequest("The client must authenticate itself in one way only.")
	}
	client, ok := parseBasic(headers[0])
	if !ok {
		return credentials{}, invalidClient("The Authorization header is not Basic with a form-encoded id and secret.")
	}
	if posted.id != "" && posted.id != client.id {
		return credentials{}, invalidRequest("The header and the form name different clients.")
	}
	return client, nil
}

// parseBasic parses Basic credentials whose id and secret are form-encoded (RFC 6749 §2.3.1).
func parseBasic(header string) (c credentials, ok bool) {
	scheme, encoded, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return credentials{}, false
	}
	decoded, err := base64.StdEncoding.DecodeString(strings.Trim(encoded, " "))
	if err != nil {
		return credentials{}, false
	}
	id, secret, ok := strings.Cut(string(decoded), ":")
	if !ok {
		return credentials{}, false
	}
	id, errID := url.QueryUnescape(id)
	secret, errSecret := url.QueryUnescape(secret)
	return credentials{id, secret}, errID == nil && errSecret == nil
}
