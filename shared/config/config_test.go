package config_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nepenthes/shared/config"
	"nepenthes/shared/tables"
)

// filled returns a struct in which every field has a different value, except for bools, which are true.
func filled[T any]() T {
	var c T
	n := 0
	var fill func(reflect.Value)
	fill = func(v reflect.Value) {
		for i := range v.NumField() {
			n++
			switch f := v.Field(i); f.Kind() {
			case reflect.Struct:
				fill(f)
			case reflect.String:
				f.SetString("text " + string(rune('a'+n)))
			case reflect.Int:
				f.SetInt(int64(n))
			case reflect.Float64:
				f.SetFloat(float64(n) + 0.25)
			case reflect.Bool:
				f.SetBool(true)
			}
		}
	}
	fill(reflect.ValueOf(&c).Elem())
	return c
}

func roundTrip[T any](t *testing.T) {
	t.Helper()
	want := filled[T]()
	env := config.Env(want)
	got, err := config.Load[T](func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for name := range env {
		if strings.ToUpper(name) != name || strings.HasPrefix(name, "AWS_") {
			t.Errorf("%s is not a valid name: names are in upper case, and Lambda reserves AWS_", name)
		}
	}
}

func TestLoadReturnsWhatEnvWrote(t *testing.T) {
	t.Run("settings", roundTrip[config.Settings])
	t.Run("webhooks", roundTrip[config.Webhooks])
	t.Run("oauth", roundTrip[config.OAuth])
	t.Run("console", roundTrip[config.Console])
	t.Run("fanout", roundTrip[config.Fanout])
	t.Run("sender", roundTrip[config.Sender])
	t.Run("sweeper", roundTrip[config.Sweeper])
}

func TestLoadNamesEveryInvalidVariable(t *testing.T) {
	env := config.Env(filled[config.Webhooks]())
	delete(env, "STAGE")
	env["KEY_ARN"] = ""
	env["RETENTION_DAYS"] = "thirty"
	env["ALLOW_HTTP"] = "hunter2"
	env["REQUESTS_PER_SECOND"] = "1e999"
	_, err := config.Load[config.Webhooks](func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	if err == nil {
		t.Fatal("got no error")
	}
	for _, want := range []string{"STAGE is missing", "KEY_ARN is missing", "RETENTION_DAYS is not a valid int", "ALLOW_HTTP is not a valid bool", "REQUESTS_PER_SECOND is not a valid float64"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error %q does not contain %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error %q contains a value", err)
	}
}

func TestMustLoadPanicsWithTheNames(t *testing.T) {
	defer func() {
		if err, ok := recover().(error); !ok || !strings.Contains(err.Error(), "RETRIES_QUEUE_URL is missing") {
			t.Errorf("got panic %v, want one that names RETRIES_QUEUE_URL", err)
		}
	}()
	t.Setenv("RETRIES_QUEUE_URL", "")
	config.MustLoad[config.Sweeper]()
}

func TestEnvPanicsOnAnEmptyValue(t *testing.T) {
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, "KEY_ARN") {
			t.Errorf("got %q, want a panic that names KEY_ARN", text)
		}
	}()
	c := filled[config.Sender]()
	c.KeyARN = ""
	config.Env(c)
}

func TestPublicURL(t *testing.T) {
	for issuer, want := range map[string]string{
		"urn:nepenthes:Nepenthes-dev": "",
		"https://hooks.example.com":   "https://hooks.example.com",
	} {
		if got := (config.API{Issuer: issuer}).PublicURL(); got != want {
			t.Errorf("%s: got %q, want %q", issuer, got, want)
		}
	}
}

func TestRetention(t *testing.T) {
	if got, want := (config.Fanout{RetentionDays: 15}).Retention(), 360*time.Hour; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := (config.Webhooks{RetentionDays: 365}).Retention(), 8760*time.Hour; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTables(t *testing.T) {
	want := tables.Prefixed("x-")
	c := config.Common{ConfigTable: "x-config", EventsTable: "x-events", DeliveriesTable: "x-deliveries", StateTable: "x-state"}
	if got := c.Tables(); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}
