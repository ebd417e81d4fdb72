package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/swaggest/swgui/v5/static"
)

// docsPolicy is the Content-Security-Policy of the documentation page: no other host, no inline script or style.
const docsPolicy = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// docsFile is a file below the page, and whether there is one of that name.
func docsFile(name string) (content []byte, known bool) {
	switch name {
	case "docs.js", "docs.css":
		return must(files.ReadFile("docs/" + name)), true
	case "icon.svg":
		return must(files.ReadFile("static/" + name)), true
	case "swagger-ui.css":
		openedStyle.Do(func() { style = open(name) })
		return style, true
	case "swagger-ui-bundle.js":
		openedBundle.Do(func() { bundle = open(name) })
		return bundle, true
	}
	return nil, false
}

// Swagger UI's files as they are served; its module keeps them compressed.
var (
	openedStyle, openedBundle sync.Once
	style, bundle             []byte
)

// open opens a file of Swagger UI. Whoever serves us compresses as the browser asks.
func open(name string) []byte {
	packed := must(fs.ReadFile(static.FS, name+".gz"))
	return must(io.ReadAll(must(gzip.NewReader(bytes.NewReader(packed)))))
}

// Docs serves the page that documents the API, interactively: Swagger UI, which reads the OpenAPI document beside it.
// It is to be mounted at /api/docs and below; its links are relative to that, so any stage path will do. Whether the
// page is switched on is for whoever mounts it to ask. What it does not have is answered 404.
func Docs() http.Handler { return http.HandlerFunc(serveDocs) }

func serveDocs(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", docsPolicy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "same-origin")
	name, below := strings.CutPrefix(r.URL.Path, "/api/docs/")
	if !below {
		header.Set("Cache-Control", "no-store")
		http.ServeContent(w, r, "index.html", time.Time{}, bytes.NewReader(must(files.ReadFile("docs/index.html"))))
		return
	}
	content, known := docsFile(name)
	if !known {
		http.NotFound(w, r)
		return
	}
	// The names stay when the content changes, so browsers ask again after an hour.
	header.Set("Cache-Control", "public, max-age=3600")
	header.Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
}
