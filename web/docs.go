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

// Policy is the Content-Security-Policy of every page. It allows no other host and no inline script or style, and no
// frame may contain a page.
const Policy = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// Docs returns handlers for the interactive documentation of the API, by file name: Swagger UI, which reads the OpenAPI
// document. The page itself has the name "". The caller must mount it at /api/docs and the other files below it. Links
// are relative, so they work below any stage path. Docs does not check whether the page is switched on.
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

// keepForAnHour allows browsers to cache a file for an hour only, because its name does not change with its content.
const keepForAnHour = "public, max-age=3600"

func docsFile(name, cache string, content func() []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", Policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Cache-Control", cache)
		header.Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content()))
	})
}

func embedded(name string) func() []byte { return func() []byte { return must(files.ReadFile(name)) } }

// unpacked returns a function for the content of a file of Swagger UI. Its module contains compressed files; each is
// decompressed at the first request. The server in front compresses answers as browsers ask.
func unpacked(name string) func() []byte {
	return sync.OnceValue(func() []byte {
		packed := must(fs.ReadFile(static.FS, name+".gz"))
		return must(io.ReadAll(must(gzip.NewReader(bytes.NewReader(packed)))))
	})
}
