package console_test

import (
	"html"
	"net/http"
	"slices"
	"strings"
	"testing"

	"nepenthes/shared/api"
)

// The page after an operation shows the warnings of the operation.
func TestWarningsAreShown(t *testing.T) {
	s := start(t, "")
	b := s.admin()
	given := func(once, name, secret string, more ...string) []string {
		fields := plain(once, name, append([]string{"secret", secret}, more...)...)
		fields[slices.Index(fields, "none")] = "given"
		return fields
	}
	want := html.EscapeString(api.Warnings()[0].Message)
	follow := func(a answer) answer {
		t.Helper()
		if a.status != http.StatusSeeOther {
			t.Fatalf("got status %d %s", a.status, a.body)
		}
		return b.get(a.header.Get("Location"))
	}
	a := follow(b.post("/admin/webhooks/new", given(b.get("/admin/webhooks/new").once(t), "Short", "12345678")...))
	if !strings.Contains(a.body, want) || !strings.Contains(a.body, "Created.") {
		t.Errorf("created with a short secret: no warning in %s", a.body)
	}
	edit := "/admin/webhooks/" + s.webhooks()[0].ID + "/edit"
	a = follow(b.post(edit, given(b.get(edit).once(t), "Short", "87654321", "version", "1")...))
	if !strings.Contains(a.body, want) || !strings.Contains(a.body, "Successful update.") {
		t.Errorf("changed to a short secret: no warning in %s", a.body)
	}
	a = follow(b.post(edit, given(b.get(edit).once(t), "Short", strings.Repeat("long", 6), "version", "2")...))
	if strings.Contains(a.body, want) {
		t.Error("changed to a secret that is long enough: got a warning, want none")
	}
}

func TestEveryWarningHasAName(t *testing.T) {
	s := start(t, "")
	b := s.admin()
	seen := map[string]bool{"": true}
	for _, w := range api.Warnings() {
		if seen[w.Name] {
			t.Errorf("the name %q is used twice or empty", w.Name)
		}
		seen[w.Name] = true
		if a := b.get("/admin/webhooks?warned=" + w.Name); !strings.Contains(a.body, html.EscapeString(w.Message)) {
			t.Errorf("%s is not shown", w.Name)
		}
	}
	if a := b.get("/admin/webhooks?warned=a-text-of-mine"); strings.Contains(a.body, "banner") || strings.Contains(a.body, "text-of-mine") {
		t.Error("a text from the address is shown as a warning")
	}
}

// TestInvalidSecretsAreRefused checks that the form explains the mistake in a secret, and that no page shows the secret.
func TestInvalidSecretsAreRefused(t *testing.T) {
	s := start(t, "")
	b := s.admin()
	for secret, hint := range map[string]string{
		"v1,whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD": "nothing before it",
		" whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD":   "before and after the secret",
		`"plain and quoted"`:                        "Remove the quotation marks",
		"plain and a line break\r\n":                "before and after the secret",
	} {
		fields := plain(b.get("/admin/webhooks/new").once(t), "Refused", "secret", secret)
		fields[slices.Index(fields, "none")] = "given"
		a := b.post("/admin/webhooks/new", fields...)
		if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, hint) {
			t.Errorf("%q: got status %d, want 422 and the hint %q", secret, a.status, hint)
		}
		if strings.Contains(a.body, "C2FVsBQIhrscChlQIMV") || strings.Contains(a.body, "plain and") {
			t.Errorf("%q: the page shows the secret", secret)
		}
	}
	if len(s.webhooks()) != 0 {
		t.Error("a webhook was created")
	}
}
