package main

import (
	"fmt"
	"io"
	"net/url"
	"strings"
)

// announce prints where everything is, a line each, in the order on which scripts rely.
func (s *system) announce(out io.Writer) {
	api := s.address()
	fmt.Fprintln(out, "console", api+"/admin")
	fmt.Fprintln(out, "api", api)
	fmt.Fprintln(out, "docs", api+"/api/docs")
	fmt.Fprintln(out, "admin", s.admin.String())
	fmt.Fprintf(out, "receiver %s/hooks (secret %s)\n", s.receiver.url(), s.receiverSecret)
	token := fmt.Sprintf(`curl -s -u %s -d grant_type=client_credentials %s`, quote(s.admin.basic()), quote(api+"/oauth/token"))
	bearer := fmt.Sprintf(`-H "Authorization: Bearer $(%s | sed -E 's/.*"access_token": *"([^"]+)".*/\1/')"`, token)
	fmt.Fprintln(out, token)
	fmt.Fprintf(out, "curl -s %s %s\n", bearer, quote(api+"/api/v3/webhooks"))
	fmt.Fprintf(out, `curl -s %s -H 'Content-Type: application/json' -d "{\"id\":\"curl_$(date +%%s)\",\"type\":\"work_package:updated\",\"occurredAt\":\"$(date -u +%%FT%%TZ)\",\"project\":{\"id\":\"7\"},\"data\":{\"_type\":\"WorkPackage\",\"id\":42,\"subject\":\"Fix pump\"}}" %s`+"\n", bearer, quote(api+"/api/v3/events"))
}

// basic is id:secret as HTTP Basic authentication wants it of OAuth clients: form-encoded (RFC 6749 §2.3.1).
func (c credentials) basic() string { return url.QueryEscape(c.id) + ":" + url.QueryEscape(c.secret) }

// quote makes one word of a POSIX shell out of any text.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
