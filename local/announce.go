package main

import (
	"fmt"
	"io"
	"net/url"
	"strings"
)

// announce prints the addresses and credentials, one on a line, and then the commands. Scripts rely on this order.
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

// basic returns id:secret for HTTP Basic authentication of OAuth clients, which form-encodes both (RFC 6749 §2.3.1).
func (c credentials) basic() string { return url.QueryEscape(c.id) + ":" + url.QueryEscape(c.secret) }

// quote quotes any text as one word of a POSIX shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
