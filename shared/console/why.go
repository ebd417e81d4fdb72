package console

import (
	"net/http"
	"net/url"

	"nepenthes/events"
	"nepenthes/shared/access"
	"nepenthes/shared/api"
	"nepenthes/shared/console/page"
	"nepenthes/shared/fault"
	"nepenthes/shared/project"
)

// why explains which webhooks want an event. GET explains an example that the address names, so that the page can be
// bookmarked. POST explains a pasted event, which can be too large for an address. Neither changes anything.
func (x *exchange) why() error {
	values, method := x.r.URL.Query(), "get"
	if x.r.Method == http.MethodPost {
		values, method = x.r.PostForm, "post"
	}
	q := page.Question{Event: values.Get("event"), Project: values.Get("project"), Pasted: values.Get("pasted")}
	projects, err := x.someProjects()
	if err != nil {
		return err
	}
	if q.Event == "" && method == "get" {
		return x.render(http.StatusOK, "why", page.NewWhy(x.frame(), q, projects, nil))
	}
	text, inputs := []byte(q.Pasted), []page.Input{{Name: "pasted", Value: q.Pasted}}
	if method == "get" {
		inputs = []page.Input{{Name: "event", Value: q.Event}, {Name: "project", Value: q.Project}}
		text, err = example(q)
	}
	in := &api.Explain{}
	if err == nil {
		err = in.Draft.ReadJSON(text)
	}
	if err == nil {
		in.Paging, err = paging(url.Values{"offset": values["page"]})
	}
	var list *api.Page[api.Explanation]
	if err == nil {
		list, err = do(x, x.h.Operations.Events.Explain, in)
	}
	if err != nil && !correctable(err) && !fault.Is(err, fault.InvalidQuery) {
		return err
	}
	p := page.NewWhy(x.frame(), q, projects, err)
	if err == nil {
		p.Answer(list, eventName(q), method, inputs)
	}
	return x.render(formStatus(err), "why", p)
}

func eventName(q page.Question) string {
	if q.Event != "" {
		return q.Event
	}
	return "this event"
}

// someProjects returns the projects to choose from. It returns nil if there are too many for a list, or if the client may
// not see projects. The page then has a field for the id.
func (x *exchange) someProjects() (some []project.Project, err error) {
	if !x.may(access.ProjectsRead) {
		return some, nil
	}
	all, err := x.projects()
	if err == nil && len(all) <= projectsShown {
		some = all
	}
	return some, err
}

// example returns the example event of the chosen type, in the chosen project.
func example(q page.Question) ([]byte, error) {
	e, known := events.Example(q.Event)
	if !known {
		return nil, fault.Invalid(fault.Detail{Attribute: "type", Message: "There is no such event type.", Hint: "Choose one from the list."})
	}
	switch q.Project {
	case page.ExampleProject:
	case page.NoProject:
		e.Project = nil
	default:
		e.Project = &events.Project{ID: q.Project}
	}
	return e.Encode()
}
