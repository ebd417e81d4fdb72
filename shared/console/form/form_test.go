package form_test

import (
	"net/url"
	"strings"
	"testing"

	"nepenthes/shared/api"
	"nepenthes/shared/console/form"
)

func TestSettingsAreReadAsTyped(t *testing.T) {
	change := form.ReadSettings(url.Values{
		"enabled": {"on"}, "max_page_size": {" 20 "}, "allowed_origins": {"https://a.example\r\n\r\nhttps://b.example\r\n"}, "version": {"3"},
	}).Change()
	if on, _ := change.APIEnabled.Value(); !on {
		t.Error("got off for a ticked box, want on")
	}
	if docs, given := change.DocsEnabled.Value(); docs || !given {
		t.Error("got no value or on for a box that is not ticked, want off")
	}
	if size, _ := change.MaxPageSize.Value(); size != 20 {
		t.Errorf("got page size %d, want 20", size)
	}
	if origins, _ := change.AllowedOrigins.Value(); len(origins) != 3 || origins[2] != "https://b.example" {
		t.Errorf("got origins %q, want 3: blank lines count, so that a fault names the right line", origins)
	}
	if version := change.Insistence.LockVersion; version == nil || *version != 3 {
		t.Errorf("got version %v, want 3", version)
	}
}

func TestInvalidNumbersAreProblems(t *testing.T) {
	for _, text := range []string{"", "x", "1.5", "0x10", "99999999999999999999"} {
		if problems := form.ReadSettings(url.Values{"max_page_size": {text}}).Change().Found.Read.List(); len(problems) != 1 || problems[0].Attribute != "api.maxPageSize" {
			t.Errorf("%q: %v", text, problems)
		}
	}
}

func TestInvalidVersionsMatchNone(t *testing.T) {
	for _, text := range []string{"", "x", "1e3"} {
		if version := form.ReadSettings(url.Values{"version": {text}}).Change().Insistence.LockVersion; version == nil || *version != -1 {
			t.Errorf("%q: %v", text, version)
		}
	}
}

func TestSecretChoices(t *testing.T) {
	for choice, c := range map[string]struct {
		typed, want  string
		reset, given bool
		problem      bool
	}{
		"keep":     {"", "", false, false, true}, // there is no secret yet
		"none":     {"ignored", "", true, false, false},
		"generate": {"ignored", "generate", false, true, false},
		"given":    {"whsec_x", "whsec_x", false, true, false},
		"nonsense": {"x", "", false, false, true},
		"":         {"x", "", false, false, true},
	} {
		t.Run(choice, func(t *testing.T) {
			in := form.ReadWebhook(url.Values{"timeout": {"1"}, "secret_choice": {choice}, "secret": {c.typed}}).Creation()
			got, given := in.Secret.Value()
			if got != c.want || given != c.given || in.Secret.IsReset() != c.reset || (in.Found.Read.Len() > 0) != c.problem {
				t.Errorf("got %q %v reset %v problems %v", got, given, in.Secret.IsReset(), in.Found.Read.List())
			}
		})
	}
	if p := form.ReadWebhook(url.Values{"timeout": {"1"}, "secret_choice": {"keep"}}).Change("wh_1").Found.Read.List(); len(p) != 0 {
		t.Errorf("keeping the secret: got %v, want no problem", p)
	}
	if p := form.ReadWebhook(url.Values{"timeout": {"1"}, "secret_choice": {"given"}}).Creation().Found.Read.List(); len(p) != 1 || p[0].Attribute != "secret" {
		t.Errorf("an empty secret: got %v, want a problem", p)
	}
}

func TestHeaders(t *testing.T) {
	for name, c := range map[string]struct {
		row     [3]string // name, value, kept
		want    api.HeaderPatch
		problem bool
	}{
		"kept":                         {[3]string{"X-Token", "", "X-Token"}, api.HeaderPatch{Keep: true}, false},
		"kept in another spelling":     {[3]string{"x-token", "", "X-Token"}, api.HeaderPatch{Keep: true}, false},
		"kept as it is shown":          {[3]string{"X-Token", "***", ""}, api.HeaderPatch{Value: "***", Keep: true}, false},
		"replaced":                     {[3]string{"X-Token", "new", "X-Token"}, api.HeaderPatch{Value: "new"}, false},
		"new":                          {[3]string{"X-New", "v", ""}, api.HeaderPatch{Value: "v"}, false},
		"without a value":              {[3]string{"X-New", "", ""}, api.HeaderPatch{}, true},
		"renamed without a value":      {[3]string{"X-Else", "", "X-Token"}, api.HeaderPatch{}, true},
		"a value without a name":       {[3]string{"", "v", ""}, api.HeaderPatch{}, true},
		"removed by clearing its name": {[3]string{"", "", "X-Token"}, api.HeaderPatch{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			in := form.ReadWebhook(url.Values{"timeout": {"1"}, "secret_choice": {"keep"}, "header_name": {c.row[0]}, "header_value": {c.row[1]}, "header_kept": {c.row[2]}}).Change("wh_1")
			headers, given := in.Headers.Value()
			if !given {
				t.Fatal("got no headers, want all of them replaced")
			}
			if got := headers[c.row[0]]; got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if (in.Found.Read.Len() > 0) != c.problem {
				t.Errorf("got problems %v, want some: %v", in.Found.Read.List(), c.problem)
			}
		})
	}
	twice := form.ReadWebhook(url.Values{"timeout": {"1"}, "secret_choice": {"none"}, "header_name": {"A", "A"}, "header_value": {"1", "2"}, "header_kept": {"", ""}}).Creation()
	if twice.Found.Read.Len() != 1 {
		t.Errorf("a repeated header: got %v, want a problem", twice.Found.Read.List())
	}
}

func TestWithoutSecrets(t *testing.T) {
	f := form.ReadWebhook(url.Values{
		"secret": {"hidden"}, "header_name": {"X-Typed", "X-Kept"}, "header_value": {"hidden", ""}, "header_kept": {"X-Typed", "X-Kept"}, "name": {"shown"},
	}).WithoutSecrets()
	if f.Secret != "" || f.Headers[0].Value != "" || f.Name != "shown" {
		t.Errorf("got %+v", f)
	}
	if f.Headers[0].Kept != "" {
		t.Error("a header with a typed value keeps its old value")
	}
	if f.Headers[1].Kept != "X-Kept" {
		t.Error("a header without a typed value lost its old value")
	}
}

func TestClearedKeepsRowsTogether(t *testing.T) {
	v := form.Cleared(url.Values{
		"header_name": {"A", "B"}, "header_value": {"", "hidden"}, "header_kept": {"A", "B"}, "secret": {"hidden"}, "name": {"n"},
	}, []string{"secret", "header_value"})
	if got := strings.Join(v.Values["header_value"], "|"); got != "|" {
		t.Errorf("got values %q, want two empty ones", got)
	}
	if got := strings.Join(v.Values["header_kept"], "|"); got != "A|" {
		t.Errorf("got kept headers %q, want only the first", got)
	}
	if v.Get("secret") != "" || v.Get("name") != "n" {
		t.Errorf("got %v", v.Values)
	}
}

func TestUnknownProjectChoicesAreNotAll(t *testing.T) {
	for _, choice := range []string{"", "x", "selected"} {
		f := form.ReadWebhook(url.Values{"projects": {choice}, "project_ids": {"7"}})
		if f.AllProjects || len(f.ProjectIDs) != 1 {
			t.Errorf("%q: got %+v", choice, f)
		}
	}
}
