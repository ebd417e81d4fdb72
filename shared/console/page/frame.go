// Package page holds the view models of the console: what each template of package web shows, in the words in which
// it is shown. They are made from what the operations of the API answer; here is decided how a state is called, what
// a failure means and what to do about it. Nothing here reads, writes or decides.
package page

import (
	"nepenthes/shared/access"
	"nepenthes/web"
)

// Console is the path of the console below the stage path.
const Console = "/admin"

// Frame is what every page has around its own content.
type Frame struct {
	// Title is the page's heading and what its tab is called.
	Title string
	// Base is the stage path by which the request came; every address begins with it.
	Base string
	// Client names who is signed in; empty: nobody.
	Client     string
	Navigation []Entry
	// Notice says what has just been done.
	Notice string
	// Warnings tell of what was accepted just now and is not advisable.
	Warnings []string
	// RequestID names the request where the operator may have to look it up.
	RequestID string
}

// To is the address of a page of the console; "" is its beginning.
func (f Frame) To(path string) string { return f.Base + Console + path }

// Asset is the address of a static file.
func (f Frame) Asset(name string) string { return f.To("/static/" + web.Asset(name)) }

// Entry is a line of the navigation.
type Entry struct {
	Label, Href string
	Current     bool
}

// Crumb leads back to a page above this one.
type Crumb struct{ Label, Href string }

// entries are the navigation, each with the scope that opens it.
var entries = []struct {
	label, path string
	scope       access.Scope
}{
	{"API", "/api", access.SettingsRead},
	{"Webhooks", "/webhooks", access.WebhooksRead},
	{"Deliveries", "/deliveries", access.DeliveriesRead},
	{"Applications", "/applications", access.ClientsRead},
	{"Why (not)?", "/why", access.WebhooksRead},
}

// Navigation lists what the scopes open. current is the path of the page that is shown, within the console; the docs
// page is listed while it is on.
func Navigation(base string, scopes []access.Scope, current string, docs bool) []Entry {
	var list []Entry
	for _, e := range entries {
		if access.Allows(scopes, e.scope) {
			list = append(list, Entry{Label: e.label, Href: base + Console + e.path, Current: e.path == current})
		}
	}
	if docs {
		list = append(list, Entry{Label: "API documentation", Href: DocsHref(base)})
	}
	return list
}

// DocsHref is the address of the documentation page.
func DocsHref(base string) string { return base + "/api/docs" }

// First is the address of the first page of the console that the scopes open, "" when they open none.
func First(base string, scopes []access.Scope) string {
	if list := Navigation(base, scopes, "", false); len(list) > 0 {
		return list[0].Href
	}
	return ""
}

// Message is a page that only says something.
type Message struct {
	Frame
	Text []string
	Ways []Crumb
}

// Confirm asks before something that cannot be undone.
type Confirm struct {
	Frame
	Trail                  []Crumb
	Summary                *Summary
	Consequences           []string
	Action, Button, Cancel string
}

// Secret shows what is shown only once.
type Secret struct {
	Frame
	Trail []Crumb
	Lines []SecretLine
	Notes []string
	Next  string
}

// SecretLine is one value with what it is called.
type SecretLine struct{ ID, Label, Text string }

// Lapsed tells that a form came after the session had ended, and keeps its input.
type Lapsed struct {
	Frame
	Action, Button, SignIn string
	Inputs                 []Input
	// Forgotten: there was input that must not be shown again.
	Forgotten bool
}

// Input is a name and a value that a form carries on.
type Input struct{ Name, Value string }

// SignIn is where a client begins a session.
type SignIn struct {
	Frame
	Summary    *Summary
	ID, Secret Field
	Back       string
}

// NewSignIn makes the page; id is what was typed before, back the page that was asked for.
func NewSignIn(f Frame, id, back string, refused error) *SignIn {
	f.Title = "Sign in"
	return &SignIn{
		Frame: f, Back: back, Summary: SummaryOf(refused, nil),
		ID:     Field{ID: "client_id", Name: "client_id", Label: "Client ID", Value: id, Width: "code", Autocomplete: "username"},
		Secret: Field{ID: "client_secret", Name: "client_secret", Label: "Client secret", Type: "password", Autocomplete: "current-password"},
	}
}
