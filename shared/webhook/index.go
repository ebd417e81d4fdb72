package webhook

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"nepenthes/events"
)

// Index finds the webhooks that want an event. The cost of a search depends on the number of matches, not on the number
// of webhooks. The zero value is an empty index. An Index is safe for concurrent reading, but not while it is changed.
//
// An enabled webhook has an entry under each project that it selects, or under allProjects. The number of its patterns
// does not matter: all of them together are stored as a set of event types. The webhooks of a project that have the
// same set form a group. A search compares the event's type with the set of each group of its project and of
// allProjects.
type Index struct {
	projects map[string]*selection
}

// allProjects is the key of the webhooks that want every project. The id of a project is never empty.
const allProjects = ""

// selection holds the webhooks that select one project.
type selection struct {
	groups []group
	places map[typeSet]int // positions in groups; nil until there are more than groupsSearched groups
	// alone reports whether the selection holds a single webhook. All projects that only this webhook selects share the
	// selection, so it must be copied before it is changed.
	alone bool
}

// group holds the webhooks that want the same types, oldest first.
type group struct {
	types    typeSet
	webhooks []*Webhook
}

// groupsSearched is the largest number of groups that are searched without a map. Most selections have one group.
const groupsSearched = 16

// Put adds a webhook if it is enabled. A webhook must not be added twice: Remove its old version first.
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

// Remove removes a webhook, which must be unchanged since Put. If the index does not have the webhook, Remove does
// nothing.
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

// Match returns the enabled webhooks that want an event of the given type and project, oldest first. projectID is empty
// for an event without a project.
func (x *Index) Match(eventType, projectID string) []*Webhook {
	types := knownTypes().names[eventType] // empty for a type that is not in the catalogue
	found := x.projects[allProjects].matching(types, nil)
	if projectID != "" {
		found = x.projects[projectID].matching(types, found)
	}
	slices.SortFunc(found, func(a, b *Webhook) int { return cmp.Compare(a.ID, b.ID) })
	return found
}

// selected returns the keys of a webhook with this subscription in the index. It leaves out empty ids, which would mean
// all projects.
func (s Subscription) selected() []string {
	switch {
	case s.Projects.All:
		return []string{allProjects}
	case slices.Contains(s.Projects.IDs, allProjects):
		return slices.DeleteFunc(slices.Clone(s.Projects.IDs), func(id string) bool { return id == allProjects })
	}
	return s.Projects.IDs
}

// matching appends the webhooks that want one of the types to found. s may be nil.
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

// copy returns a copy of a selection that holds a single webhook. The copy is not marked as alone.
func (s *selection) copy() *selection {
	only := s.groups[0]
	return &selection{groups: []group{{only.types, slices.Clone(only.webhooks)}}}
}

// put adds a webhook to the group for types.
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

// remove removes a webhook, and its group if the group is empty then.
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

// search returns the position of a webhook in the group, or the position at which to insert it.
func (g *group) search(id string) (at int, there bool) {
	return slices.BinarySearchFunc(g.webhooks, id, func(w *Webhook, id string) int { return cmp.Compare(w.ID, id) })
}

// place returns the position of the group for types, or -1 if there is none.
func (s *selection) place(types typeSet) int {
	if s.places == nil {
		return slices.IndexFunc(s.groups, func(g group) bool { return g.types == types })
	}
	if at, there := s.places[types]; there {
		return at
	}
	return -1
}

// add adds a group for types, which must not have one yet.
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

// drop removes the group at a position and moves the last group there. The order of groups does not matter.
func (s *selection) drop(at int) {
	last := len(s.groups) - 1
	if s.places != nil {
		s.places[s.groups[last].types] = at
		delete(s.places, s.groups[at].types)
	}
	s.groups[at] = s.groups[last]
	s.groups = slices.Delete(s.groups, last, last+1)
}

// typeSet is a set of event types. Bit n stands for events.Names()[n].
type typeSet uint64

// typeSets maps the name of each event type, and each pattern, to the types that it selects.
type typeSets struct{ names, patterns map[string]typeSet }

// knownTypes returns the sets of all names and patterns according to [events.Matches]. It computes them at the first
// call, because most programs never match events.
var knownTypes = sync.OnceValue(func() typeSets {
	names := events.Names()
	if len(names) > 64 {
		panic("webhook: the catalogue has more event types than a typeSet can hold")
	}
	all := typeSets{names: map[string]typeSet{}, patterns: map[string]typeSet{}}
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

// typesOf returns the types that the patterns select together. Unknown patterns select nothing.
func typesOf(patterns []string) (types typeSet) {
	for _, pattern := range patterns {
		types |= knownTypes().patterns[pattern]
	}
	return types
}
