package console_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"nepenthes/shared/api"
	"nepenthes/shared/project"
	"nepenthes/shared/settings"
	"nepenthes/shared/webhook"
)

func (s *system) webhooks() []webhook.Webhook {
	s.t.Helper()
	return must[*api.Page[webhook.Webhook]](s.t)(s.operations.Webhooks.List.Do(s.t.Context(), call(), &api.ListWebhooks{})).Items
}

// plain returns the fields of the form for an ordinary webhook. once is the number of the form.
func plain(once, name string, more ...string) []string {
	return append([]string{
		"once", once, "do", "save", "name", name, "payload_url", "https://receiver.example.com/in", "secret_choice", "none", "active", "on",
		"events", "*", "projects", "all", "payload_format", "nepenthes", "timeout", "15", "retry_schedule", "standard",
	}, more...)
}

func TestARepeatedFormCreatesOneWebhook(t *testing.T) {
	s := start(t, "")
	b := s.admin()
	fields := plain(b.get("/admin/webhooks/new").once(t), "Once")
	fields[slices.Index(fields, "none")] = "generate"
	var mu sync.Mutex
	statuses, shown := map[int]int{}, 0
	var sending sync.WaitGroup
	for range 8 {
		sending.Go(func() {
			a := b.post("/admin/webhooks/new", fields...)
			mu.Lock()
			defer mu.Unlock()
			statuses[a.status]++
			shown += strings.Count(a.body, "whsec_")
		})
	}
	sending.Wait()
	if statuses[http.StatusOK] != 1 || statuses[http.StatusConflict] != 7 || shown != 1 {
		t.Errorf("got statuses %v and %d secrets, want one 200 with the secret", statuses, shown)
	}
	if n := len(s.webhooks()); n != 1 {
		t.Errorf("got %d webhooks, want 1", n)
	}
}

func TestAFormWithFaultsCanBeSentAgain(t *testing.T) {
	s := start(t, "")
	b := s.admin()
	once := b.get("/admin/webhooks/new").once(t)
	fields := plain(once, "", "secret", "whsec_hidden", "header_name", "X-Token", "header_value", "hidden-too", "header_kept", "", "description", "kept & shown")
	fields[slices.Index(fields, "none")] = "given"
	a := b.post("/admin/webhooks/new", fields...)
	if a.status != http.StatusUnprocessableEntity {
		t.Fatalf("got status %d, want 422", a.status)
	}
	for _, want := range []string{"kept &amp; shown", `value="https://receiver.example.com/in"`, `value="X-Token"`, "autofocus", `aria-invalid="true"`, `href="#name"`} {
		if !strings.Contains(a.body, want) {
			t.Errorf("got no %s", want)
		}
	}
	if strings.Contains(a.body, "whsec_hidden") || strings.Contains(a.body, "hidden-too") {
		t.Error("the page contains a secret")
	}
	if a.once(t) == once {
		t.Error("the form has the same number again")
	}
	if a := b.post("/admin/webhooks/new", plain(once, "By the back button")...); a.status != http.StatusSeeOther {
		t.Errorf("the number of a form that created nothing: got %d, want 303", a.status)
	}
}

func TestNoWebhookCanPointAtTheService(t *testing.T) {
	const gateway = "a1b2c3.execute-api.eu-central-1.amazonaws.com"
	s := start(t, "/dev")
	b := s.admin()
	for _, path := range []string{"/admin/webhooks/new", "/admin/webhooks/" + s.webhook("Edited").ID + "/edit"} {
		for _, host := range []string{ownHost, gateway} {
			fields := plain(b.get(path).once(t), "Own", "version", "1")
			fields[slices.Index(fields, "https://receiver.example.com/in")] = "https://" + host + "/dev/api/v3/events"
			request := b.form(path, fields...)
			for _, cookie := range b.Jar.Cookies(request.URL) { // the jar chooses cookies by the host of the URL
				request.AddCookie(cookie)
			}
			request.Host = gateway
			if a := b.do(request); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "this service itself") {
				t.Errorf("%s with %s: got status %d, want 422", path, host, a.status)
			}
		}
	}
}

func TestHeaderValuesAreKeptUnlessTyped(t *testing.T) {
	s := start(t, "")
	w := s.webhook("Billing") // with X-Token
	b := s.admin()
	edit := "/admin/webhooks/" + w.ID + "/edit"
	save := func(more ...string) answer {
		t.Helper()
		return b.post(edit, plain(b.get(edit).once(t), "Billing", append([]string{"version", "1"}, more...)...)...)
	}
	if a := save("header_name", "X-Token", "header_value", "", "header_kept", ""); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "Enter the value of") {
		t.Errorf("a value that is neither kept nor typed: got %d, want 422", a.status)
	}
	if a := save("header_name", "X-Other", "header_value", "", "header_kept", "X-Token"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a value under another name: got %d, want 422", a.status)
	}
	if a := save("header_name", "X-Token", "header_value", "", "header_kept", "X-Token", "header_name", "X-New", "header_value", "v", "header_kept", ""); a.status != http.StatusSeeOther {
		t.Fatalf("keeping a header and adding one: got %d %s, want 303", a.status, a.body)
	}
	if got := s.webhooks(); len(got) != 1 {
		t.Fatalf("got %d webhooks, want 1", len(got))
	}
	stored := must[*api.WebhookDetails](t)(s.operations.Webhooks.Read.Do(t.Context(), call(), &api.WebhookID{ID: w.ID}))
	if len(stored.Headers) != 2 {
		t.Errorf("got headers %v, want 2", stored.Headers)
	}
}

func TestTwoAdministratorsOnOneForm(t *testing.T) {
	s := start(t, "")
	b := s.admin()
	other := &api.ChangeSettings{}
	other.MaxPageSize = api.Set(300)
	must[*settings.Settings](t)(s.operations.Settings.Change.Do(t.Context(), call(), other))
	mine := []string{"enabled", "on", "docs_enabled", "on", "max_page_size", "400", "allowed_origins", "", "version", "0"}
	a := b.post("/admin/api", mine...)
	if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "Saved by somebody else meanwhile: <bdi>300</bdi>") || !strings.Contains(a.body, `value="400"`) {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	if !strings.Contains(a.body, `name="version" value="1"`) {
		t.Fatal("the form does not have the new version, so saving again would fail")
	}
	mine[len(mine)-1] = "1"
	if a := b.post("/admin/api", mine...); a.status != http.StatusSeeOther || a.header.Get("Location") != "/admin/api?done=saved" {
		t.Errorf("got %d", a.status)
	}
}

func TestTheEnterKeyPressesTheButtonOfTheField(t *testing.T) {
	s := start(t, "")
	b := s.admin()
	base := func() []string {
		fields := plain(b.get("/admin/webhooks/new").once(t), "Typed")
		fields[slices.Index(fields, "save")] = "enter"
		return fields
	}
	if a := b.post("/admin/webhooks/new", append(base(), "project_id", "8")...); a.status != http.StatusOK || !strings.Contains(a.body, `value="8" checked`) {
		t.Errorf("adding a project: got %d", a.status)
	}
	if a := b.post("/admin/webhooks/new", append(base(), "project_filter", "x", "filtered", "")...); a.status != http.StatusOK {
		t.Errorf("filtering: got %d, want 200", a.status)
	}
	if n := len(s.webhooks()); n != 0 {
		t.Errorf("%d webhooks were created, want none", n)
	}
	if a := b.post("/admin/webhooks/new", base()...); a.status != http.StatusSeeOther {
		t.Errorf("saving: got %d, want 303", a.status)
	}
}

func TestManyProjects(t *testing.T) {
	s := start(t, "")
	small := &api.ChangeSettings{}
	small.MaxPageSize = api.Set(50) // so that lists have several pages
	must[*settings.Settings](t)(s.operations.Settings.Change.Do(t.Context(), call(), small))
	for i := range 201 {
		id := "p" + strings.Repeat("x", i%3) + string(rune('a'+i%26)) + strings.Repeat("y", i/26)
		in := &api.PutProject{ID: id}
		in.Name = api.Set("Project " + id)
		must[*api.WrittenProject](t)(s.operations.Projects.Put.Do(t.Context(), call(), in))
	}
	total := must[*api.Page[project.Project]](t)(s.operations.Projects.List.Do(t.Context(), call(), &api.ListProjects{})).Total
	b := s.admin()
	a := b.get("/admin/webhooks/new")
	if many := total > 200; many != strings.Contains(a.body, `name="do" value="filter"`) {
		t.Fatalf("with %d projects, the form has a filter: %v", total, !many)
	}
	fields := plain(a.once(t), "Typed", "project_ids", "pa", "project_filter", "pxbyy", "filtered", "")
	fields[slices.Index(fields, "save")] = "filter"
	a = b.post("/admin/webhooks/new", fields...)
	for _, want := range []string{`value="pa" checked`, "Project pa", `value="pxbyy"`, `value="Typed"`} {
		if !strings.Contains(a.body, want) {
			t.Errorf("got no %s", want)
		}
	}
}

func TestTheSameFormTwiceIsNotAConflict(t *testing.T) {
	s := start(t, "")
	b := s.admin()
	settings := []string{"enabled", "on", "docs_enabled", "on", "max_page_size", "300", "version", "0"}
	for range 2 {
		if a := b.post("/admin/api", settings...); a.status != http.StatusSeeOther {
			t.Errorf("settings: got %d, want 303", a.status)
		}
	}
	w := s.webhook("Billing")
	edit := b.get("/admin/webhooks/" + w.ID + "/edit")
	fields := plain(edit.once(t), "Renamed", "version", "1")
	fields[slices.Index(fields, "none")] = "keep"
	if a := b.post("/admin/webhooks/"+w.ID+"/edit", fields...); a.status != http.StatusSeeOther {
		t.Errorf("a webhook: got %d, want 303", a.status)
	}
	fields[slices.Index(fields, "once")+1] = b.get("/admin/webhooks/" + w.ID + "/edit").once(t) // a second window
	if a := b.post("/admin/webhooks/"+w.ID+"/edit", fields...); a.status != http.StatusSeeOther {
		t.Errorf("a webhook, again: got %d, want 303", a.status)
	}
}

func TestAFormOfAnotherTypeIsRefused(t *testing.T) {
	s := start(t, "")
	b := s.admin()
	for _, kind := range []string{"multipart/form-data; boundary=x", "application/json", "text/plain", ""} {
		r := b.form("/admin/api", "enabled", "on")
		r.Header.Set("Content-Type", kind)
		if a := b.do(r); a.status != http.StatusUnsupportedMediaType {
			t.Errorf("%q: got %d, want 415", kind, a.status)
		}
	}
}

func TestATypedProjectIDIsNotDropped(t *testing.T) {
	s := start(t, "")
	b := s.admin()
	fields := plain(b.get("/admin/webhooks/new").once(t), "Typed", "project_id", "8")
	if a := b.post("/admin/webhooks/new", fields...); a.status != http.StatusSeeOther {
		t.Errorf("all projects: got %d, want 303", a.status)
	}
	fields = plain(b.get("/admin/webhooks/new").once(t), "Another", "project_ids", "7", "project_id", "8")
	fields[slices.Index(fields, "all")] = "selected"
	if a := b.post("/admin/webhooks/new", fields...); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "Press Add") || !strings.Contains(a.body, `value="8"`) {
		t.Errorf("got %d %s", a.status, a.body)
	}
}

func TestFaultsOfAPastedEventNameItsMembers(t *testing.T) {
	s := start(t, "")
	b := s.admin()
	for pasted, want := range map[string][]string{
		`{}`: {"type: ", "data: "}, `{"type":"user:created","data":1,"foo":1}`: {"foo: "},
	} {
		a := b.post("/admin/why", "pasted", pasted)
		for _, member := range want {
			if a.status != http.StatusUnprocessableEntity || strings.Count(a.body, member) != 2 {
				t.Errorf("%s: got %d, want %q in the summary and next to the field: %s", pasted, a.status, member, a.body)
			}
		}
	}
	a := b.get("/admin/why?event=bogus")
	if !strings.Contains(a.body, `href="#event"`) || strings.Contains(a.body, `href="#pasted"`) {
		t.Errorf("the fault is not next to the field of the example: %s", a.body)
	}
}

func TestARotationBeyondTheLimitIsExplained(t *testing.T) {
	s := start(t, "")
	w := s.webhook("Billing")
	b := s.admin()
	page := "/admin/webhooks/" + w.ID
	for range 5 {
		a := b.post(page+"/rotate", "once", b.get(page).once(t), "overlap", "24")
		if a.status == http.StatusOK {
			continue
		}
		if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, `href="#overlap"`) || strings.Contains(a.body, "overlapHours") {
			t.Errorf("got %d %s", a.status, a.body)
		}
		return
	}
	t.Error("five rotations were accepted, want a refusal")
}

// TestOddForms sends every form with unusual values. No answer may be a server error.
func TestOddForms(t *testing.T) {
	s := start(t, "")
	w := s.webhook("Billing")
	delivery := s.delivery(w)
	b := s.admin()
	odd := []string{"", "\x00", "\xff\xfe", "-1", "99999999999999999999", "<script>", "' OR 1=1", strings.Repeat("x", 5000), "\u202egnp.exe", "a\r\nb"}
	names := []string{
		"name", "payload_url", "description", "secret_choice", "secret", "events", "projects", "project_ids", "payload_format", "timeout", "retry_schedule",
		"header_name", "header_value", "header_kept", "version", "once", "do", "project_id", "project_filter", "max_page_size", "allowed_origins", "scopes",
		"event", "overlap", "retry", "id", "pasted", "client_id", "client_secret", "to",
	}
	for _, path := range []string{
		"/admin/api", "/admin/webhooks/new", "/admin/webhooks/" + w.ID + "/edit", "/admin/webhooks/" + w.ID + "/ping", "/admin/webhooks/" + w.ID + "/rotate",
		"/admin/deliveries", "/admin/deliveries/" + delivery + "/retry", "/admin/why", "/admin/applications/new", "/admin/applications/" + adminID, "/admin/sign_in",
	} {
		for _, value := range odd {
			var fields []string
			for _, name := range names {
				fields = append(fields, name, value)
			}
			if a := b.post(path, fields...); a.status >= 500 {
				t.Errorf("%s with %q: got %d", path, value, a.status)
			}
		}
	}
	if log := s.log.String(); strings.Contains(log, "console.failed") {
		t.Errorf("got log %s, want no failure", log)
	}
}
