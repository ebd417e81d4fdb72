package console_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"nepenthes/shared/console"
	"nepenthes/shared/settings"
)

const policy = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

func TestEveryAnswerHasSecurityHeaders(t *testing.T) {
	s := start(t, "")
	anonymous, admin := s.browser(), s.admin()
	for name, a := range map[string]answer{
		"a page":                   admin.get("/admin/webhooks"),
		"a redirect":               anonymous.get("/admin/webhooks"),
		"a page that is missing":   admin.get("/admin/nowhere"),
		"a refused form":           admin.post("/admin/api", "max_page_size", "x"),
		"a form without a session": anonymous.post("/admin/api"),
		"a wrong method":           admin.post("/admin/webhooks"),
	} {
		t.Run(name, func(t *testing.T) {
			for header, want := range map[string]string{
				"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "no-store",
			} {
				if got := a.header.Get(header); got != want {
					t.Errorf("%s: got %q, want %q", header, got, want)
				}
			}
			if !strings.HasPrefix(a.header.Get("X-Request-Id"), "req_") {
				t.Errorf("got request id %q", a.header.Get("X-Request-Id"))
			}
		})
	}
}

func TestTheSignInLeadsBack(t *testing.T) {
	for name, c := range map[string]struct{ to, want string }{
		"a page":                        {"/admin/webhooks?name=x", "/admin/webhooks?name=x"},
		"no page":                       {"", "/admin"},
		"another site":                  {"https://evil.example/admin/x", "/admin"},
		"another site without a scheme": {"//evil.example/admin/x", "/admin"},
		"backslashes":                   {`/\evil.example/admin`, "/admin"},
		"a path out of the console":     {"/admin/../api/docs", "/admin"},
		"a path that begins alike":      {"/administrator", "/admin"},
		"the sign-in itself":            {"/admin/sign_in?to=/admin", "/admin"},
		"a script":                      {"javascript:alert(1)", "/admin"},
		"a line break":                  {"/admin/x\r\nSet-Cookie: a=b", "/admin"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, stage := range []string{"", "/prod"} {
				a := start(t, stage).browser().post("/admin/sign_in", "client_id", adminID, "client_secret", adminSecret, "to", c.to)
				if got := a.header.Get("Location"); a.status != http.StatusSeeOther || got != stage+c.want {
					t.Errorf("got %d %q, want %q", a.status, got, stage+c.want)
				}
			}
		})
	}
}

func TestWithoutASession(t *testing.T) {
	s := start(t, "/prod")
	b := s.browser()
	t.Run("a page leads to the sign-in, which leads back", func(t *testing.T) {
		a := b.get("/admin/deliveries/dlv_x?body=raw")
		want := "/prod/admin/sign_in?to=" + url.QueryEscape("/admin/deliveries/dlv_x?body=raw")
		if got := a.header.Get("Location"); a.status != http.StatusSeeOther || got != want {
			t.Errorf("got %d %q, want %q", a.status, got, want)
		}
	})
	t.Run("a form is kept except for its secrets", func(t *testing.T) {
		a := b.post("/admin/webhooks/new", "name", `a "quoted" name`, "secret", "whsec_hidden", "header_name", "X-Token", "header_value", "hidden-too", "header_kept", "X-Token", "events", "*", "events", "user:created")
		if a.status != http.StatusUnauthorized {
			t.Errorf("got status %d, want 401", a.status)
		}
		for _, want := range []string{
			"Nothing was saved: sign in in a new tab, come back, press Save again.", `name="name" value="a &#34;quoted&#34; name"`,
			`name="events" value="*"`, `name="events" value="user:created"`, `name="header_kept" value=""`, `action="/prod/admin/webhooks/new"`,
		} {
			if !strings.Contains(a.body, want) {
				t.Errorf("got no %s in %s", want, a.body)
			}
		}
		if strings.Contains(a.body, "hidden") && (strings.Contains(a.body, "whsec_hidden") || strings.Contains(a.body, "hidden-too")) {
			t.Error("the page contains a secret")
		}
	})
}

func TestSignInIsThrottled(t *testing.T) {
	s := start(t, "")
	b := s.browser()
	statuses := map[int]int{}
	for range 12 {
		a := b.post("/admin/sign_in", "client_id", adminID, "client_secret", "guess")
		statuses[a.status]++
		if strings.Contains(a.body, "guess") {
			t.Error("the page shows the secret that was typed")
		}
	}
	if statuses[http.StatusUnprocessableEntity] != 10 || statuses[http.StatusTooManyRequests] != 2 {
		t.Errorf("got statuses %v, want 422 ten times and then 429", statuses)
	}
}

func TestFormsFromOtherOriginsAreRefused(t *testing.T) {
	s := start(t, "")
	w := s.webhook("Billing")
	b := s.admin()
	for name, header := range map[string]struct{ name, value string }{
		"another site":                    {"Sec-Fetch-Site", "cross-site"},
		"another origin of the same site": {"Sec-Fetch-Site", "same-site"},
		"the Origin of an older browser":  {"Origin", "https://evil.example"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/admin/webhooks/" + w.ID + "/delete", "/admin/sign_in", "/admin/sign_out", "/admin/api"} {
				r := b.form(path, "client_id", adminID, "client_secret", adminSecret)
				r.Header.Del("Sec-Fetch-Site")
				r.Header.Set(header.name, header.value)
				if a := b.do(r); a.status != http.StatusForbidden || !strings.Contains(a.body, "open the page here") {
					t.Errorf("%s: got %d, want 403 and advice", path, a.status)
				}
			}
		})
	}
	if a := b.get("/admin/webhooks/" + w.ID); a.status != http.StatusOK {
		t.Errorf("the webhook: got %d, want 200", a.status)
	}
}

var (
	hrefs  = regexp.MustCompile(`(?:href|action|src)="([^"#]*)`)
	inline = regexp.MustCompile(`(?i)<style|\sstyle=|<script(?:>| [^>]*>[^<])|\son[a-z]+=|javascript:`)
)

// TestCrawl follows every link of the console as an administrator, below a stage path.
func TestCrawl(t *testing.T) {
	s := start(t, "/prod")
	w := s.webhook("<script>alert(1)</script>")
	delivery := s.delivery(w)
	s.pause(s.webhook("Paused").ID)
	s.client("webhooks:read")
	b := s.admin()
	seen, queue := map[string]bool{}, []string{"/prod/admin", "/prod/admin/deliveries/" + delivery}
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		if seen[path] || strings.HasPrefix(path, "/prod/api/") {
			continue
		}
		seen[path] = true
		a := b.get(strings.TrimPrefix(path, "/prod"))
		if a.status != http.StatusOK && a.status != http.StatusSeeOther {
			t.Errorf("%s: got %d, want 200 or 303", path, a.status)
		}
		if !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
			continue
		}
		if found := inline.FindString(a.body); found != "" {
			t.Errorf("%s has %q, which the policy forbids", path, found)
		}
		if strings.Contains(a.body, "credential-4711") || strings.Contains(a.body, "<script>alert") {
			t.Errorf("%s shows a secret or a script", path)
		}
		for _, m := range hrefs.FindAllStringSubmatch(a.body, -1) {
			if m[1] == "" {
				continue
			}
			if !strings.HasPrefix(m[1], "/prod/") {
				t.Errorf("%s leads to %s, which lacks the stage path", path, m[1])
			}
			if !strings.Contains(m[0], "action") {
				queue = append(queue, strings.ReplaceAll(m[1], "&amp;", "&"))
			}
		}
	}
	if len(seen) < 23 {
		t.Errorf("got only %d pages: %v", len(seen), seen)
	}
}

func TestScopesLimitPagesAndForms(t *testing.T) {
	s := start(t, "")
	w := s.webhook("Billing")
	delivery := s.delivery(w)
	id, secret := s.client("webhooks:read")
	b := s.signedIn(id, secret)
	list, page := b.get("/admin/webhooks"), b.get("/admin/webhooks/"+w.ID)
	for _, what := range []string{"+ Webhook", "Last delivery", "Applications"} {
		if strings.Contains(list.body, what) {
			t.Errorf("the list offers %q", what)
		}
	}
	for _, what := range []string{"Edit", "Pause", "Recent deliveries", "Rotate secret", "Delete"} {
		if strings.Contains(page.body, what) {
			t.Errorf("the webhook's page offers %q", what)
		}
	}
	for _, path := range []string{"/admin/api", "/admin/webhooks/new", "/admin/webhooks/" + w.ID + "/edit", "/admin/webhooks/" + w.ID + "/resume", "/admin/deliveries", "/admin/deliveries/" + delivery, "/admin/applications"} {
		if a := b.get(path); a.status != http.StatusForbidden {
			t.Errorf("GET %s: got %d, want 403", path, a.status)
		}
	}
	for _, path := range []string{
		"/admin/api", "/admin/webhooks/new", "/admin/webhooks/" + w.ID + "/edit", "/admin/webhooks/" + w.ID + "/delete", "/admin/webhooks/" + w.ID + "/rotate",
		"/admin/webhooks/" + w.ID + "/ping", "/admin/webhooks/" + w.ID + "/disable", "/admin/webhooks/" + w.ID + "/pause", "/admin/webhooks/" + w.ID + "/resume", "/admin/deliveries", "/admin/deliveries/" + delivery + "/retry", "/admin/applications/new",
	} {
		if a := b.post(path); a.status != http.StatusForbidden {
			t.Errorf("POST %s: got %d, want 403", path, a.status)
		}
	}
	limited := s.signedIn(s.client("clients:write"))
	if a := limited.get("/admin/applications/" + adminID + "/delete"); a.status != http.StatusForbidden {
		t.Errorf("asking to delete an application with more scopes: got %d, want 403", a.status)
	}
	if a := limited.get("/admin/applications/" + adminID + "/revoke"); a.status != http.StatusForbidden {
		t.Errorf("asking to end the tokens of an application with more scopes: got %d, want 403", a.status)
	}
	if a := limited.post("/admin/applications/" + adminID + "/revoke"); a.status != http.StatusForbidden {
		t.Errorf("ending the tokens of an application with more scopes: got %d, want 403", a.status)
	}
	if a := b.get("/admin"); a.header.Get("Location") != "/admin/webhooks" {
		t.Errorf("/admin leads to %q, want /admin/webhooks", a.header.Get("Location"))
	}
}

func TestRevokeApplication(t *testing.T) {
	s := start(t, "")
	admin := s.admin()
	id, secret := s.client("webhooks:read")
	reader := s.signedIn(id, secret)
	if a := admin.get("/admin/applications/" + id + "/revoke"); a.status != http.StatusOK || strings.Contains(a.body, "You are signed in as this application") {
		t.Errorf("the page that asks: got %d %s", a.status, a.body)
	}
	if a := reader.get("/admin/webhooks"); a.status != http.StatusOK {
		t.Errorf("asking ended the session: got %d", a.status)
	}
	if a := admin.post("/admin/applications/" + id + "/revoke"); a.header.Get("Location") != "/admin/applications/"+id+"?done=revoked" {
		t.Errorf("got %d to %q", a.status, a.header.Get("Location"))
	}
	if a := reader.get("/admin/webhooks"); a.status != http.StatusSeeOther {
		t.Errorf("the session has not ended: got %d", a.status)
	}
	if a := s.signedIn(id, secret).get("/admin/webhooks"); a.status != http.StatusOK {
		t.Errorf("a later session: got %d, want 200", a.status)
	}
	if a := admin.get("/admin/applications/" + adminID + "/revoke"); !strings.Contains(a.body, "You are signed in as this application") {
		t.Errorf("the page does not say that the user is signed in as this application: %s", a.body)
	}
	if a := admin.post("/admin/applications/" + adminID + "/revoke"); a.header.Get("Location") != "/admin/sign_in?done=revoked" {
		t.Errorf("the user's own application: got %d to %q", a.status, a.header.Get("Location"))
	}
	if a := admin.get("/admin/webhooks"); a.status != http.StatusSeeOther {
		t.Errorf("the user's own session has not ended: got %d", a.status)
	}
}

func TestFailuresHaveAPage(t *testing.T) {
	s := start(t, "")
	b := s.admin()
	for name, c := range map[string]struct {
		answer answer
		status int
		text   string
	}{
		"an unknown page":              {b.get("/admin/nowhere"), http.StatusNotFound, "There is no such page."},
		"a path of dots":               {b.get("/admin/./api"), http.StatusNotFound, "There is no such page."},
		"an unknown webhook":           {b.get("/admin/webhooks/wh_unknown"), http.StatusNotFound, "There is no"},
		"an unknown delivery":          {b.get("/admin/deliveries/dlv_unknown"), http.StatusNotFound, "There is no delivery"},
		"another method":               {b.post("/admin/webhooks"), http.StatusMethodNotAllowed, "does not accept the method"},
		"a page number of letters":     {b.get("/admin/webhooks?offset=x"), http.StatusBadRequest, "offset is not a number."},
		"a page number below one":      {b.get("/admin/webhooks?offset=0"), http.StatusBadRequest, "offset"},
		"an invented cursor":           {b.get("/admin/deliveries?cursor=abc"), http.StatusBadRequest, "cursor"},
		"a form without a number":      {b.post("/admin/webhooks/new", "name", "x"), http.StatusBadRequest, "incomplete"},
		"a form that is too large":     {b.post("/admin/why", "pasted", strings.Repeat("x", 1<<20)), http.StatusRequestEntityTooLarge, "1 MiB"},
		"an unknown event type":        {b.get("/admin/why?event=no%3Asuch"), http.StatusUnprocessableEntity, "There is no such event type"},
		"an unknown test event":        {b.post("/admin/webhooks/"+s.webhook("Ping").ID+"/ping", "event", "no:such"), http.StatusUnprocessableEntity, "catalogue"},
		"an address that is not UTF-8": {b.get("/admin/why?event=project:created&project=%ff"), http.StatusBadRequest, "not UTF-8"},
		"a form that is not UTF-8":     {b.post("/admin/applications/new", "name", "\xed\xa0\x80"), http.StatusBadRequest, "not UTF-8"},
		"a page after the last one":    {b.get("/admin/webhooks?offset=99"), http.StatusOK, "Go to the first page"},
		"an unknown state":             {b.get("/admin/webhooks/" + s.webhook("Filter").ID + "?state=bogus"), http.StatusUnprocessableEntity, "There is no such state"},
		"an asset of another version":  {b.get("/admin/static/style.000000000000.css"), http.StatusNotFound, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.answer.status != c.status || !strings.Contains(c.answer.body, c.text) {
				t.Errorf("got %d %s, want %d with %q", c.answer.status, c.answer.body, c.status, c.text)
			}
			if !strings.Contains(c.answer.body, `aria-label="Administration"`) {
				t.Error("the page has no navigation")
			}
		})
	}
}

func TestASlashAtTheEndLeadsToThePage(t *testing.T) {
	if a := start(t, "/prod").admin().get("/admin/webhooks/"); a.status != http.StatusSeeOther || a.header.Get("Location") != "/prod/admin/webhooks" {
		t.Errorf("got %d %q", a.status, a.header.Get("Location"))
	}
}

func TestHEADIsAGETWithoutABody(t *testing.T) {
	s := start(t, "")
	r := must[*http.Request](t)(http.NewRequest(http.MethodHead, s.url+"/admin/webhooks", nil))
	if a := s.admin().do(r); a.status != http.StatusOK || a.body != "" || a.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("got %d %q %q", a.status, a.header.Get("Content-Type"), a.body)
	}
}

// brokenSettings are settings that return err or call broken, if one is set.
type brokenSettings struct {
	inner  console.Settings
	broken func()
	err    error
}

func (b *brokenSettings) Settings(ctx context.Context) (settings.Settings, error) {
	if b.broken != nil {
		b.broken()
	}
	if b.err != nil {
		return settings.Settings{}, b.err
	}
	return b.inner.Settings(ctx)
}

func TestServerErrorsShowOnlyTheRequestID(t *testing.T) {
	const inner = "disk of 10.0.0.7 is on fire"
	broken := &brokenSettings{}
	s := start(t, "", func(c *console.Config) { broken.inner, c.Settings = c.Settings, broken })
	b := s.admin()
	for name, breakIt := range map[string]func(){
		"an error": func() { broken.err, broken.broken = errors.New(inner), nil },
		"a panic":  func() { broken.err, broken.broken = nil, func() { panic(inner) } },
	} {
		t.Run(name, func(t *testing.T) {
			breakIt()
			a := b.get("/admin/webhooks")
			id := a.header.Get("X-Request-Id")
			if a.status != http.StatusInternalServerError || !strings.Contains(a.body, id) || strings.Contains(a.body, inner) {
				t.Errorf("got %d %s", a.status, a.body)
			}
			if log := s.log.String(); strings.Count(log, id) != 1 || !strings.Contains(log, inner) {
				t.Errorf("got log %s, want one line with the id and the cause", log)
			}
		})
	}
}

func TestFollowingDoesNotKeepTheSession(t *testing.T) {
	now := time.Now()
	s := start(t, "", func(c *console.Config) { c.Now = func() time.Time { return now } })
	w := s.webhook("Billing")
	id := s.delivery(w)
	b := s.admin()
	if a := b.get("/admin/deliveries/" + id); !strings.Contains(a.body, `data-follow="true"`) {
		t.Fatalf("a pending delivery is not followed: %s", a.body)
	}
	for range 29 {
		now = now.Add(time.Minute)
		r := must[*http.Request](t)(http.NewRequest(http.MethodGet, s.url+"/admin/deliveries/"+id, nil))
		r.Header.Set("X-Follow", "1")
		if a := b.do(r); a.status != http.StatusOK {
			t.Fatalf("following: got %d, want 200", a.status)
		}
	}
	now = now.Add(time.Minute)
	if a := b.get("/admin/webhooks"); a.status != http.StatusSeeOther {
		t.Errorf("the session has not ended: got %d", a.status)
	}
}
