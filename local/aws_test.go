package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nepenthes/shared/awstest"
	"nepenthes/shared/limits"
)

// recovery is the maximum time between a kill and the arrival of a delivery that was in progress. Its message is hidden,
// its lease has not ended, or its doorbell is lost and the sweeper finds it.
const recovery = limits.Lease + limits.SweepMargin + 2*limits.SweepPeriod

// atEndpoint makes the programs that the test starts keep their data at an endpoint.
func atEndpoint(t *testing.T, url string) {
	t.Helper()
	for name, value := range map[string]string{
		endpointVariable: url, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_PROFILE": "", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
}

// TestKilledAtAnEndpoint kills a program that keeps its data at an AWS endpoint, while deliveries wait for their second
// attempt. The next program with the same folder must find all data and deliver.
func TestKilledAtAnEndpoint(t *testing.T) {
	const pushed = 20
	atEndpoint(t, awstest.MiniStack(t))
	a, up := newArrivals(), atomic.Bool{}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !up.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		a.ServeHTTP(w, r)
	}))
	defer receiver.Close()
	folder := filepath.Join(t.TempDir(), "new")

	p := start(t, "-demo=false", "-data", folder)
	hook := p.webhook("receiver", receiver.URL)
	accepted := map[string]bool{}
	for i := range pushed {
		id := fmt.Sprintf("e%d", i)
		p.call(http.MethodPost, "/api/v3/events", fmt.Sprintf(`{"id":%q,"type":"user:created","occurredAt":"2026-01-02T11:00:00Z","data":{"subject":%[1]q}}`, id), http.StatusAccepted)
		accepted[id] = true
	}
	p.untilRetrying(hook, pushed)
	p.kill()
	up.Store(true)

	p = start(t, "-demo=false", "-data", folder)
	if name := p.call(http.MethodGet, "/api/v3/webhooks/"+hook, "", http.StatusOK)["name"]; name != "receiver" {
		t.Errorf("got the webhook name %v after the restart, want receiver", name)
	}
	limit := time.After(recovery)
	for id := a.missing(accepted); id != ""; id = a.missing(accepted) {
		select {
		case <-a.news:
		case <-limit:
			t.Fatalf("%s was accepted and never arrived", id)
		}
	}
	if found, err := filepath.Glob(filepath.Join(folder, "*.db*")); err != nil || len(found) > 0 {
		t.Errorf("there is a database in the folder: %v %v", found, err)
	}
	checkModes(t, folder)
}

// untilRetrying waits until the wanted number of deliveries of a webhook wait for their next attempt.
func (p *program) untilRetrying(webhook string, wanted int) {
	p.t.Helper()
	for end := time.Now().Add(startLimit); ; {
		list := p.do(p.request(http.MethodGet, "/api/v3/webhooks/"+webhook+"/deliveries?pageSize=100", ""), http.StatusOK)
		got := strings.Count(string(list), `"state":"retrying"`)
		if got >= wanted {
			return
		}
		if time.Now().After(end) {
			p.t.Fatalf("%d deliveries wait, want %d: %s", got, wanted, list)
		}
	}
}

func TestAMissingEndpoint(t *testing.T) {
	atEndpoint(t, "http://127.0.0.1:1") // the tcpmux port, on which nothing listens
	checkRefused(t, "-addr", "127.0.0.1:0", "-receiver-addr", "127.0.0.1:0", "-data", t.TempDir())
}
