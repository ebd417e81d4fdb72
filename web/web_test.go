package web_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"nepenthes/shared/console/page"
	"nepenthes/web"
)

func TestAssetsAreNamedByTheirContent(t *testing.T) {
	for _, plain := range []string{"style.css", "script.js", "icon.svg"} {
		name := web.Asset(plain)
		if !regexp.MustCompile(`^[a-z]+\.[0-9a-f]{12}\.[a-z]+$`).MatchString(name) {
			t.Errorf("%s: got name %s", plain, name)
		}
		w := httptest.NewRecorder()
		if !web.ServeAsset(w, httptest.NewRequest(http.MethodGet, "/", nil), name) || w.Code != http.StatusOK {
			t.Errorf("%s: got status %d, want 200", name, w.Code)
		}
		if got := w.Header().Get("Cache-Control"); !strings.Contains(got, "max-age=31536000") {
			t.Errorf("%s: got Cache-Control %q, want a year", name, got)
		}
	}
	if web.ServeAsset(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil), "style.css") {
		t.Error("a name without a hash is served")
	}
}

func TestRenderRefuses(t *testing.T) {
	if _, err := web.Render("nowhere", nil, 1<<20); err == nil {
		t.Error("a page that does not exist: got no error")
	}
	if text, err := web.Render("api", struct{}{}, 1<<20); err == nil || len(text) > 0 {
		t.Errorf("a view that does not fit: got %v and %d bytes, want an error", err, len(text))
	}
	if text, err := web.Render("message", page.Message{Text: []string{strings.Repeat("x", 1000)}}, 1000); !errors.Is(err, web.ErrTooLarge) || len(text) > 0 {
		t.Errorf("a page that is too large: got %v and %d bytes, want ErrTooLarge", err, len(text))
	}
}

func TestTheScriptIsShort(t *testing.T) {
	text, err := os.ReadFile("static/script.js")
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(text, []byte("\n")); n >= 200 {
		t.Errorf("got %d lines, want less than 200", n)
	}
}

func TestDocs(t *testing.T) {
	docs := web.Docs()
	get := func(name string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		docs[name].ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/docs/"+name, nil))
		return w
	}
	page := get("")
	if page.Code != http.StatusOK || !strings.HasPrefix(page.Header().Get("Content-Security-Policy"), "default-src 'self'; img-src 'self' data:") {
		t.Errorf("got %d %v, want 200 and the policy", page.Code, page.Header())
	}
	links := regexp.MustCompile(`(?:href|src)="([^"]+)"`).FindAllStringSubmatch(page.Body.String(), -1)
	if len(links) < 5 {
		t.Fatalf("got links %v, want at least 5", links)
	}
	for _, link := range links {
		if strings.HasPrefix(link[1], "/") || strings.Contains(link[1], ":") {
			t.Errorf("%s is not relative to the page", link[1])
		}
		if file, found := strings.CutPrefix(link[1], "docs/"); found {
			if docs[file] == nil {
				t.Fatalf("the page needs %s, which does not exist", file)
			}
			if w := get(file); w.Code != http.StatusOK || w.Body.Len() == 0 || w.Header().Get("Content-Type") == "" {
				t.Errorf("%s: got status %d and %d bytes", file, w.Code, w.Body.Len())
			}
		}
	}
}
