package page

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"nepenthes/shared/api"
	"nepenthes/shared/api/hal"
)

// Webhooks is the list of the webhooks.
type Webhooks struct {
	Frame
	NewHref  string
	Search   Field
	Rows     []WebhookRow
	Past     bool // there are webhooks, but none on this page
	ShowLast bool
	Pages    Pages
}

// WebhookRow is a webhook in the list.
type WebhookRow struct {
	Name, Href, Active string
	Events             Labels
	EventsTitle        string
	Projects           Labels
	Health             Mark
	HealthSince        *Time
	Last               *LastDelivery
}

// LastDelivery is the newest delivery of a webhook.
type LastDelivery struct {
	Href  string
	State Mark
	At    *Time
}

// NewWebhooks makes the page. last[i] is the newest delivery of the i-th webhook, nil for none; a nil last leaves the
// column out. names are the projects' names by id; a nil names leaves them out.
func NewWebhooks(f Frame, list *hal.Collection[hal.Webhook], search string, writable bool, last []*hal.Delivery, names map[string]string) *Webhooks {
	f.Title = "Webhooks"
	p := &Webhooks{Frame: f, Search: Field{Value: search}, ShowLast: last != nil}
	if writable {
		p.NewHref = f.To("/webhooks/new")
	}
	for i := range list.Embedded.Elements {
		w := &list.Embedded.Elements[i]
		row := WebhookRow{
			Name: NameOf(w.Name, w.ID), Href: f.To("/webhooks/" + w.ID), Active: map[bool]string{true: "Yes", false: "No"}[w.Enabled],
			Events: labels(resources(w.Events)), EventsTitle: strings.Join(w.Events, ", "), Projects: projectLabels(&w.Projects, names), Health: health(&w.Status),
		}
		if w.Status.State == "failing" {
			row.HealthSince = At(w.Status.FailingSince)
		}
		if last != nil && last[i] != nil {
			d := last[i]
			row.Last = &LastDelivery{Href: f.To("/deliveries/" + d.ID), State: deliveryMark(d), At: At(&d.CreatedAt)}
		}
		p.Rows = append(p.Rows, row)
	}
	p.Past = len(p.Rows) == 0 && list.Total > 0
	at := func(l *hal.Link) string { return samePage(f.To("/webhooks"), l) }
	p.Pages = Pages{
		Previous: at(list.Links.Previous), Next: at(list.Links.Next),
		Counted: counted("webhooks", list.Offset, list.PageSize, list.Count, list.Total),
	}
	return p
}

// pagesOf returns the links to the pages around one of the things that are called name, at path with the filters.
func pagesOf[T any](name, path string, p *api.Page[T], filters url.Values) Pages {
	at := func(number int) string {
		query := url.Values{"offset": {strconv.Itoa(number)}, "pageSize": {strconv.Itoa(p.Size)}}
		maps.Copy(query, filters)
		return path + "?" + query.Encode()
	}
	pages := Pages{Counted: counted(name, p.Number, p.Size, len(p.Items), p.Total)}
	if p.Number > 1 {
		pages.Previous = at(p.Number - 1)
	}
	if p.HasNext() {
		pages.Next = at(p.Number + 1)
	}
	return pages
}

// samePage is the page of the console that shows what a link of the API leads to: the query is the same.
func samePage(path string, l *hal.Link) string {
	if l == nil {
		return ""
	}
	u, err := url.Parse(l.Href)
	if err != nil {
		return ""
	}
	return path + "?" + u.RawQuery
}

// resources are what event patterns are about, each once.
func resources(patterns []string) []string {
	var all []string
	for _, p := range patterns {
		if r := resourceOf(p); !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	return all
}

// projectLabels shows a selection. Lists name only some of many ids, but count them all.
func projectLabels(p *hal.Projects, names map[string]string) Labels {
	if p.All {
		return Labels{Shown: []string{"All projects"}}
	}
	count := len(p.Selected())
	if p.Count != nil {
		count = *p.Count
	}
	if names == nil {
		return Labels{Shown: []string{plural(count, "project", "projects")}}
	}
	l := Labels{}
	for _, id := range p.Selected()[:min(len(p.Selected()), labelsShown)] {
		l.Shown = append(l.Shown, projectName(id, names))
	}
	l.More = count - len(l.Shown)
	return l
}

func projectName(id string, names map[string]string) string {
	return NameOf(names[id], id)
}

// health shows a webhook's state at a glance.
func health(s *hal.Status) Mark {
	switch s.State {
	case "failing":
		return Mark{warn, "warning", "Failing"}
	case "paused":
		return Mark{calm, "pause", "Paused"}
	case "disabled":
		switch reason(s.Reason) {
		case "gone":
			return Mark{bad, "cross", "Disabled: receiver gone"}
		case "failing":
			return Mark{bad, "cross", "Disabled: kept failing"}
		}
		return Mark{calm, "dash", "Disabled by hand"}
	}
	return Mark{good, "check", "Active"}
}

func reason(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
