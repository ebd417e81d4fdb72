package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"nepenthes/shared/rest/resttest"
)

// TestAPISuite runs the cases of the API against the program. They also run against the deployed stack.
func TestAPISuite(t *testing.T) {
	p := start(t, "-demo=false", "-data", "", "-allow-loopback=false")
	id, secret, _ := strings.Cut(testAdmin, ":")
	resttest.Run(t, resttest.Target{URL: p.api, ClientID: id, ClientSecret: secret}, resttest.All())
}

// TestUncleanPathsReachTheAPI checks that unclean paths are not redirected before they reach the API.
func TestUncleanPathsReachTheAPI(t *testing.T) {
	p := start(t, "-demo=false", "-data", "")
	for _, path := range []string{"/api//v3", "/api/v3/../v3", "//"} {
		p.do(p.request(http.MethodGet, path, ""), http.StatusNotFound)
	}
}

// TestCharactersThatQueuesRefuse checks that the API refuses characters that a queue would refuse or change.
func TestCharactersThatQueuesRefuse(t *testing.T) {
	p := start(t, "-demo=false", "-data", "")
	const event = `{"id":"e%d","type":"user:created","occurredAt":"2026-01-02T11:00:00Z","data":"%s"}`
	for i, text := range []string{"\ufffe", "\uffff"} {
		p.call(http.MethodPost, "/api/v3/events", fmt.Sprintf(event, i, text), http.StatusUnprocessableEntity)
	}
	p.call(http.MethodPost, "/api/v3/events", fmt.Sprintf(event, 9, `\uffff`), http.StatusAccepted)
}
