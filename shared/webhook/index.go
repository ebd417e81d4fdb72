package webhook

import (
	"cmp"
	"slices"
	"strings"

	"nepenthes/events"
)

// Index finds the webhooks that want an event, at a cost that follows the number of matches and not the number of
// webhooks. The zero value is empty and ready. It is not safe for concurrent use while it is changed.
//
// Each enabled webhook stands in one bucket for every pattern and project it names. An event looks into at most
// six: its own name, its resource's wildcard and "*", each for its project and for all projects.
type Index struct {
	buckets map[bucket]map[string]*Webhook
}

type bucket struct{ pattern, project string }

// allProjects stands for the project of a webhook that wants every project; ids are never empty.
const allProjects = ""

// Put adds an enabled webhook. The same webhook must not be added twice; take out what it was first.
func (x *Index) Put(w *Webhook) {
	if !w.Enabled {
		return
	}
	if x.buckets == nil {
		x.buckets = map[bucket]map[string]*Webhook{}
	}
	for _, b := range w.Subscription.buckets() {
		if x.buckets[b] == nil {
			x.buckets[b] = map[string]*Webhook{}
		}
		x.buckets[b][w.ID] = w
	}
}

// Remove takes out a webhook as it was when it was put; it does nothing for one that is not there.
func (x *Index) Remove(w *Webhook) {
	for _, b := range w.Subscription.buckets() {
		delete(x.buckets[b], w.ID)
		if len(x.buckets[b]) == 0 {
			delete(x.buckets, b)
		}
	}
}

// Match lists the enabled webhooks that want an event of the type and project (empty: none), oldest first.
func (x *Index) Match(eventType, projectID string) []*Webhook {
	resource, _, _ := strings.Cut(eventType, ":")
	var found []*Webhook
	for _, pattern := range [...]string{eventType, resource + ":*", "*"} {
		if !events.Matches(pattern, eventType) { // a wildcard does not reach what is opt-in
			continue
		}
		found = x.collect(found, bucket{pattern, allProjects})
		if projectID != "" {
			found = x.collect(found, bucket{pattern, projectID})
		}
	}
	slices.SortFunc(found, func(a, b *Webhook) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(found, func(a, b *Webhook) bool { return a.ID == b.ID })
}

func (x *Index) collect(found []*Webhook, b bucket) []*Webhook {
	for _, w := range x.buckets[b] {
		found = append(found, w)
	}
	return found
}

func (s Subscription) buckets() []bucket {
	projects := s.Projects.IDs
	if s.Projects.All {
		projects = []string{allProjects}
	}
	all := make([]bucket, 0, len(s.Events)*len(projects))
	for _, pattern := range s.Events {
		for _, project := range projects {
			all = append(all, bucket{pattern, project})
		}
	}
	return all
}
