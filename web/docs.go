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

// docsFiles are the files below the page, each with where its content comes from.
var docsFiles = map[string]func() []byte{
	"docs.js":              embedded("docs/docs.js"),
	"docs.css":             embedded("docs/docs.css"),
	"icon.svg":             embedded("static/icon.svg"),
	"swagger-ui.css":       swaggerUI("swagger-ui.css"),
	"swagger-ui-bundle.js": swaggerUI("swagger-ui-bundle.js"),
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
		http.ServeContent(w, r, "index.html", time.Time{}, bytes.NewReader(embedded("docs/index.html")()))
		return
	}
	content, known := docsFiles[name]
	if !known {
		http.NotFound(w, r)
		return
	}
	// The names stay when the content changes, so browsers ask again after an hour.
	header.Set("Cache-Control", "public, max-age=3600")
	header.Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content()))
}

func embedded(name string) func() []byte {
	return func() []byte { return must(files.ReadFile(name)) }
}

// swaggerUI reads a file of Swagger UI, which its module keeps compressed. Whoever serves us compresses as the
// browser asks, so it is opened once and kept.
func swaggerUI(name string) func() []byte {
	return sync.OnceValue(func() []byte {
		packed := must(fs.ReadFile(static.FS, name+".gz"))
		return must(io.ReadAll(must(gzip.NewReader(bytes.NewReader(packed)))))
	})
}
