package page

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"nepenthes/shared/api"
	"nepenthes/shared/delivery"
	"nepenthes/shared/webhook"
)

// Webhooks is the page with the list of webhooks.
type Webhooks struct {
	Frame
	NewHref   string
	Search    Field
	Rows      []WebhookRow
	BeyondEnd bool // there are webhooks, but none on this page
	ShowLast  bool
	Pages     Pages
}

// WebhookRow is a webhook in the list.
type WebhookRow struct {
	Name, Href, Active string
	Events             Labels
	EventsTitle        string
	Projects           Labels
	Health             Mark
	Last               *LastDelivery
}

// LastDelivery is the newest delivery of a webhook.
type LastDelivery struct {
	Href  string
	State Mark
	At    *Time
}

// NewWebhooks returns the page. last[i] is the newest delivery of the i-th webhook, or nil. If last itself is nil, the
// table has no column for it. names has the projects' names by id. If it is nil, the table shows the numbers of projects.
func NewWebhooks(f Frame, list *api.Page[webhook.Webhook], search string, writable bool, last []*delivery.Delivery, names map[string]string) *Webhooks {
	f.Title = "Webhooks"
	p := &Webhooks{Frame: f, Search: Field{Value: search}, ShowLast: last != nil}
	if writable {
		p.NewHref = f.To("/webhooks/new")
	}
	for i := range list.Items {
		w := &list.Items[i]
		row := WebhookRow{
			Name: NameOf(w.Name, w.ID), Href: f.To("/webhooks/" + w.ID), Active: map[bool]string{true: "Yes", false: "No"}[w.Enabled],
			Events: labels(resources(w.Subscription.Events)), EventsTitle: strings.Join(w.Subscription.Events, ", "),
			Projects: projectLabels(w.Subscription.Projects, names), Health: health(w),
		}
		if last != nil && last[i] != nil {
			d := last[i]
			row.Last = &LastDelivery{Href: f.To("/deliveries/" + d.ID()), State: deliveryMark(d.State), At: Moment(d.CreatedAt)}
		}
		p.Rows = append(p.Rows, row)
	}
	p.BeyondEnd = len(p.Rows) == 0 && list.Total > 0
	filters := url.Values{}
	if search != "" {
		filters.Set("name", search)
	}
	p.Pages = pagesOf("webhooks", f.To("/webhooks"), list, filters)
	return p
}

// pagesOf returns the links to the pages around p, a page of a list at path with the filters. name is the plural of its
// elements.
func pagesOf[T any](name, path string, p *api.Page[T], filters url.Values) Pages {
	at := func(number int) string {
		query := url.Values{"offset": {strconv.Itoa(number)}, "pageSize": {strconv.Itoa(p.Size)}}
		maps.Copy(query, filters)
		return path + "?" + query.Encode()
	}
	pages := Pages{Counted: rangeText(name, p.Number, p.Size, len(p.Items), p.Total)}
	if p.Number > 1 {
		pages.Previous = at(p.Number - 1)
	}
	if p.HasNext() {
		pages.Next = at(p.Number + 1)
	}
	return pages
}

// resources returns the resources of event patterns without duplicates, in words.
func resources(patterns []string) []string {
	var all []string
	for _, p := range patterns {
		if r := resourceOf(p); !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	return all
}

// projectLabels returns the names of the first selected projects.
func projectLabels(p webhook.Projects, names map[string]string) Labels {
	if p.All {
		return Labels{Shown: []string{"All projects"}}
	}
	if names == nil {
		return Labels{Shown: []string{plural(len(p.IDs), "project", "projects")}}
	}
	l := labels(p.IDs)
	l.Shown = slices.Clone(l.Shown)
	for i, id := range l.Shown {
		l.Shown[i] = projectName(id, names)
	}
	return l
}

func projectName(id string, names map[string]string) string {
	return NameOf(names[id], id)
}

// health returns the mark for the state of a webhook.
func health(w *webhook.Webhook) Mark {
	switch {
	case w.State() == webhook.Active:
		return Mark{good, "check", "Active"}
	case w.State() == webhook.Paused:
		return Mark{held, "pause", "Paused"}
	case w.DisabledReason == webhook.Gone:
		return Mark{bad, "cross", "Disabled: receiver gone"}
	}
	return Mark{calm, "dash", "Disabled by hand"}
}
