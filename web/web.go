// Package web contains what browsers receive: the templates of the console's pages, its style sheet, script and icon,
// and the documentation page of the API. The files are embedded and served as they are; there is no build step.
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

// Templates and assets are created on first use, not in package initialization. So a program that links this package
// without using it does not contain the files.
var (
	pagesOnce  sync.Once
	pages      map[string]*template.Template
	assetsOnce sync.Once
	assets     map[string]asset
)

// makePages parses one template for each page, from the layout, the shared parts, and the page's own content.
func makePages() {
	shared := template.Must(template.ParseFS(files, "templates/layout/*.html"))
	pages = map[string]*template.Template{}
	for _, name := range must(fs.Glob(files, "templates/*.html")) {
		page := template.Must(template.Must(shared.Clone()).ParseFS(files, name))
		pages[strings.TrimSuffix(path.Base(name), ".html")] = page
	}
}

// ErrTooLarge reports that a page would be larger than its limit.
var ErrTooLarge = errors.New("the page is too large")

// Render returns the page templates/<page>.html filled with view. It returns ErrTooLarge as soon as the page has more
// than most bytes, so that a page never takes more memory than that. It also returns an error if the page does not exist or
// the view does not fit the template. Both are mistakes in this program.
func Render(page string, view any, most int) ([]byte, error) {
	pagesOnce.Do(makePages)
	t, known := pages[page]
	if !known {
		return nil, fmt.Errorf("there is no page %q", page)
	}
	written := bounded{most: most}
	if err := t.ExecuteTemplate(&written, "layout", view); err != nil {
		return nil, fmt.Errorf("render the page %s: %w", page, err)
	}
	return written.text.Bytes(), nil
}

// bounded is a buffer for a limited number of bytes.
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

// asset is a file that browsers may cache, because its name changes with its content.
type asset struct {
	name    string // contains a hash of the content
	content []byte
}

// makeAssets loads the static files. The keys of assets are their plain names.
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

// Asset returns the name under which a static file is served, such as style.0123456789ab.css for style.css. It panics if the
// file does not exist.
func Asset(plain string) string {
	assetsOnce.Do(makeAssets)
	a, exists := assets[plain]
	if !exists {
		panic("web: there is no static file " + plain)
	}
	return a.name
}

// keepForAYear allows browsers and proxies to cache a file. Changed content has another name.
const keepForAYear = "public, max-age=31536000, immutable"

// ServeAsset serves the static file with a name that [Asset] returned. If there is no such file, ServeAsset writes nothing and
// returns false.
func ServeAsset(w http.ResponseWriter, r *http.Request, name string) bool {
	assetsOnce.Do(makeAssets)
	for _, a := range assets {
		if a.name == name {
			w.Header().Set("Cache-Control", keepForAYear)
			http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(a.content))
			return true
		}
	}
	return false
}

// must returns value. It panics if err is not nil, which cannot happen for embedded files.
func must[T any](value T, err error) T {
	if err != nil {
		panic("web: " + err.Error())
	}
	return value
}
