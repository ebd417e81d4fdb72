// Package web holds what a browser gets: the templates of the console's pages, its style sheet, script and icon, and
// the page that documents the API. All of it is embedded and nothing is built, so that what is in this folder is what
// is served.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed templates static docs
var files embed.FS

// What is made of the files is made when it is first asked for, and by nothing that runs at the start: a program that
// links this package without using it has none of its files.
var (
	madePages  sync.Once
	pages      map[string]*template.Template
	madeAssets sync.Once
	assets     map[string]asset
)

// makePages makes a template for each page: the layout, the parts that pages share, and the page's own content.
func makePages() {
	shared := template.Must(template.ParseFS(files, "templates/layout/*.html"))
	pages = map[string]*template.Template{}
	for _, name := range must(fs.Glob(files, "templates/*.html")) {
		page := template.Must(template.Must(shared.Clone()).ParseFS(files, name))
		pages[strings.TrimSuffix(path.Base(name), ".html")] = page
	}
}

// ErrTooLarge says that a page would be larger than it may be.
var ErrTooLarge = errors.New("the page is too large")

// Render makes the page of that name, templates/<page>.html, filled with view. It fails when the view does not fit the
// template, which is a fault of ours, as is a page that does not exist, and with ErrTooLarge as soon as the page has
// more than most bytes.
func Render(page string, view any, most int) ([]byte, error) {
	madePages.Do(makePages)
	t, known := pages[page]
	if !known {
		return nil, fmt.Errorf("there is no page %q", page)
	}
	whole := bounded{most: most}
	if err := t.ExecuteTemplate(&whole, "layout", view); err != nil {
		return nil, fmt.Errorf("render the page %s: %w", page, err)
	}
	return whole.text.Bytes(), nil
}

// bounded takes up to most bytes.
type bounded struct {
	text bytes.Buffer
	most int
}

func (b *bounded) Write(part []byte) (int, error) {
	if b.text.Len()+len(part) > b.most {
		return 0, ErrTooLarge
	}
	return b.text.Write(part)
}

// asset is a file that browsers may keep: its address changes with its content.
type asset struct {
	name    string // with the hash
	content []byte
}

// makeAssets finds the static files; they are known by their plain names.
func makeAssets() {
	assets = map[string]asset{}
	for _, name := range must(fs.Glob(files, "static/*")) {
		content := must(files.ReadFile(name))
		sum := sha256.Sum256(content)
		plain, extension := path.Base(name), path.Ext(name)
		hashed := strings.TrimSuffix(plain, extension) + "." + hex.EncodeToString(sum[:6]) + extension
		assets[plain] = asset{name: hashed, content: content}
	}
}

// Asset is the name under which the static file is served, such as style.0123456789ab.css for style.css. It panics
// for a file that is not there.
func Asset(plain string) string {
	madeAssets.Do(makeAssets)
	a, there := assets[plain]
	if !there {
		panic("web: there is no static file " + plain)
	}
	return a.name
}

// keepForAYear lets browsers and what stands between keep a file: another content has another name.
const keepForAYear = "public, max-age=31536000, immutable"

// ServeAsset answers with the static file that has this name of [Asset], and reports whether there is one. Otherwise
// nothing is written.
func ServeAsset(w http.ResponseWriter, r *http.Request, name string) bool {
	madeAssets.Do(makeAssets)
	for _, a := range assets {
		if a.name == name {
			w.Header().Set("Cache-Control", keepForAYear)
			http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(a.content))
			return true
		}
	}
	return false
}

// must is for what was embedded: it cannot fail once the program is built.
func must[T any](value T, err error) T {
	if err != nil {
		panic("web: " + err.Error())
	}
	return value
}
