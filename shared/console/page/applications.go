package page

import (
	"slices"
	"strings"
	"time"

	"nepenthes/shared/access"
	"nepenthes/shared/api"
	"nepenthes/shared/console/form"
)

// Applications is the page with the list of OAuth clients.
type Applications struct {
	Frame
	NewHref string
	Rows    []ApplicationRow
	Pages   Pages
}

// ApplicationRow is an application in the list.
type ApplicationRow struct {
	Name, Href, ID string
	Scopes         []string
	Secrets        []string
	CreatedAt      *Time
}

// NewApplications returns the page.
func NewApplications(f Frame, list *api.Page[access.Client], writable bool, now time.Time) *Applications {
	f.Title = "Applications"
	p := &Applications{Frame: f}
	if writable {
		p.NewHref = f.To("/applications/new")
	}
	for i := range list.Items {
		c := &list.Items[i]
		row := ApplicationRow{
			Name: NameOf(c.Name, c.ID), Href: f.To("/applications/" + c.ID), ID: c.ID, Scopes: form.FromClient(c).Scopes, CreatedAt: Moment(c.CreatedAt),
		}
		for _, s := range liveSecrets(c, now) {
			row.Secrets = append(row.Secrets, "Created "+ageText(s.CreatedAt, now))
		}
		p.Rows = append(p.Rows, row)
	}
	p.Pages = pagesOf("applications", f.To("/applications"), list, nil)
	return p
}

// liveSecrets returns the secrets of a client that are valid at now, oldest first.
func liveSecrets(c *access.Client, now time.Time) (live []access.Secret) {
	for _, s := range c.Secrets {
		if s.Live(now) {
			live = append(live, s)
		}
	}
	return live
}

// Application is the page of an OAuth client, or the form for a new one.
type Application struct {
	Frame
	Trail                            []Crumb
	Summary                          *Summary
	ID, Self, DeleteHref, FormNumber string
	RevokeHref                       string
	Secrets                          []ClientSecret
	Action, Button, Cancel, Version  string
	Name, Scopes                     Field
	ScopeRows                        []ScopeRow
}

// ClientSecret describes a client's secret without showing it.
type ClientSecret struct {
	CreatedAt  *Time
	Age, Note  string
	RemoveHref string
}

// ScopeRow has the scopes of one resource.
type ScopeRow struct {
	Label, About string
	Boxes        []Box
}

// scopeRows are the resources of scopes, with an explanation of each.
var scopeRows = []struct{ resource, label, about string }{
	{"settings", "Settings", "The page “API”"},
	{"webhooks", "Webhooks", "Including secrets, test events and explanations"},
	{"deliveries", "Deliveries", "Requests and answers; write: retries"},
	{"events", "Events", "The content of events; write: push events"},
	{"projects", "Projects", "The list of projects"},
	{"clients", "Applications", "The pages of applications"},
}

// ApplicationOptions has what the page shows besides the input.
type ApplicationOptions struct {
	// Current is the client to be changed, or nil for a new one.
	Current *access.Client
	// Held has the scopes of the client that is signed in. It can grant no others.
	Held       []access.Scope
	FormNumber string
	// Conflict reports whether somebody else saved meanwhile. Current is then the version that they saved.
	Conflict bool
	Now      time.Time
}

// NewApplication returns the page with the input and the faults of err.
func NewApplication(f Frame, c form.Client, o ApplicationOptions, err error) *Application {
	f.Title = "New application"
	p := &Application{
		Frame: f, Trail: []Crumb{{"Applications", f.To("/applications")}}, FormNumber: o.FormNumber, Version: c.Version,
		Action: f.To("/applications/new"), Button: "Create", Cancel: f.To("/applications"),
	}
	writable := access.Allows(o.Held, access.ClientsWrite)
	if o.Current != nil {
		p.current(o.Current, o.Now)
		// With a new secret of the client, the user could get its scopes. So the user must hold all of them.
		writable = writable && holdsAll(o.Held, o.Current.Scopes)
	}
	if !writable {
		p.Button, p.DeleteHref, p.RevokeHref = "", "", ""
		for i := range p.Secrets {
			p.Secrets[i].RemoveHref = ""
		}
	}
	p.Name = Field{ID: "name", Name: "name", Label: "Name", Value: c.Name, Fixed: !writable, Hint: "Which program it is, and who owns it."}
	p.Scopes = Field{ID: "scopes", Name: "scopes", Label: "Scopes", Hint: "What the application may do. Write includes read. You can grant only scopes that you hold yourself."}
	p.scopes(c.Scopes, o.Held, writable)
	fields := []*Field{&p.Name, &p.Scopes}
	if o.Conflict {
		theirs := form.FromClient(o.Current)
		p.Version, p.Summary = theirs.Version, Conflict()
		Compare([]string{c.Name, scopesText(c.Scopes)}, []string{theirs.Name, scopesText(theirs.Scopes)}, fields)
		return p
	}
	AssignFaults(err, []string{"name", "scopes"}, fields)
	p.Summary = SummaryOf(err, fields)
	return p
}

// current fills in the attributes of an existing client.
func (p *Application) current(c *access.Client, now time.Time) {
	self := p.To("/applications/" + c.ID)
	p.Title, p.ID, p.Self, p.Action, p.Button = NameOf(c.Name, c.ID), c.ID, self, self, "Save"
	p.DeleteHref, p.RevokeHref = self+"/delete", self+"/revoke"
	live := liveSecrets(c, now)
	for i, s := range live {
		secret := ClientSecret{CreatedAt: Moment(s.CreatedAt), Age: ageText(s.CreatedAt, now), RemoveHref: self + "/secrets/" + s.ID + "/remove"}
		if len(live) > 1 { // the ages may be equal
			secret.Note = map[bool]string{true: "newest", false: "older"}[i == len(live)-1]
		}
		p.Secrets = append(p.Secrets, secret)
	}
}

// scopes fills the table of scopes.
func (p *Application) scopes(chosen []string, held []access.Scope, writable bool) {
	for _, row := range scopeRows {
		r := ScopeRow{Label: row.label, About: row.about}
		for _, mode := range []string{":read", ":write"} {
			scope := row.resource + mode
			r.Boxes = append(r.Boxes, Box{Value: scope, Checked: slices.Contains(chosen, scope), Fixed: !writable || !access.Allows(held, access.Scope(scope))})
		}
		p.ScopeRows = append(p.ScopeRows, r)
	}
}

func holdsAll(held, scopes []access.Scope) bool {
	return !slices.ContainsFunc(scopes, func(s access.Scope) bool { return !access.Allows(held, s) })
}

func scopesText(scopes []string) string {
	return strings.Join(slices.Sorted(slices.Values(scopes)), ", ")
}

// NewClientSecret returns the page that shows a new secret of an application.
func NewClientSecret(f Frame, c *api.IssuedClientSecret, title string, notes ...string) *Secret {
	f.Title = title
	self := f.To("/applications/" + c.ID)
	return &Secret{
		Frame: f, Trail: []Crumb{{"Applications", f.To("/applications")}, {NameOf(c.Name, c.ID), self}}, Next: self, Notes: notes,
		Lines: []SecretLine{{ID: "client-id", Label: "Client ID", Text: c.ID}, {ID: "new-secret", Label: "Client secret", Text: c.Secret}},
	}
}
