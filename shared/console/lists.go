package console

import (
	"net/url"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"nepenthes/shared/access"
	"nepenthes/shared/api"
	"nepenthes/shared/console/page"
	"nepenthes/shared/cursor"
	"nepenthes/shared/fault"
	"nepenthes/shared/project"
	"nepenthes/shared/webhook"
)

// concurrentReads is the number of reads that a page makes at the same time. One after another, the reads of a full page would
// take too long.
const concurrentReads = 16

// paging returns the page of a small set that the query asks for.
func paging(query url.Values) (p api.Paging, err error) {
	for name, to := range map[string]**int{"pageSize": &p.PageSize, "offset": &p.Offset} {
		if text := query.Get(name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil {
				return p, fault.New(fault.InvalidQuery, "%s is not a number.", name)
			}
			*to = &n
		}
	}
	return p, nil
}

// deliveryPaging returns the page of a list of deliveries that the query asks for.
func (x *exchange) deliveryPaging(list cursor.List) (api.DeliveryPaging, error) {
	query := x.r.URL.Query()
	p, err := paging(query)
	start, bad := x.h.CursorKey.Read(list, query.Get("cursor"))
	return api.DeliveryPaging{PageSize: p.PageSize, Start: start, BadStart: bad}, err
}

// pageLinks returns the links to the previous and the next page of deliveries. They keep the filters as they were typed, so
// that the fields of the filters have the same values on each page.
func (x *exchange) pageLinks(path, fragment string, list cursor.List, p *api.DeliveryPage) page.Pages {
	typed := x.r.URL.Query()
	at := func(position *api.Position) string {
		if position == nil {
			return ""
		}
		query := url.Values{"cursor": {x.h.CursorKey.Write(list, *position)}}
		for _, name := range []string{"state", "event", "from", "until", "pageSize"} {
			if value := typed.Get(name); value != "" {
				query.Set(name, value)
			}
		}
		return path + "?" + query.Encode() + fragment
	}
	return page.Pages{Previous: at(p.Previous), Next: at(p.Next)}
}

// projects returns all projects. It reads them at most once for each request, because several parts of a page need them.
func (x *exchange) projects() ([]project.Project, error) {
	if x.allProjects == nil {
		list, err := do(x, x.h.Operations.Projects.List, &api.ListProjects{Paging: api.Paging{Most: api.All}})
		if err != nil {
			return nil, err
		}
		x.allProjects = list.Items
	}
	return x.allProjects, nil
}

// projectNames returns the names of all projects by their ids.
func (x *exchange) projectNames() (map[string]string, error) {
	all, err := x.projects()
	names := make(map[string]string, len(all))
	for _, p := range all {
		names[p.ID] = page.NameOf(p.Name, p.ID)
		if p.Gone {
			names[p.ID] += " (gone)"
		}
	}
	return names, err
}

// namesFor returns the names of projects if one of the webhooks selects projects. Otherwise it returns an empty map, which
// saves the read. It returns nil if the client may not see projects.
func (x *exchange) namesFor(webhooks ...webhook.Webhook) (names map[string]string, err error) {
	switch {
	case !x.may(access.ProjectsRead):
	case slices.ContainsFunc(webhooks, func(w webhook.Webhook) bool { return !w.Subscription.Projects.All }):
		names, err = x.projectNames()
	default:
		names = map[string]string{}
	}
	return names, err
}

// webhooksOf returns the webhooks by their ids, without those that were deleted. It returns nil if the client may not see
// webhooks.
func (x *exchange) webhooksOf(ids map[string]bool) (webhooks map[string]*webhook.Webhook, err error) {
	if !x.may(access.WebhooksRead) {
		return webhooks, nil
	}
	webhooks = map[string]*webhook.Webhook{}
	found := make(chan *webhook.Webhook, len(ids)) // has room for all, so that no goroutine has to wait
	var group errgroup.Group
	group.SetLimit(concurrentReads)
	for id := range ids {
		group.Go(func() error {
			w, err := do(x, x.h.Operations.Webhooks.Read, &api.WebhookID{ID: id})
			if fault.Is(err, fault.NotFound) {
				return nil
			}
			if err == nil {
				found <- &w.Webhook
			}
			return err
		})
	}
	err = group.Wait()
	close(found)
	for w := range found {
		webhooks[w.ID] = w
	}
	return webhooks, err
}
