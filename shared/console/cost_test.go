package console_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"nepenthes/events"
	"nepenthes/shared/api"
	"nepenthes/shared/console"
	"nepenthes/shared/costtest"
	"nepenthes/shared/limits"
	"nepenthes/shared/project"
	"nepenthes/shared/settings"
	"nepenthes/shared/webhook"
)

const (
	// costFactor is how many times the cost of a harmless form of the same size a form may cost. A form of many small
	// fields takes more to read and to show again. Work that grows with the square of the size takes far more.
	costFactor = 30
	// fieldSize is the size of a field. It is large enough to reveal such work.
	fieldSize = 128 << 10
	// faultsMax bounds the part of a page about faults, and frameMax the rest, in bytes.
	faultsMax, frameMax = 64 << 10, 64 << 10
)

// costFloor is the smallest cost that is assumed for a harmless form. Smaller costs are those of the process itself.
var costFloor = costtest.Cost{CPU: 2 * time.Millisecond, Bytes: 256 << 10}

// meter sends forms without a network and measures their costs.
type meter struct {
	handler http.Handler
	cookies []*http.Cookie
	answer  *httptest.ResponseRecorder
}

func (m *meter) request(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for _, c := range m.cookies {
		r.AddCookie(c)
	}
	return r
}

func (m *meter) cost(r *http.Request) costtest.Cost {
	m.answer = httptest.NewRecorder()
	return costtest.Of(func() { m.handler.ServeHTTP(m.answer, r) })
}

// hold fails the test if the form costs more than limit, or if the part of its page about faults is too long.
func (m *meter) hold(t *testing.T, what, path, body string, limit costtest.Cost) {
	t.Helper()
	m.cost(m.request(http.MethodPost, path, body)).Within(t, what, limit)
	size := m.answer.Body.Len()
	const escaped = 5 // bytes of a character on a page
	switch {
	case m.answer.Code >= 500:
		t.Errorf("%s: got %d", what, m.answer.Code)
	case size > limits.PageBody || m.answer.Code >= 400 && size > 2*escaped*len(body)+faultsMax+frameMax:
		t.Errorf("%s: got a page of %d bytes for a form of %d", what, size, len(body))
	}
}

var (
	formPattern  = regexp.MustCompile(`(?s)<form [^>]*action="([^"]*)".*?</form>`)
	fieldPattern = regexp.MustCompile(`(?:name)="([a-z_]+)"`)
)

// forms returns the names of the fields of all forms on the pages, by the addresses of the forms.
func (m *meter) forms(t *testing.T, pages []string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, path := range pages {
		m.cost(m.request(http.MethodGet, path, ""))
		for _, form := range formPattern.FindAllStringSubmatch(m.answer.Body.String(), -1) {
			for _, field := range fieldPattern.FindAllStringSubmatch(form[0], -1) {
				if !slices.Contains(found[form[1]], field[1]) {
					found[form[1]] = append(found[form[1]], field[1])
				}
			}
			if found[form[1]] == nil {
				found[form[1]] = []string{"x"}
			}
		}
	}
	return found
}

// filled returns the addresses of paths of the console, with existing ids in place of the parameters.
func filled(paths []string, values map[string]string) (all []string) {
	for _, path := range paths {
		path = "/admin" + path
		for place, value := range values {
			path = strings.Replace(path, place, strings.Replace(place, place[strings.Index(place, "{"):], value, 1), 1)
		}
		all = append(all, path)
	}
	return all
}

// TestNoFormCostsMoreThanItsSize sends each form with values that are expensive for code that reads them more than once.
func TestNoFormCostsMoreThanItsSize(t *testing.T) {
	s := start(t, "")
	w := s.webhook("Billing")
	clientID, _ := s.client("webhooks:read")
	values := map[string]string{
		"webhooks/{id}": w.ID, "deliveries/{id}": s.delivery(w), "applications/{id}": clientID, "secrets/{secret}": s.secretOf(clientID),
	}
	s.pause(w.ID)
	b := s.admin()
	address, _ := url.Parse(s.url)
	m := &meter{handler: s.handler, cookies: b.Jar.Cookies(address)}
	forms := m.forms(t, filled(console.Gets(), values))
	texts := costtest.Texts(fieldSize)
	posts := filled(console.Posts(), values)
	slices.SortStableFunc(posts, func(a, b string) int { return last(a) - last(b) })
	for _, path := range posts {
		t.Run(path, func(t *testing.T) {
			fields := append(forms[path], "x")
			if len(fields) == 1 && !strings.Contains(path, "/retry") && !strings.Contains(path, "able") && !strings.HasSuffix(path, "/pause") && path != "/admin/deliveries" {
				t.Fatalf("no page has this form, only %q", slices.Sorted(maps.Keys(forms)))
			}
			harmless := m.request(http.MethodPost, path, "x="+strings.Repeat("a", fieldSize))
			limit := m.cost(harmless).Max(costFloor).Times(costFactor)
			for name, text := range texts {
				for _, field := range fields {
					m.hold(t, field+" is "+name, path, form(fields, field, text), limit)
				}
			}
			for _, field := range fields {
				m.hold(t, field+" many times", path, form(fields, "", "")+strings.ReplaceAll(costtest.List(fieldSize, "&"+field+"=%d"), ",", ""), limit)
			}
			m.hold(t, "many fields", path, strings.ReplaceAll(costtest.List(fieldSize, "a%d=b"), ",", "&"), limit)
			large := m.cost(m.request(http.MethodPost, path, "x="+strings.Repeat("a", limits.RequestBody-2))).Max(costFloor).Times(costFactor)
			m.hold(t, "as large as possible", path, strings.TrimPrefix(fields[0]+"=", "=")+strings.Repeat("%0a%22", limits.RequestBody/6-20), large)
		})
	}
}

// last returns a sort key. Forms that remove what other forms need come last.
func last(path string) int {
	for i, ending := range []string{"/remove", "/delete", "/sign_in", "/sign_out"} {
		if strings.HasSuffix(path, ending) {
			return i + 1
		}
	}
	return 0
}

// form returns a form with usual values, except for one field.
func form(fields []string, field, text string) string {
	values := url.Values{}
	for _, name := range fields {
		values.Set(name, map[string]string{
			"secret_choice": "given", "projects": "selected", "timeout": "15", "max_page_size": "20", "cors_enabled": "on", "do": "save",
			"header_kept": "X-Token", "held": "release", "per_second": "0", "once": strings.Repeat("A", 26), "version": "1",
		}[name])
	}
	if field != "" {
		values.Set(field, text)
	}
	return values.Encode()
}

// secretOf returns the id of the client's secret.
func (s *system) secretOf(clientID string) string {
	s.t.Helper()
	c, err := s.db.Client(s.t.Context(), clientID)
	if err != nil {
		s.t.Fatal(err)
	}
	return c.Secrets[0].ID
}

// TestAPageReadsAListOnce has many projects, and an API with the smallest pages.
func TestAPageReadsAListOnce(t *testing.T) {
	s := start(t, "")
	const many = 1200
	for i := range many {
		if err := s.db.PutProject(t.Context(), &project.Project{ID: fmt.Sprint("p", i), Name: fmt.Sprint("Project ", i), CreatedAt: time.Unix(int64(i), 0)}); err != nil {
			t.Fatal(err)
		}
	}
	w := s.webhook("Billing")
	change := &api.ChangeWebhook{ID: w.ID}
	change.Projects = api.ProjectsPatch{All: api.Set(false), IDs: api.Set([]string{"p0", "p1199"})}
	if _, err := s.operations.Webhooks.Change.Do(t.Context(), call(), change); err != nil {
		t.Fatal(err)
	}
	small := &api.ChangeSettings{}
	small.MaxPageSize = api.Set(1)
	if _, err := s.operations.Settings.Change.Do(t.Context(), call(), small); err != nil {
		t.Fatal(err)
	}
	clientID, _ := s.client("webhooks:read")
	values := map[string]string{
		"webhooks/{id}": w.ID, "deliveries/{id}": s.delivery(w), "applications/{id}": clientID, "secrets/{secret}": s.secretOf(clientID),
	}
	s.pause(w.ID)
	b := s.admin()
	once := func(what string, ask func() answer) {
		t.Helper()
		s.projectLists = 0
		if got := ask(); got.status >= 500 || s.projectLists > 1 {
			t.Errorf("%s: got %d and %d reads of the projects, want at most 1", what, got.status, s.projectLists)
		}
	}
	for _, path := range filled(console.Gets(), values) {
		once(path, func() answer { return b.get(path) })
	}
	edit := "/admin/webhooks/" + w.ID + "/edit"
	found := b.post(edit, "do", "filter", "projects", "selected", "project_ids", "p0", "project_ids", "p1199", "project_filter", "JECT 77")
	for _, want := range []string{"Project 0<", "Project 1199<", "Project 77<", "Project 779<"} {
		if !strings.Contains(found.body, want) {
			t.Errorf("got no %q in the list of projects", want)
		}
	}
	once("the filter", func() answer {
		return b.post(edit, "do", "filter", "projects", "selected", "project_ids", "p0", "project_filter", "JECT 77")
	})
	once("a form with faults", func() answer { return b.post(edit, "projects", "selected", "project_ids", "p0", "timeout", "x") })
}

// counted is a store that counts how often all projects are read.
type counted struct {
	api.Store
	projectLists *int
}

func (c counted) Projects(ctx context.Context) ([]project.Project, error) {
	*c.projectLists++
	return c.Store.Projects(ctx)
}

// TestTheLargestInputsAreShown checks that the largest possible webhook and settings fit on a page.
func TestTheLargestInputsAreShown(t *testing.T) {
	s := start(t, "")
	headers, ids, patterns := map[string]api.HeaderPatch{}, []string{}, []string{}
	for i := range webhook.ProjectsMax + 200 { // as many as can be selected, and as many as a filter shows
		id := fmt.Sprintf("%0128d", i)
		if err := s.db.PutProject(t.Context(), &project.Project{ID: id, Name: strings.Repeat(`"`, 255), Identifier: "listed", CreatedAt: time.Unix(int64(i), 0)}); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	for i := range webhook.HeadersMax {
		headers[fmt.Sprintf("X-%0140d", i)] = api.HeaderPatch{Value: strings.Repeat("v", 50)}
	}
	for _, kind := range events.Types()[:min(len(events.Types()), webhook.PatternsMax)] {
		patterns = append(patterns, kind.Name)
	}
	in := &api.CreateWebhook{WebhookPatch: api.WebhookPatch{
		Name: api.Set(strings.Repeat("𝒳", webhook.NameMax)), Description: api.Set(strings.Repeat(`"`, webhook.DescriptionMax)),
		PayloadURL: api.Set("https://receiver.example.com/" + strings.Repeat("'", 2000)), Events: api.Set(patterns), Headers: api.Set(headers),
		Projects: api.ProjectsPatch{IDs: api.Set(ids[:webhook.ProjectsMax])},
	}}
	w := must[*api.WrittenWebhook](t)(s.operations.Webhooks.Create.Do(t.Context(), call(), in))
	origins := []string{}
	for i := range settings.MaxOrigins {
		origins = append(origins, fmt.Sprintf("https://%s%03d.example", strings.Repeat("a.", 110), i))
	}
	change := &api.ChangeSettings{}
	change.CORSEnabled, change.AllowedOrigins = api.Set(true), api.Set(origins)
	must[*settings.Settings](t)(s.operations.Settings.Change.Do(t.Context(), call(), change))
	b := s.admin()
	self := "/admin/webhooks/" + w.ID
	for _, path := range []string{"/admin/api", "/admin/webhooks", self, self + "/edit", self + "/delete"} {
		if got := b.get(path); got.status != http.StatusOK {
			t.Errorf("%s: got %d", path, got.status)
		}
	}
	filter := append([]string{"do", "filter", "projects", "selected", "project_filter", "LISTED"}, strings.Split("project_ids="+strings.Join(ids[200:], "=project_ids="), "=")...)
	if got := b.post(self+"/edit", filter...); got.status != http.StatusOK || strings.Count(got.body, ` name="project_ids"`) != webhook.ProjectsMax+200 {
		t.Errorf("the filter: got %d with %d projects in %d bytes", got.status, strings.Count(got.body, ` name="project_ids"`), len(got.body))
	}
}
