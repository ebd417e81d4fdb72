package api_test

import (
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"nepenthes/shared/access"
	"nepenthes/shared/address"
	"nepenthes/shared/api"
	"nepenthes/shared/auth"
	"nepenthes/shared/auth/clients"
	"nepenthes/shared/fault"
)

// untouched stands for every dependency; whoever touches one panics.
type untouched struct {
	api.Catalogue
	api.Store
	api.Sender
	api.Operator
	api.Sealer
	address.Resolver
}

func config() api.Config {
	var u untouched
	return api.Config{
		Catalogue: u, Store: u, Events: u, Retries: u, Operator: u, Sealer: u, Resolver: u, Clients: &clients.Registry{},
		Logger: slog.New(slog.DiscardHandler),
	}
}

// scopes says what each operation asks for (contract of the API, "Who may call").
var scopes = map[string]access.Scope{
	"Root": "", "ReadSettings": "settings:read", "ChangeSettings": "settings:write",
	"ListWebhooks": "webhooks:read", "CreateWebhook": "webhooks:write", "ReadWebhook": "webhooks:read", "ChangeWebhook": "webhooks:write",
	"DeleteWebhook": "webhooks:write", "Ping": "webhooks:write", "AddSecret": "webhooks:write", "RemoveSecret": "webhooks:write",
	"ListDeliveries": "deliveries:read", "ListDeadDeliveries": "deliveries:read", "ReadDelivery": "deliveries:read", "ReadAttempt": "deliveries:read", "Retry": "deliveries:write",
	"PushEvent": "events:write", "ReadEvent": "events:read", "ListEventDeliveries": "deliveries:read", "Explain": "webhooks:read", "ListEventTypes": "webhooks:read",
	"ListProjects": "projects:read", "PutProject": "projects:write",
	"ListClients": "clients:read", "CreateClient": "clients:write", "ReadClient": "clients:read", "ChangeClient": "clients:write", "DeleteClient": "clients:write",
	"AddClientSecret": "clients:write", "RemoveClientSecret": "clients:write", "RevokeClient": "clients:write",
}

// TestEveryOperationAsksForItsScope calls the operations as the console does, past HTTP.
func TestEveryOperationAsksForItsScope(t *testing.T) {
	operations := reflect.ValueOf(api.New(config())).Elem()
	if got, want := operations.NumField(), len(scopes); got != want {
		t.Errorf("got %d operations, want %d", got, want)
	}
	for i := range operations.NumField() {
		name, op := operations.Type().Field(i).Name, operations.Field(i)
		t.Run(name, func(t *testing.T) {
			want, listed := scopes[name]
			if got := access.Scope(op.FieldByName("Scope").String()); got != want || !listed {
				t.Fatalf("got scope %q, want %q", got, want)
			}
			if want == "" {
				return
			}
			do := op.MethodByName("Do")
			call := api.Call{Caller: auth.Caller{ClientID: "c", Scopes: others(want)}}
			results := do.Call([]reflect.Value{reflect.ValueOf(t.Context()), reflect.ValueOf(call), reflect.New(do.Type().In(2).Elem())})
			err, _ := results[1].Interface().(error)
			if !fault.Is(err, fault.MissingPermission) {
				t.Errorf("got %v for a caller with every other scope, want MissingPermission", err)
			}
		})
	}
}

// TestEveryWriteHasAnAction holds that no operation changes anything without a line in the log. Pushing an event and
// explaining one change no configuration and nobody's access.
func TestEveryWriteHasAnAction(t *testing.T) {
	operations, seen := reflect.ValueOf(api.New(config())).Elem(), map[string]string{}
	for i := range operations.NumField() {
		name, op := operations.Type().Field(i).Name, operations.Field(i)
		action, writes := op.FieldByName("Action").String(), strings.HasSuffix(op.FieldByName("Scope").String(), ":write")
		if want := writes && name != "PushEvent"; (action != "") != want {
			t.Errorf("%s: got action %q, want one: %v", name, action, want)
		}
		if other := seen[action]; action != "" && other != "" {
			t.Errorf("%s and %s have the action %s", name, other, action)
		}
		seen[action] = name
	}
}

// others are all scopes that do not include the one.
func others(scope access.Scope) (list []access.Scope) {
	for _, s := range access.Scopes() {
		if !access.Allows([]access.Scope{s}, scope) {
			list = append(list, s)
		}
	}
	return list
}

func TestNewRefusesMissingParts(t *testing.T) {
	for name, spoil := range map[string]func(*api.Config){
		"no store":     func(c *api.Config) { c.Store = nil },
		"no catalogue": func(c *api.Config) { c.Catalogue = nil },
		"no clients":   func(c *api.Config) { c.Clients = nil },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("got operations, want a panic")
				}
			}()
			c := config()
			spoil(&c)
			api.New(c)
		})
	}
}
