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

// frame returns the parts around the content of every page. The page itself sets the title.
func (x *exchange) frame() page.Frame {
	query := x.r.URL.Query()
	f := page.Frame{Base: x.base, Notice: notices[query.Get("done")], Warnings: warningsNamed(query["warned"])}
	if x.client.ID != "" {
		f.Client = page.NameOf(x.client.Name, x.client.ID)
		f.Navigation = page.Navigation(x.base, x.client.Scopes, x.section, x.docs)
	}
	return f
}

// notices maps the word in the query of a redirect to the message that the next page shows. If the query contained the
// message itself, a link could make the console show any text.
var notices = map[string]string{
	"saved":      "Successful update.",
	"created":    "Created.",
	"deleted":    "Deleted.",
	"enabled":    "Enabled.",
	"disabled":   "Disabled.",
	"paused":     "Paused. Deliveries are held until you resume the webhook.",
	"released":   "Resumed. What was held is being sent.",
	"dropped":    "Resumed. What was held is being dropped.",
	"retry":      "Another attempt will be made.",
	"ping":       "The test event is on its way.",
	"removed":    "The secret was removed.",
	"revoked":    "All tokens and sessions were ended.",
	"signed_out": "You are signed out.",
}

// render answers with a page. For a page that would be too large for a function on AWS it returns a fault that says what to
// do.
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
	_, _ = x.Write(text) // it is not an error when the client has gone
	return nil
}

func (x *exchange) tooLarge() error {
	if x.r.Method == http.MethodPost {
		return fault.New(fault.PayloadTooLarge, "The input is too long to be shown again.").With("Go back and shorten it.")
	}
	return fault.New(fault.InvalidQuery, "This page would be larger than %d bytes.", limits.PageBody).With("Use a smaller pageSize.")
}

// formStatus returns the status of a page with a form: 422 if the form is shown again because of err.
func formStatus(err error) int {
	if err != nil {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

// redirect leads the browser to another page. The status 303 makes it use GET, so that reloading the page does not send the
// form again.
func (x *exchange) redirect(href string) {
	x.Header().Set("Location", href)
	x.WriteHeader(http.StatusSeeOther)
}

// redirectWithNotice leads to a page that shows the notice named what, and the warnings.
func (x *exchange) redirectWithNotice(path, what string, warnings ...api.Warning) error {
	query := url.Values{"done": {what}}
	for _, w := range warnings {
		query.Add("warned", w.Name)
	}
	x.redirect(x.base + page.Console + path + "?" + query.Encode())
	return nil
}

// warningsNamed returns the messages of the warnings with these names. It ignores unknown names, because anybody can write a
// link with any names.
func warningsNamed(names []string) (messages []string) {
	for _, w := range api.Warnings() {
		if slices.Contains(names, w.Name) {
			messages = append(messages, w.Message)
		}
	}
	return messages
}

// fail answers with a page about err.
func (x *exchange) fail(err error) { x.showFault(x.Fault(err)) }

// showFault answers with a page about a fault. It shows the id of the request if only the operator can help, who finds the
// cause in the log.
func (x *exchange) showFault(f *fault.Fault) {
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
	httpedge.SetRetryAfter(x.Header(), f)
	view.Links = []page.Crumb{{Label: "Go to the first page", Href: frame.To("")}}
	if err := x.render(f.Kind.Status(), "message", view); err != nil {
		x.LogFailure(err) // there is no page about this failure, so the answer is plain text
		http.Error(x, "Request "+x.RequestID+" failed.", http.StatusInternalServerError)
	}
}

// refuseForeignOrigin answers a form that was sent from another origin.
func (x *exchange) refuseForeignOrigin() {
	frame := x.frame()
	frame.Notice, frame.Warnings, frame.Title = "", nil, "This form came from another site"
	view := page.Message{
		Frame: frame,
		Text: []string{
			"Your browser says that another site sent this request. Nothing was done.",
			"If you sent it, open the page here and press the button again. If not, close the other site.",
		},
		Links: []page.Crumb{{Label: "Go to the first page", Href: frame.To("")}},
	}
	if err := x.render(http.StatusForbidden, "message", view); err != nil {
		x.LogFailure(err)
	}
}

// secretFields are the fields whose values no page shows again.
var secretFields = []string{"secret", "header_value", "client_secret"}

// keepInput answers a form that was sent without a session. The page contains the input, so that the user can sign in and send
// it again.
func (x *exchange) keepInput() error {
	if err := x.readForm(); err != nil {
		return err
	}
	frame := x.frame()
	frame.Title = "Your session has ended"
	view := page.SessionEnded{
		Frame: frame, Action: x.base + x.r.URL.RequestURI(), Button: x.action, SignIn: frame.To("/sign_in"),
	}
	fields := form.Cleared(x.r.PostForm, secretFields)
	for _, name := range fields.Names() {
		for _, value := range fields.Values[name] {
			view.Inputs = append(view.Inputs, page.Input{Name: name, Value: value})
		}
	}
	view.Cleared = slices.ContainsFunc(secretFields, func(name string) bool {
		return slices.ContainsFunc(x.r.PostForm[name], func(value string) bool { return value != "" })
	})
	return x.render(http.StatusUnauthorized, "session_ended", view)
}
