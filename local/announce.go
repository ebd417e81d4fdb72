package main

import (
	"fmt"
	"io"
)

// announce prints where everything is, a line each, in the order on which scripts rely.
func (s *system) announce(out io.Writer) {
	api, admin := s.api.url(), s.admin.String()
	fmt.Fprintln(out, "console", api+"/admin")
	fmt.Fprintln(out, "api", api)
	fmt.Fprintln(out, "docs", api+"/api/docs")
	fmt.Fprintln(out, "admin", admin)
	fmt.Fprintf(out, "receiver %s/hooks (secret %s)\n", s.receiver.url(), s.receiverSecret)
	token := fmt.Sprintf(`curl -s -u '%s' -d grant_type=client_credentials %s/oauth/token`, admin, api)
	bearer := fmt.Sprintf(`-H "Authorization: Bearer $(%s | sed -E 's/.*"access_token": *"([^"]+)".*/\1/')"`, token)
	fmt.Fprintln(out, token)
	fmt.Fprintf(out, "curl -s %s %s/api/v3/webhooks\n", bearer, api)
	fmt.Fprintf(out, `curl -s %s -H 'Content-Type: application/json' -d "{\"id\":\"curl_$(date +%%s)\",\"type\":\"work_package:updated\",\"occurredAt\":\"$(date -u +%%FT%%TZ)\",\"project\":{\"id\":\"7\"},\"data\":{\"_type\":\"WorkPackage\",\"id\":42,\"subject\":\"Fix pump\"}}" %s/api/v3/events`+"\n", bearer, api)
}
