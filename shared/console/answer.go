package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"nepenthes/shared/api"
	"nepenthes/shared/console/form"
	"nepenthes/shared/console/page"
	"nepenthes/shared/fault"
	"nepenthes/shared/httpedge"
	"nepenthes/shared/limits"
	"nepenthes/web"
)

// frame is what stands around every page. Its title is for the page to give.
func (x *exchange) frame() page.Frame {
	query := x.r.URL.Query()
	f := page.Frame{Base: x.base, Notice: notices[query.Get("done")], Warnings: warningsNamed(query["warned"])}
	if x.client.ID != "" {
		f.Client = page.NameOf(x.client.Name, x.client.ID)
		f.Navigation = page.Navigation(x.base, x.client.Scopes, x.section, x.docs)
	}
	return f
}

// notices say what has been done, by the word that a redirect carries. The list is closed: no text comes from an
// address.
var notices = map[string]string{
	"saved":      "Successful update.",
	"created":    "Created.",
	"deleted":    "Deleted.",
	"enabled":    "Enabled.",
	"disabled":   "Disabled.",
	"retry":      "Another attempt will be made.",
	"ping":       "The test event is on its way.",
	"removed":    "The secret was removed.",
	"revoked":    "All tokens and sessions were ended.",
	"signed_out": "You are signed out.",
}

// render answers with a page. One that would be too large is a fault that says what to do.
func (x *exchange) render(status int, name string, view any) error {
	text, err := web.Render(name, view, limits.PageBody)
	if errors.Is(err, web.ErrTooLarge) {
		return x.tooLarge()
	}
	if err != nil {
		return err
	}
	x.Header().Set("Content-Type", "text/html; charset=utf-8")
	x.Header().Set("Content-Length", strconv.Itoa(len(text)))
	x.WriteHeader(status)
	_, _ = x.Write(text) // who has gone need not be told
	return nil
}

func (x *exchange) tooLarge() error {
	if x.r.Method == http.MethodPost {
		return fault.New(fault.PayloadTooLarge, "What was typed is too much to be shown again.").With("Go back and type less.")
	}
	return fault.New(fault.InvalidQuery, "This page would be larger than %d bytes.", limits.PageBody).With("Ask for a smaller pageSize.")
}

// formStatus is the status of a form that is shown: 422 when it is shown again for its faults.
func formStatus(err error) int {
	if err != nil {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

// redirect leads to another page, which is then asked for with GET.
func (x *exchange) redirect(href string) {
	x.Header().Set("Location", href)
	x.WriteHeader(http.StatusSeeOther)
}

// done leads to a page of the console that says what was done, and what the operation warned of.
func (x *exchange) done(path, what string, warnings ...api.Warning) error {
	query := url.Values{"done": {what}}
	for _, w := range warnings {
		query.Add("warned", w.Name)
	}
	x.redirect(x.base + page.Console + path + "?" + query.Encode())
	return nil
}

// warningsNamed are the messages of the warnings with these names, as a redirect carries them: their list is closed,
// too.
func warningsNamed(names []string) (messages []string) {
	for _, w := range api.Warnings() {
		if slices.Contains(names, w.Name) {
			messages = append(messages, w.Message)
		}
	}
	return messages
}

// fail answers with a page about err.
func (x *exchange) fail(err error) { x.failWith(x.Fault(err)) }

// failWith answers with a page about a fault. It shows the id of the request if the operator can help.
func (x *exchange) failWith(f *fault.Fault) {
	frame := x.frame()
	frame.Notice, frame.Warnings = "", nil
	frame.Title = f.Kind.Title()
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		frame.RequestID = x.RequestID
	}
	view := page.Message{Frame: frame, Text: []string{f.Message}}
	if f.Hint != "" {
		view.Text = append(view.Text, f.Hint)
	}
	if f.RetryAfter > 0 {
		httpedge.SetRetryAfter(x.Header(), f.RetryAfter)
	}
	view.Ways = []page.Crumb{{Label: "To the start", Href: frame.To("")}}
	if err := x.render(f.Kind.Status(), "message", view); err != nil {
		x.LogFailure(err)
		http.Error(x, "Request "+x.RequestID+" failed.", http.StatusInternalServerError)
	}
}

// foreign answers a form that came from another origin.
func (x *exchange) foreign() {
	frame := x.frame()
	frame.Notice, frame.Warnings, frame.Title = "", nil, "This form came from elsewhere"
	view := page.Message{
		Frame: frame,
		Text: []string{
			"Your browser says that another site sent this request. Nothing was done.",
			"If it was you: open the page here and press the button again. If not, close the site that you came from.",
		},
		Ways: []page.Crumb{{Label: "To the start", Href: frame.To("")}},
	}
	if err := x.render(http.StatusForbidden, "message", view); err != nil {
		x.LogFailure(err)
	}
}

// unkept are the fields that are never shown again.
var unkept = []string{"secret", "header_value", "client_secret"}

// lapsed answers a form that came without a session: it keeps what was typed, so that it can be sent once more.
func (x *exchange) lapsed() error {
	if err := x.readForm(); err != nil {
		return err
	}
	frame := x.frame()
	frame.Title = "Your session has ended"
	view := page.Lapsed{
		Frame: frame, Action: x.base + x.r.URL.RequestURI(), Button: x.action, SignIn: frame.To("/sign_in"),
	}
	fields := form.Forget(x.r.PostForm, unkept)
	for _, name := range fields.Names() {
		for _, value := range fields.Values[name] {
			view.Inputs = append(view.Inputs, page.Input{Name: name, Value: value})
		}
	}
	view.Forgotten = slices.ContainsFunc(unkept, func(name string) bool {
		return slices.ContainsFunc(x.r.PostForm[name], func(value string) bool { return value != "" })
	})
	return x.render(http.StatusUnauthorized, "lapsed", view)
}
