package webhook

// Size returns the numbers that the memory of the index depends on: its projects, the groups of webhooks with equal
// types in all of them, and the entries for webhooks in all groups.
func (x *Index) Size() (projects, groups, places int) {
	for _, s := range x.projects {
		groups += len(s.groups)
		for _, g := range s.groups {
			places += len(g.webhooks)
		}
	}
	return len(x.projects), groups, places
}
