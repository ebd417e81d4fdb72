package rest_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"nepenthes/shared/costtest"
	"nepenthes/shared/limits"
	"nepenthes/shared/rest"
)

// These tests compare the cost of a request with that of a harmless request of the same size, which is read once and refused.
// JSON with many small parts takes more time than a long text. Work that grows with the square of the size takes more than a
// hundred times as long.
const (
	costFactor = 30
	// bodySize is the size of complete bodies. Bodies with one member, queries and headers are smaller, but large
	// enough to show work that grows with the square of the size.
	bodySize, memberSize, partSize = limits.RequestBody, 128 << 10, 16 << 10
	// problemMax is the largest size of a problem document.
	problemMax = 64 << 10
)

// costFloor is the smallest cost of a harmless request that counts. A smaller cost is that of the process itself.
var costFloor = costtest.Cost{CPU: 2 * time.Millisecond, Bytes: 256 << 10}

// TestNoRequestCostsMoreThanItsSize sends requests to each operation of the document that are expensive for code that
// does more than read them once.
func TestNoRequestCostsMoreThanItsSize(t *testing.T) {
	s := newService(t)
	m := &meter{handler: rest.New(s.Config), token: s.token(t), values: s.values(t)}
	for _, o := range operations(s.document(t)) {
		t.Run(o.method+" "+o.path, func(t *testing.T) { m.try(t, o) })
	}
}

// operations returns the operations of the document. Operations that delete come last.
func operations(document map[string]any) (all []operation) {
	paths := object(document["paths"])
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		for method, described := range object(paths[path]) {
			all = append(all, operationOf(document, strings.ToUpper(method), path, object(described)))
		}
	}
	slices.SortStableFunc(all, func(a, b operation) int {
		deletes := func(o operation) int {
			return strings.Compare(o.method, http.MethodDelete) * strings.Compare(o.method, http.MethodDelete)
		}
		return deletes(b) - deletes(a)
	})
	return all
}

// values returns the values of the parameters of paths. They are ids of things that exist.
func (s *service) values(t *testing.T) map[string]string {
	t.Helper()
	token := s.token(t)
	w := s.webhook(t, token, "w")
	s.do(t, token, "PATCH", "/api/v3/webhooks/"+w, `{"headers":{"`+strings.Repeat("x", 20)+`":"secret"}}`).want(t, 200, nil)
	s.do(t, token, "PUT", "/api/v3/projects/7", `{"name":"Plant"}`).want(t, 201, nil)
	key := s.record(t, "e1", 0, `1`, w)
	s.deliver(t, key, w, 1)
	return map[string]string{"webhooks": w, "projects": "7", "events": "e1", "deliveries": key.DeliveryKey(w).ID(), "oauth_clients": s.Admin}
}

// operation is an operation of the document.
type operation struct {
	method, path string
	// queries and headers are names of parameters, members are paths of members of the body, and fields are names of
	// fields of a form.
	queries, headers, members, fields []string
}

func object(value any) map[string]any { o, _ := value.(map[string]any); return o }

func operationOf(document map[string]any, method, path string, described map[string]any) operation {
	o := operation{method: method, path: path, headers: []string{"Accept", "Content-Type", "Cookie", "Origin", "Access-Control-Request-Headers", "If-None-Match"}}
	for _, p := range list(described["parameters"]) {
		name := object(p)["name"].(string)
		switch object(p)["in"] {
		case "query":
			o.queries = append(o.queries, name)
		case "header":
			o.headers = append(o.headers, name)
		}
	}
	content := object(object(described["requestBody"])["content"])
	o.members = members(document, object(content["application/json"])["schema"], "")
	for field := range object(object(object(content["application/x-www-form-urlencoded"])["schema"])["properties"]) {
		o.fields = append(o.fields, field)
	}
	return o
}

// members returns the paths of a schema's members, also of the objects in it.
func members(document map[string]any, schema any, prefix string) (paths []string) {
	s := object(schema)
	if ref, ok := s["$ref"].(string); ok {
		s = object(object(object(document["components"])["schemas"])[ref[strings.LastIndex(ref, "/")+1:]])
	}
	for _, choice := range slices.Concat(list(s["anyOf"]), list(s["oneOf"]), list(s["allOf"])) {
		paths = append(paths, members(document, choice, prefix)...)
	}
	for _, name := range slices.Sorted(maps.Keys(object(s["properties"]))) {
		paths = append(paths, prefix+name)
		paths = append(paths, members(document, object(s["properties"])[name], prefix+name+".")...)
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// meter makes requests and measures them.
type meter struct {
	handler http.Handler
	token   string
	values  map[string]string
	answer  *httptest.ResponseRecorder
}

// request returns a request of the operation. change makes it expensive.
func (m *meter) request(o operation, body string, change func(*http.Request)) *http.Request {
	path := o.path
	for collection, value := range m.values {
		path = strings.Replace(path, collection+"/{id}", collection+"/"+value, 1)
	}
	r := httptest.NewRequest(o.method, strings.NewReplacer("{", "", "}", "").Replace(path), strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+m.token)
	r.Header.Set("Content-Type", "application/json")
	if change != nil {
		change(r)
	}
	return r
}

func (m *meter) cost(r *http.Request) costtest.Cost {
	m.answer = httptest.NewRecorder()
	return costtest.Of(func() { m.handler.ServeHTTP(m.answer, r) })
}

// hold fails the test unless the request is cheap, and a problem document in the answer is small.
func (m *meter) hold(t *testing.T, what string, r *http.Request, limit costtest.Cost) {
	t.Helper()
	cost := m.cost(r)
	cost.Within(t, what, limit)
	switch size := m.answer.Body.Len(); {
	case m.answer.Code >= 500:
		t.Errorf("%s: got %d %s", what, m.answer.Code, m.answer.Body)
	case m.answer.Code >= 400 && size > problemMax:
		t.Errorf("%s: got %d bytes with status %d, want at most 64 KiB", what, size, m.answer.Code)
	}
}

// limit returns the largest cost of a request with the size of a harmless one.
func (m *meter) limit(harmless func() *http.Request) costtest.Cost {
	return m.cost(harmless()).Max(m.cost(harmless())).Max(costFloor).Times(costFactor)
}

func (m *meter) try(t *testing.T, o operation) {
	m.tryParts(t, o)
	if o.fields != nil {
		m.tryForm(t, o)
	}
	if o.members == nil {
		return
	}
	size := bodySize
	if m.cost(m.request(o, strings.Repeat("x", size), nil)); m.answer.Code == http.StatusRequestEntityTooLarge {
		size = 256 << 10
	}
	size -= 1 << 10 // for what stands around
	harmless := func(size int) func() *http.Request {
		return func() *http.Request { return m.request(o, `{"note":"`+strings.Repeat("a", size)+`"}`, nil) }
	}
	limit := m.limit(harmless(size))
	for name, body := range bodies(size) {
		m.hold(t, name, m.request(o, body, nil), limit)
	}
	limit = m.limit(harmless(memberSize))
	for name, value := range memberValues() {
		for _, path := range o.members {
			m.hold(t, path+" is "+name, m.request(o, within(path, value), nil), limit)
		}
	}
}

// within returns a body with one member.
func within(path, value string) string {
	first, rest, nested := strings.Cut(path, ".")
	if nested {
		value = within(rest, value)
	}
	return `{` + strconv.Quote(first) + `:` + value + `}`
}

// bodies are expensive for every operation.
func bodies(size int) map[string]string {
	return map[string]string{
		"many unknown members":      `{` + costtest.List(size, `"x%d":0`) + `}`,
		"many names with markup":    `{` + costtest.List(size, `"<&\u0001%d":0`) + `}`,
		"a long name":               `{"` + costtest.Letters(size) + `":0}`,
		"a name twice, at the end":  `{` + costtest.List(size, `"x%d":0`) + `,"x0":0}`,
		"many lines, then not JSON": `{` + strings.Repeat("\n", size) + `x`,
		"much, then not UTF-8":      `{"x":"` + strings.Repeat("a", size) + "\xff",
		"deep nesting":              `{"x":` + strings.Repeat("[", size/2) + strings.Repeat("]", size/2) + `}`,
		"the deepest nesting":       `{"x":[` + repeated(size, strings.Repeat("[", 900)+strings.Repeat("]", 900)) + `]}`,
		"many empty objects":        `{"x":[` + repeated(size, "{}") + `]}`,
		"escapes":                   `{"x":"` + strings.Repeat(`\ud83d\ude00`, size/12) + `"}`,
	}
}

// repeated returns a text of the given size: the entry again and again, separated by commas.
func repeated(size int, entry string) string {
	return strings.TrimSuffix(strings.Repeat(entry+",", size/(len(entry)+1)), ",")
}

// memberValues are expensive for code that looks into one member.
var memberValues = sync.OnceValue(func() map[string]string {
	const size = memberSize
	values := map[string]string{
		"many strings":          `[` + costtest.List(size, `"a%d"`) + `]`,
		"many origins":          `[` + costtest.List(size, `"https://a%d.example"`) + `]`,
		"many short names":      `[` + costtest.List(size, `"%d.`+costtest.Letters(200)+`"`) + `]`,
		"one string of letters": `["https://` + costtest.Letters(size) + `"]`,
		"many headers":          `{` + costtest.List(size, `"X-%d":"v"`) + `}`,
		"headers to be kept":    `{` + spellings(size) + `}`,
		"a long header":         `{"X-A":"` + costtest.Letters(size) + `"}`,
		"empty objects":         `[` + repeated(size, "{}") + `]`,
		"a number":              strings.Repeat("9", size),
	}
	for name, text := range costtest.Texts(size) {
		values[name] = strconv.Quote(strings.ReplaceAll(text, "\n", " "))
	}
	return values
})

// spellings returns different names of the same header, each with the value that keeps the current one.
func spellings(size int) string {
	const length = 20
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		name := []byte(strings.Repeat("x", length))
		for bit := range name {
			if i>>bit&1 == 1 {
				name[bit] = 'X'
			}
		}
		fmt.Fprintf(&b, `"%s":"***",`, name)
	}
	return strings.TrimSuffix(b.String(), ",")
}

// partTexts are expensive for code that looks into a parameter, a header or a field.
var partTexts = sync.OnceValue(func() map[string]string { return costtest.Texts(partSize) })

// tryParts sends expensive queries, headers and paths.
func (m *meter) tryParts(t *testing.T, o operation) {
	query := func(text string) *http.Request {
		return m.request(o, "", func(r *http.Request) { r.URL.RawQuery = text })
	}
	limit := m.limit(func() *http.Request { return query("x=" + strings.Repeat("a", partSize)) })
	for _, name := range o.queries {
		for text, value := range partTexts() {
			m.hold(t, name+" in the query is "+text, query(url.Values{name: {value}}.Encode()), limit)
		}
	}
	m.hold(t, "many parameters", query(strings.ReplaceAll(costtest.List(partSize, "a%d=b"), ",", "&")), limit)
	m.hold(t, "one parameter many times", query(strings.Repeat("name=b&pageSize=1&", partSize/18)), limit)
	for what, value := range map[string]string{
		"many entries": strings.Repeat(`"a",`, partSize/4), "many types": strings.Repeat("a/b;q=0,", partSize/8),
		"many parameters": "a/b" + strings.ReplaceAll(costtest.List(partSize, ";a%d=b"), ",", ""), "many words": strings.Repeat("a b", partSize/3),
	} {
		m.hold(t, "headers with "+what, m.request(o, "", func(r *http.Request) {
			for _, name := range o.headers {
				r.Header.Set(name, value)
			}
		}), limit)
	}
	if before, after, found := strings.Cut(o.path, "{"); found {
		_, after, _ = strings.Cut(after, "}")
		long := o
		long.path = before + strings.Repeat("a", partSize) + after
		m.hold(t, "a long path", m.request(long, "", nil), limit)
	}
}

// tryForm sends expensive forms. They have at most 16 KiB, because larger forms are refused without reading.
func (m *meter) tryForm(t *testing.T, o operation) {
	form := func(text string) *http.Request {
		return m.request(o, text, func(r *http.Request) {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Del("Authorization")
		})
	}
	limit := m.limit(func() *http.Request { return form("x=" + strings.Repeat("a", partSize-2)) })
	m.hold(t, "many fields", form(strings.ReplaceAll(costtest.List(partSize-20, "a%d=b"), ",", "&")), limit)
	m.hold(t, "a form that is too large", form("x="+strings.Repeat("a", bodySize)), limit)
	for _, field := range o.fields {
		for name, text := range costtest.Texts(4 << 10) {
			values := url.Values{"client_id": {"admin"}, "client_secret": {"wrong"}, "grant_type": {"client_credentials"}, field: {text}}
			m.hold(t, field+" is "+name, form(values.Encode()), limit)
		}
	}
}
