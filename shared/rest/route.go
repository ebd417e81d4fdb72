package rest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"nepenthes/shared/access"
	"nepenthes/shared/api"
	"nepenthes/shared/fault"
	"nepenthes/shared/limits"
	"nepenthes/shared/required"
	"nepenthes/shared/rest/hal"
	"nepenthes/shared/rest/mergepatch"
	"nepenthes/shared/throttle"
)

// spec describes a route: its texts in the document, and everything that the types of its operation do not express.
type spec struct {
	method, path      string
	id, tag           string
	summary, about    string
	status            int  // of success; 0 means 200
	optionalBody      bool // whether an absent body is an empty object
	bodyMax           int  // in bytes; 0 means limits.RequestBody
	faults            []fault.Kind
	answers           string         // the answer of success
	class             throttle.Class // of the rate limit; empty means throttle.Requests
	whileSwitchedOff  string         // the resource whose scopes admit a caller while the API is off
	alternativeStatus int            // another status of success, or 0
}

// route is one method of one path.
type route struct {
	spec
	scope  access.Scope
	in     *input
	output reflect.Type
	do     func(x *exchange, body []byte) (any, error)
}

// view holds what every representation of an answer depends on.
type view struct {
	hal.Paths
	now time.Time
}

// addRoute adds the route of an operation. W is a pointer to the request on the wire, as bind.go reads it, and in turns it
// into the operation's input. out turns the operation's answer into its representation R.
func addRoute[W, I, O, R any](h *Handler, op api.Operation[I, O], s spec, in func(W) (I, error), out func(view, O) R) {
	addPaged(h, op, s, in, func(v view, _ W, answer O) R { return out(v, answer) })
}

// addPaged adds a route as addRoute does. Its representation also depends on the request, as that of a page does.
func addPaged[W, I, O, R any](h *Handler, op api.Operation[I, O], s spec, in func(W) (I, error), out func(view, W, O) R) {
	h.add(s, op.Scope, reflect.TypeFor[W]().Elem(), reflect.TypeFor[R]().Elem(), func(x *exchange, request any) (any, error) {
		wire := request.(W)
		input, err := in(wire)
		if err != nil {
			return nil, err
		}
		answer, err := op.Do(x.r.Context(), x.call, input)
		if err != nil {
			return nil, err
		}
		return out(x.view(), wire, answer), nil
	})
}

// add adds a route. do gets a pointer to a request of the type wire. add is not generic, so the compiler makes only one copy
// of its code for all routes.
func (h *Handler) add(s spec, scope access.Scope, wire, output reflect.Type, do func(x *exchange, request any) (any, error)) {
	reads := inputOf(wire)
	h.routes = append(h.routes, &route{
		spec: s.completed(), scope: scope, in: reads, output: output,
		do: func(x *exchange, body []byte) (any, error) {
			request := reflect.New(wire)
			if err := reads.read(x, body, request.Elem()); err != nil {
				return nil, err
			}
			return do(x, request.Interface())
		},
	})
}

func (x *exchange) view() view { return view{x.paths, x.h.Now().UTC().Truncate(time.Millisecond)} }

// noInput returns the input of an operation that needs none.
func noInput(*struct{}) (*api.None, error) { return &api.None{}, nil }

// noAnswer represents the answer of an operation that returns nothing.
func noAnswer(view, *api.None) *struct{} { return nil }

// completed returns s with its defaults.
func (s spec) completed() spec {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	if s.bodyMax == 0 {
		s.bodyMax = limits.RequestBody
	}
	if s.class == "" {
		s.class = throttle.Requests
	}
	return s
}

// serve checks the request in the order that docs/api.md describes, carries it out and answers.
func (rt *route) serve(x *exchange) {
	body, err := rt.admit(x)
	if err != nil {
		x.fail(err)
		return
	}
	answer, err := rt.do(x, body)
	if err != nil {
		x.fail(err)
		return
	}
	x.answer(rt, answer)
}

// admit makes the checks that do not depend on the operation, and reads the body. Rate limits belong to clients, so admit
// first finds the client. It reads the body only for a caller that may use the operation.
func (rt *route) admit(x *exchange) (body []byte, err error) {
	if x.call.Caller, err = x.authenticate(); err != nil {
		return nil, err
	}
	if x.h.Throttle != nil {
		if err := x.h.Throttle.Take(x.r.Context(), x.call.ClientID, rt.class); err != nil {
			return nil, err
		}
	}
	if !x.settings.APIEnabled && !rt.opensSwitchedOff(x.call) {
		return nil, fault.New(fault.APIDisabled, "The REST web service is switched off.").
			With("Ask an administrator to switch it on in the settings.")
	}
	if err := api.Permit(x.call.Caller, rt.scope); err != nil {
		return nil, err
	}
	x.paths, x.call.Host = hal.Paths{Prefix: x.h.Prefix(x.r)}, x.r.Host
	x.call.Via, x.call.Request = api.ViaAPI, x.RequestID
	if body, err = rt.readBody(x); err != nil {
		return nil, err
	}
	x.plain, err = negotiate(strings.Join(x.r.Header.Values("Accept"), ","))
	return body, err
}

// opensSwitchedOff reports whether the caller may use the route while the API is off. Only the routes of the settings can
// be used then, because nobody could switch the API on again without them.
func (rt *route) opensSwitchedOff(call api.Call) bool {
	return rt.whileSwitchedOff != "" && call.Allows(access.Scope(rt.whileSwitchedOff+":read"))
}

// readBody reads the body and checks its type. A route that does not need a body ignores it, unless it is too large.
func (rt *route) readBody(x *exchange) ([]byte, error) {
	if rt.in.body == nil {
		if x.r.ContentLength > int64(limits.RequestBody) {
			return nil, tooLarge(limits.RequestBody)
		}
		return nil, nil
	}
	body, err := readText(x.r, rt.bodyMax)
	if err != nil {
		return nil, err
	}
	contentType := x.r.Header.Get("Content-Type")
	if len(body) == 0 && contentType == "" {
		if rt.optionalBody {
			return nil, nil
		}
		return nil, mergepatch.Missing()
	}
	if err := checkType(contentType, x.r.Header.Get("Content-Encoding"), rt.readable()); err != nil {
		return nil, err
	}
	if len(body) == 0 && !rt.optionalBody {
		return nil, mergepatch.Missing()
	}
	return body, nil
}

// readable returns the media types of bodies that the route accepts.
func (rt *route) readable() []string {
	switch {
	case rt.in.event != "":
		return []string{typeJSON, typeCloudEvent}
	case rt.method == http.MethodPatch:
		return []string{typeJSON, typePatch}
	}
	return []string{typeJSON}
}

// answer writes the answer of a successful operation.
func (x *exchange) answer(rt *route, answer any) {
	header := x.Header()
	header.Set("Cache-Control", "no-store") // an answer depends on the token
	if rt.status == http.StatusNoContent {
		x.WriteHeader(rt.status)
		return
	}
	body, err := encode(answer)
	if err != nil {
		x.fail(err)
		return
	}
	status := rt.status
	if made, ok := answer.(interface{ Created() bool }); ok && made.Created() {
		status = http.StatusCreated
	}
	if v, ok := answer.(hal.Versioned); ok {
		header.Set("ETag", v.ETag())
	}
	if l, ok := answer.(hal.Located); ok && (status == http.StatusCreated || status == http.StatusAccepted) {
		header.Set("Location", l.Location())
	}
	contentType := typeHAL
	if x.plain {
		contentType = typeJSON
	}
	header.Set("Content-Type", contentType+"; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	x.WriteHeader(status)
	x.Write(body) // an error means that the client has gone
}

// encode returns an answer as JSON. If the answer is too large for a function on AWS, encode leaves out the parts that can be
// left out. If there are no such parts, it returns a fault that says how to ask for less.
func encode(answer any) ([]byte, error) {
	if s, ok := answer.(hal.Shortened); ok {
		if err := s.Fit(limits.ResponseBody); err != nil {
			return nil, err
		}
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false) // the header nosniff keeps browsers from showing an answer as a page
	if err := encoder.Encode(answer); err != nil {
		return nil, err
	}
	sized, divisible := answer.(hal.Sized)
	if !divisible || buffer.Len() <= limits.ResponseBody {
		return buffer.Bytes(), nil
	}
	parts, largest := sized.Parts(), 0
	for _, part := range parts {
		text, err := json.Marshal(part)
		if err != nil {
			return nil, err
		}
		largest = max(largest, len(text))
	}
	return nil, api.TooLarge(len(parts), largest, limits.ResponseBody)
}

// resource is one path with its methods.
type resource struct {
	methods   map[string]func(*exchange)
	allow     string
	documents bool // whether the path exists only while the documentation is switched on
}

// ServeHTTP serves the method of the request. HEAD is GET without a body, and OPTIONS lists the methods.
func (res *resource) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := w.(*exchange) // only ServeHTTP of the Handler calls it
	if res.documents && !x.settings.DocsEnabled {
		x.fail(noPath())
		return
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	switch serve, known := res.methods[method]; {
	case known:
		serve(x)
	case method == http.MethodOptions:
		x.Header().Set("Allow", res.allow)
		x.WriteHeader(http.StatusNoContent)
	default:
		x.Header().Set("Allow", res.allow)
		x.fail(fault.New(fault.MethodNotAllowed, "This path has no method %s.", r.Method).With("Use one of " + res.allow + "."))
	}
}

// order is the order in which methods are listed.
var order = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

// add adds a method and lists it in Allow.
func (res *resource) add(method string, serve func(*exchange)) {
	if res.methods == nil {
		res.methods = map[string]func(*exchange){}
	}
	res.methods[method] = serve
	res.allow = strings.Join(slices.DeleteFunc(slices.Clone(order), func(m string) bool {
		if m == http.MethodHead {
			m = http.MethodGet
		}
		return res.methods[m] == nil && m != http.MethodOptions
	}), ", ")
}

// mount registers all resources with the mux. It does not register methods there, because the mux itself would answer other
// methods, and its answer is not a problem document. A request for any other path gets a fault of kind NotFound.
func (h *Handler) mount() {
	resources := map[string]*resource{}
	at := func(pattern string) *resource {
		if resources[pattern] == nil {
			resources[pattern] = &resource{}
			h.mux.Handle(pattern, resources[pattern])
		}
		return resources[pattern]
	}
	for _, rt := range h.routes {
		at(rt.path).add(rt.method, rt.serve)
	}
	for _, m := range h.Mounts {
		at(m.Path).add(m.Method, func(x *exchange) { m.Handler.ServeHTTP(x, x.r) })
	}
	h.shareMethods(resources)
	document := func(pattern string, serve func(*exchange)) {
		at(pattern).documents = true
		at(pattern).add(http.MethodGet, serve)
	}
	if required.Missing(h.Operations) == "" {
		document(pathDocument, (*exchange).serveDocument)
	}
	for name, file := range h.Docs {
		document(strings.TrimSuffix(pathDocs+"/"+name, "/"), func(x *exchange) { file.ServeHTTP(x, x.r) })
	}
	h.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.(*exchange).fail(noPath()) })
}

// shareMethods adds the methods of events/{id} to a path such as events/explain, which is also the path of an event with
// the id "explain".
func (h *Handler) shareMethods(resources map[string]*resource) {
	for _, rt := range h.routes {
		parent, parameter := path.Split(rt.path)
		if !strings.HasPrefix(parameter, "{") {
			continue
		}
		for literal, res := range resources {
			dir, name := path.Split(literal)
			if dir != parent || strings.HasPrefix(name, "{") || res.methods[rt.method] != nil {
				continue
			}
			res.methods[rt.method] = func(x *exchange) { // Allow lists only the methods that the document has for the path
				x.r.SetPathValue(strings.Trim(parameter, "{}"), name)
				rt.serve(x)
			}
		}
	}
}

// Paths without an operation.
const (
	pathDocument = hal.Base + "/openapi.json"
	pathDocs     = "/api/docs"
)
