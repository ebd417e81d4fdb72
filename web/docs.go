package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"sync"
	"time"

	"github.com/swaggest/swgui/v5/static"
)

// docsPolicy is the Content-Security-Policy of the documentation page: no other host, no inline script or style.
const docsPolicy = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// Docs are the files of the page that documents the API, interactively: Swagger UI, which reads the OpenAPI document
// beside it. The page itself has the name "" and is to be mounted at /api/docs, the others below; its links are
// relative to that, so any stage path will do. Whether the page is switched on is for whoever mounts it to ask.
func Docs() map[string]http.Handler {
	docs := map[string]http.Handler{"": docsFile("index.html", "no-store", embedded("docs/index.html"))}
	for name, content := range map[string]func() []byte{
		"docs.js":              embedded("docs/docs.js"),
		"docs.css":             embedded("docs/docs.css"),
		"icon.svg":             embedded("static/icon.svg"),
		"swagger-ui.css":       unpacked("swagger-ui.css"),
		"swagger-ui-bundle.js": unpacked("swagger-ui-bundle.js"),
	} {
		docs[name] = docsFile(name, keepForAnHour, content)
	}
	return docs
}

// keepForAnHour: the names stay when the content changes, so browsers ask again after an hour.
const keepForAnHour = "public, max-age=3600"

func docsFile(name, cache string, content func() []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", docsPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Cache-Control", cache)
		header.Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content()))
	})
}

func embedded(name string) func() []byte { return func() []byte { return must(files.ReadFile(name)) } }

// unpacked is a file of Swagger UI, whose module keeps them compressed: it is opened when it is first asked for. Whoever
// serves us compresses as the browser asks.
func unpacked(name string) func() []byte {
	return sync.OnceValue(func() []byte {
		packed := must(fs.ReadFile(static.FS, name+".gz"))
		return must(io.ReadAll(must(gzip.NewReader(bytes.NewReader(packed)))))
	})
}
