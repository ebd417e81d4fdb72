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

// untouched implements every dependency. A call of any of its methods panics.
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

// scopes lists the scope that each operation needs, by resource and name.
var scopes = map[string]access.Scope{
	"Root.Read": "", "Settings.Read": "settings:read", "Settings.Change": "settings:write",
	"Webhooks.List": "webhooks:read", "Webhooks.Create": "webhooks:write", "Webhooks.Read": "webhooks:read", "Webhooks.Change": "webhooks:write",
	"Webhooks.Delete": "webhooks:write", "Webhooks.Ping": "webhooks:write", "Webhooks.Pause": "webhooks:write", "Webhooks.Resume": "webhooks:write", "Webhooks.AddSecret": "webhooks:write", "Webhooks.RemoveSecret": "webhooks:write",
	"Deliveries.List": "deliveries:read", "Deliveries.ListDead": "deliveries:read", "Deliveries.Read": "deliveries:read",
	"Deliveries.ReadAttempt": "deliveries:read", "Deliveries.Retry": "deliveries:write", "Deliveries.Stats": "deliveries:read",
	"Events.Push": "events:write", "Events.Read": "events:read", "Events.ListDeliveries": "deliveries:read", "Events.Explain": "webhooks:read", "Events.ListTypes": "webhooks:read",
	"Projects.List": "projects:read", "Projects.Put": "projects:write",
	"Clients.List": "clients:read", "Clients.Create": "clients:write", "Clients.Read": "clients:read", "Clients.Change": "clients:write", "Clients.Delete": "clients:write",
	"Clients.AddSecret": "clients:write", "Clients.RemoveSecret": "clients:write", "Clients.Revoke": "clients:write",
}

// all returns every operation by resource and name.
func all() map[string]reflect.Value {
	found, resources := map[string]reflect.Value{}, reflect.ValueOf(api.New(config()))
	for i := range resources.NumField() {
		resource := resources.Field(i).Elem()
		for j := range resource.NumField() {
			found[resources.Type().Field(i).Name+"."+resource.Type().Field(j).Name] = resource.Field(j)
		}
	}
	return found
}

// TestEveryOperationNeedsItsScope calls the operations without HTTP, as the console does.
func TestEveryOperationNeedsItsScope(t *testing.T) {
	operations := all()
	if got, want := len(operations), len(scopes); got != want {
		t.Errorf("got %d operations, want %d", got, want)
	}
	for name, op := range operations {
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

// TestEveryWriteHasAnAction checks that no operation changes anything without a log line. Pushing an event changes
// neither configuration nor anybody's access.
func TestEveryWriteHasAnAction(t *testing.T) {
	seen := map[string]string{}
	for name, op := range all() {
		action, writes := op.FieldByName("Action").String(), strings.HasSuffix(op.FieldByName("Scope").String(), ":write")
		if want := writes && name != "Events.Push"; (action != "") != want {
			t.Errorf("%s has action %q, want an action: %v", name, action, want)
		}
		if other := seen[action]; action != "" && other != "" {
			t.Errorf("%s and %s have the same action %s", name, other, action)
		}
		seen[action] = name
	}
}

// others returns all scopes that do not include the given one.
func others(scope access.Scope) (list []access.Scope) {
	for _, s := range access.Scopes() {
		if !access.Allows([]access.Scope{s}, scope) {
			list = append(list, s)
		}
	}
	return list
}

func TestNewNamesTheMissingDependency(t *testing.T) {
	for name, remove := range map[string]func(*api.Config){
		"Store":     func(c *api.Config) { c.Store = nil },
		"Catalogue": func(c *api.Config) { c.Catalogue = nil },
		"Clients":   func(c *api.Config) { c.Clients = nil },
	} {
		t.Run(name, func(t *testing.T) {
			defer refused(t, "api.Config: "+name+" is missing")
			c := config()
			remove(&c)
			api.New(c)
		})
	}
}

func TestEveryConstructorNamesTheMissingDependency(t *testing.T) {
	common := api.Common{Settings: untouched{}, Logger: slog.New(slog.DiscardHandler)}
	for want, construct := range map[string]func(){
		"api.SettingsConfig: Store is missing":       func() { api.NewSettings(api.SettingsConfig{Common: common}) },
		"api.WebhooksConfig: Catalogue is missing":   func() { api.NewWebhooks(api.WebhooksConfig{Common: common}) },
		"api.DeliveriesConfig: Catalogue is missing": func() { api.NewDeliveries(api.DeliveriesConfig{Common: common}) },
		"api.EventsConfig: Catalogue is missing":     func() { api.NewEvents(api.EventsConfig{Common: common}) },
		"api.ProjectsConfig: Store is missing":       func() { api.NewProjects(api.ProjectsConfig{Common: common}) },
		"api.ClientsConfig: Clients is missing":      func() { api.NewClients(api.ClientsConfig{Common: common}) },
		"api.ClientsConfig: Settings is missing":     func() { api.NewClients(api.ClientsConfig{Clients: &clients.Registry{}}) },
	} {
		t.Run(want, func(t *testing.T) {
			defer refused(t, want)
			construct()
		})
	}
}

// refused recovers from a panic and compares its text.
func refused(t *testing.T, want string) {
	t.Helper()
	if got := recover(); got != want {
		t.Errorf("got panic %v, want %q", got, want)
	}
}
