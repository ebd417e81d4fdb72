package webhook

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"nepenthes/events"
)

// Index finds the webhooks that want an event, at a cost that follows the number of matches and not the number of
// webhooks. The zero value is empty and ready. It is not safe for concurrent use while it is changed.
//
// Each enabled webhook stands once under every project that it selects, or once under all projects, however many
// patterns it names: what they reach is a set of event types, to which a pattern that a wildcard includes adds
// nothing. Under a project, webhooks with equal sets stand together, so an event looks at each set once, of its project
// and of all projects.
type Index struct {
	projects map[string]*selection
}

// allProjects stands for the project of a webhook that wants every project; ids of projects are not empty.
const allProjects = ""

// selection holds the webhooks that select one project.
type selection struct {
	groups []group
	places map[typeSet]int // of the groups, once there are more than groupsSearched
	// alone: it holds one webhook, is the same in memory under every project that this webhook selects alone, and is
	// copied before it is changed.
	alone bool
}

// group holds webhooks that want the same types, oldest first.
type group struct {
	types    typeSet
	webhooks []*Webhook
}

// groupsSearched is how many groups are searched one after the other. Most selections have a single group.
const groupsSearched = 16

// Put adds an enabled webhook. The same webhook must not be added twice; take out what it was first.
func (x *Index) Put(w *Webhook) {
	types := typesOf(w.Subscription.Events)
	if !w.Enabled || types == 0 {
		return
	}
	if x.projects == nil {
		x.projects = map[string]*selection{}
	}
	alone := &selection{alone: true}
	alone.put(types, w)
	for _, project := range w.Subscription.selected() {
		s := x.projects[project]
		if s == nil {
			x.projects[project] = alone
			continue
		}
		if s.alone {
			s = s.copy()
			x.projects[project] = s
		}
		s.put(types, w)
	}
}

// Remove takes out a webhook as it was when it was put; it does nothing for one that is not there.
func (x *Index) Remove(w *Webhook) {
	types := typesOf(w.Subscription.Events)
	for _, project := range w.Subscription.selected() {
		s := x.projects[project]
		if s == nil || s.place(types) < 0 {
			continue
		}
		if s.alone {
			s = s.copy()
			x.projects[project] = s
		}
		if s.remove(types, w.ID); len(s.groups) == 0 {
			delete(x.projects, project)
		}
	}
}

// Match lists the enabled webhooks that want an event of the type and project (empty: none), oldest first.
func (x *Index) Match(eventType, projectID string) []*Webhook {
	types := reached().names[eventType] // none for a name that is not in the catalogue
	found := x.projects[allProjects].matching(types, nil)
	if projectID != "" {
		found = x.projects[projectID].matching(types, found)
	}
	slices.SortFunc(found, func(a, b *Webhook) int { return cmp.Compare(a.ID, b.ID) })
	return found
}

// selected lists the projects under which the index has the subscription's webhook. An empty id, which no event has,
// would stand for all of them.
func (s Subscription) selected() []string {
	switch {
	case s.Projects.All:
		return []string{allProjects}
	case slices.Contains(s.Projects.IDs, allProjects):
		return slices.DeleteFunc(slices.Clone(s.Projects.IDs), func(id string) bool { return id == allProjects })
	}
	return s.Projects.IDs
}

// matching appends the webhooks that want one of the types. A nil selection has none.
func (s *selection) matching(types typeSet, found []*Webhook) []*Webhook {
	if s == nil {
		return found
	}
	for i := range s.groups {
		if g := &s.groups[i]; g.types&types != 0 {
			found = append(found, g.webhooks...)
		}
	}
	return found
}

// copy copies a selection that holds one webhook alone.
func (s *selection) copy() *selection {
	only := s.groups[0]
	return &selection{groups: []group{{only.types, slices.Clone(only.webhooks)}}}
}

func (s *selection) put(types typeSet, w *Webhook) {
	at := s.place(types)
	if at < 0 {
		at = s.add(types)
	}
	g := &s.groups[at]
	if to, there := g.search(w.ID); !there {
		g.webhooks = slices.Insert(g.webhooks, to, w)
	}
}

func (s *selection) remove(types typeSet, id string) {
	at := s.place(types)
	if at < 0 {
		return
	}
	g := &s.groups[at]
	if from, there := g.search(id); there {
		g.webhooks = slices.Delete(g.webhooks, from, from+1)
	}
	if len(g.webhooks) == 0 {
		s.drop(at)
	}
}

func (g *group) search(id string) (at int, there bool) {
	return slices.BinarySearchFunc(g.webhooks, id, func(w *Webhook, id string) int { return cmp.Compare(w.ID, id) })
}

// place is where the group of the types stands, -1 when there is none.
func (s *selection) place(types typeSet) int {
	if s.places == nil {
		return slices.IndexFunc(s.groups, func(g group) bool { return g.types == types })
	}
	if at, there := s.places[types]; there {
		return at
	}
	return -1
}

// add makes a group for the types, which have none.
func (s *selection) add(types typeSet) (at int) {
	s.groups = append(s.groups, group{types: types})
	if s.places == nil && len(s.groups) > groupsSearched {
		s.places = map[typeSet]int{}
		for i, g := range s.groups {
			s.places[g.types] = i
		}
	}
	if s.places != nil {
		s.places[types] = len(s.groups) - 1
	}
	return len(s.groups) - 1
}

// drop removes the group at a place; the last one moves there, since their order does not matter.
func (s *selection) drop(at int) {
	last := len(s.groups) - 1
	if s.places != nil {
		s.places[s.groups[last].types] = at
		delete(s.places, s.groups[at].types)
	}
	s.groups[at] = s.groups[last]
	s.groups = slices.Delete(s.groups, last, last+1)
}

// typeSet is a set of event types: bit n stands for the n-th of events.Names.
type typeSet uint64

// reach has the type of each name, and what each pattern reaches.
type reach struct{ names, patterns map[string]typeSet }

// reached is made of [events.Matches], at first use: most functions match nothing.
var reached = sync.OnceValue(func() reach {
	names := events.Names()
	if len(names) > 64 {
		panic("webhook: the catalogue has more event types than a typeSet")
	}
	all := reach{names: map[string]typeSet{}, patterns: map[string]typeSet{}}
	patterns := map[string]bool{"*": true}
	for n, name := range names {
		resource, _, _ := strings.Cut(name, ":")
		patterns[name], patterns[resource+":*"] = true, true
		all.names[name] = 1 << n
	}
	for pattern := range patterns {
		for name, kind := range all.names {
			if events.Matches(pattern, name) {
				all.patterns[pattern] |= kind
			}
		}
	}
	return all
})

// typesOf is what the patterns reach together; unknown ones reach nothing.
func typesOf(patterns []string) (types typeSet) {
	for _, pattern := range patterns {
		types |= reached().patterns[pattern]
	}
	return types
}
