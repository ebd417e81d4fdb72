package rest

import (
	"net/http"
	"slices"
	"strings"
)

// The headers of cross-origin resource sharing (Fetch standard, "HTTP extensions").
const (
	headerOrigin         = "Origin"
	headerRequestMethod  = "Access-Control-Request-Method"
	headerRequestHeaders = "Access-Control-Request-Headers"

	corsMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
	corsExposed = "ETag, Location, Retry-After, X-Request-Id"
	corsMaxAge  = "7200" // seconds; no browser keeps the answer to a preflight longer
)

// isPreflight reports whether the request is a preflight, with which a browser asks whether a page may make a request.
func (x *exchange) isPreflight() bool {
	return x.r.Method == http.MethodOptions && x.r.Header.Get(headerRequestMethod) != ""
}

// shareAcrossOrigins sets the headers that let a page of an allowed origin read the answer. It is called before anything
// can fail, so that the page can read every fault. A request from another origin is answered without these headers, so that
// the browser hides the answer from the page.
func (x *exchange) shareAcrossOrigins() {
	if !x.settings.CORSEnabled || !crossable(x.r.URL.Path) {
		return
	}
	header := x.Header()
	header.Add("Vary", headerOrigin)
	if x.isPreflight() {
		header.Add("Vary", headerRequestMethod+", "+headerRequestHeaders)
	}
	origin := x.r.Header.Get(headerOrigin)
	if !slices.Contains(x.settings.AllowedOrigins, origin) {
		return
	}
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Allow-Credentials", "true")
	header.Set("Access-Control-Expose-Headers", corsExposed)
	if !x.isPreflight() {
		return
	}
	header.Set("Access-Control-Allow-Methods", corsMethods)
	header.Set("Access-Control-Max-Age", corsMaxAge)
	if asked := x.r.Header.Get(headerRequestHeaders); asked != "" {
		header.Set("Access-Control-Allow-Headers", asked)
	}
}

// crossable reports whether pages of other origins may read the path at all. They may not read the console, where the cookie
// of an administrator would let them do anything.
func crossable(path string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return first == "api" || first == "oauth" || first == ".well-known"
}
