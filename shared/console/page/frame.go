// Package page has the view models of the console: the data and the texts that the templates of package web show. It
// makes them from the nouns that the operations of package api return. It names states, and explains failures and what to
// do about them. It does not read or write anything.
package page

import (
	"nepenthes/shared/access"
	"nepenthes/web"
)

// Console is the path of the console below the stage path.
const Console = "/admin"

// Frame has the parts around the content of every page.
type Frame struct {
	// Title is the heading of the page and the title of its tab.
	Title string
	// Base is the stage path of the request, with which every address begins.
	Base string
	// Client is the name of the client that is signed in. It is empty if nobody is signed in.
	Client     string
	Navigation []Entry
	// Notice is a message about what was just done.
	Notice string
	// Warnings are about input that was accepted but is not recommended.
	Warnings []string
	// RequestID is the id of a failed request, with which the operator finds it in the log.
	RequestID string
}

// To returns the address of a page of the console. The path of the console itself is "".
func (f Frame) To(path string) string { return f.Base + Console + path }

// Asset returns the address of a static file.
func (f Frame) Asset(name string) string { return f.To("/static/" + web.Asset(name)) }

// Entry is a line of the navigation.
type Entry struct {
	Label, Href string
	Current     bool
}

// Crumb is a link to a page above this one.
type Crumb struct{ Label, Href string }

// entries are the entries of the navigation, each with the scope that a client needs. The console begins with the first entry
// that the client may see.
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

// Navigation returns the entries that the scopes allow. current is the path of the current page in the console. docs reports
// whether the documentation page is on.
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

// DocsHref returns the address of the documentation page.
func DocsHref(base string) string { return base + "/api/docs" }

// FirstHref returns the address of the first page of the console that the scopes allow, or "" if they allow none.
func FirstHref(base string, scopes []access.Scope) string {
	if list := Navigation(base, scopes, "", false); len(list) > 0 {
		return list[0].Href
	}
	return ""
}

// Message is a page with only a text and links.
type Message struct {
	Frame
	Text  []string
	Links []Crumb
}

// Confirm is a page that asks before a change that cannot be undone.
type Confirm struct {
	Frame
	Trail                  []Crumb
	Summary                *Summary
	Consequences           []string
	Action, Button, Cancel string
}

// Secret is a page that shows a new secret.
type Secret struct {
	Frame
	Trail []Crumb
	Lines []SecretLine
	Notes []string
	Next  string
}

// SecretLine is a value with its label.
type SecretLine struct{ ID, Label, Text string }

// SessionEnded is the page for a form that was sent after its session had ended. The page contains the input.
type SessionEnded struct {
	Frame
	Action, Button, SignIn string
	Inputs                 []Input
	// Cleared reports whether the input had secrets, which the page does not contain.
	Cleared bool
}

// Input is the name and value of a hidden field.
type Input struct{ Name, Value string }

// SignIn is the page on which a client signs in.
type SignIn struct {
	Frame
	Summary    *Summary
	ID, Secret Field
	Back       string
}

// NewSignIn returns the page. id is the id that was typed before, and back is the path of the requested page.
func NewSignIn(f Frame, id, back string, refused error) *SignIn {
	f.Title = "Sign in"
	return &SignIn{
		Frame: f, Back: back, Summary: SummaryOf(refused, nil),
		ID:     Field{ID: "client_id", Name: "client_id", Label: "Client ID", Value: id, Width: "code", Autocomplete: "username"},
		Secret: Field{ID: "client_secret", Name: "client_secret", Label: "Client secret", Type: "password", Autocomplete: "current-password"},
	}
}
