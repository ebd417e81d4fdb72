package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nepenthes/shared/routes"
)

// built changes to a folder in which all functions have been built.
func built(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, root := range []string{releaseBinaries, emulatorBinaries} {
		for _, f := range routes.Functions() {
			if err := os.MkdirAll(filepath.Join(root, string(f), "bootstrap"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestReadReturnsDefaults(t *testing.T) {
	built(t)
	got, err := read(map[string]any{"aws:cdk:bundling-stacks": []any{}, "@aws-cdk/core:x": true, "acknowledged-issue-numbers": []any{1}}, "")
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.binaries = "build"
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(options{})); diff != "" {
		t.Error(diff)
	}
}

func TestReadReturnsChosenValues(t *testing.T) {
	built(t)
	got, err := read(map[string]any{
		"stage": "prod", "publicUrl": "https://hooks.example.com", "allowHttp": "true", "retentionDays": "90", "requestsPerSecond": 7.0,
		"producers": []any{"111111111111", "222222222222"}, "alarmAddress": "ops@example.com", "reservedConcurrency": "20",
		"domainName": "hooks.example.com", "certificateArn": chosen().certificateARN, "staticEgress": true, "assets": "local",
	}, "000000000000")
	if err != nil {
		t.Fatal(err)
	}
	want := chosen()
	want.binaries = "build/local"
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(options{})); diff != "" {
		t.Error(diff)
	}
}

func TestADomainIsThePublicURL(t *testing.T) {
	built(t)
	got, err := read(map[string]any{"domainName": "hooks.example.com", "certificateArn": chosen().certificateARN}, "")
	if err != nil || got.publicURL != "https://hooks.example.com" {
		t.Errorf("got %q, %v", got.publicURL, err)
	}
}

func TestReadRefusesInvalidValues(t *testing.T) {
	built(t)
	for name, c := range map[string]struct {
		values map[string]any
		want   string
	}{
		"a stage with a capital":   {map[string]any{"stage": "Dev"}, "The context value stage cannot be \"Dev\""},
		"no stage":                 {map[string]any{"stage": ""}, "stage cannot be"},
		"a long stage":             {map[string]any{"stage": strings.Repeat("x", 21)}, "stage cannot be"},
		"plain http":               {map[string]any{"publicUrl": "http://hooks.example.com"}, "publicUrl cannot be"},
		"a path":                   {map[string]any{"publicUrl": "https://hooks.example.com/"}, "publicUrl cannot be"},
		"user info":                {map[string]any{"publicUrl": "https://me@hooks.example.com"}, "publicUrl cannot be"},
		"capitals":                 {map[string]any{"publicUrl": "https://Hooks.example.com"}, "publicUrl cannot be"},
		"no host":                  {map[string]any{"publicUrl": "https://"}, "publicUrl cannot be"},
		"yes":                      {map[string]any{"allowHttp": "yes"}, "allowHttp cannot be \"yes\": it must be true or false."},
		"two weeks":                {map[string]any{"retentionDays": "14"}, "retentionDays cannot be \"14\": it must be a number of days from 15 to 365."},
		"more than a year":         {map[string]any{"retentionDays": 366.0}, "retentionDays cannot be"},
		"half a day":               {map[string]any{"retentionDays": 30.5}, "retentionDays cannot be"},
		"no rate":                  {map[string]any{"requestsPerSecond": "0"}, "requestsPerSecond cannot be"},
		"a name for an account":    {map[string]any{"producers": "111111111111,shop"}, "producers cannot be"},
		"an empty account":         {map[string]any{"producers": "111111111111,"}, "producers cannot be"},
		"a person with an address": {map[string]any{"alarmAddress": "Ops <ops@example.com>"}, "alarmAddress cannot be"},
		"too much for one account": {map[string]any{"reservedConcurrency": "1001"}, "reservedConcurrency cannot be"},
		"a domain alone":           {map[string]any{"domainName": "hooks.example.com"}, "domainName and certificateArn must be given together"},
		"a certificate alone":      {map[string]any{"certificateArn": chosen().certificateARN}, "domainName and certificateArn must be given together"},
		"a domain without a dot":   {map[string]any{"domainName": "hooks", "certificateArn": chosen().certificateARN}, "domainName cannot be"},
		"no certificate":           {map[string]any{"domainName": "hooks.example.com", "certificateArn": "arn:aws:iam::1:x"}, "certificateArn cannot be"},
		"unknown assets":           {map[string]any{"assets": "debug"}, "assets cannot be \"debug\": it must be release or local."},
		"emulator assets":          {map[string]any{"assets": "local"}, "assets=local is only for emulators"},
		"a misspelt name":          {map[string]any{"publicURL": "https://hooks.example.com"}, "There is no context value publicURL. The context values are "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(c.values, "123456789012")
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, c.want)
			}
		})
	}
	t.Run("all at once", func(t *testing.T) {
		_, err := read(map[string]any{"stage": "", "retentionDays": "1", "nonsense": "x"}, "")
		if got := strings.Count(err.Error(), "\n"); got != 2 {
			t.Errorf("got %q, want three lines", err)
		}
	})
	t.Run("emulator assets without an account", func(t *testing.T) {
		if _, err := read(map[string]any{"assets": "local"}, ""); err == nil {
			t.Error("got no error")
		}
	})
	t.Run("nothing built", func(t *testing.T) {
		t.Chdir(t.TempDir())
		if _, err := read(nil, ""); err == nil || !strings.Contains(err.Error(), "Run make build first") {
			t.Errorf("got %v", err)
		}
	})
}
