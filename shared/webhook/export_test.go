package webhook

// Size tells how many projects the index has, how many groups of webhooks with equal types under them, and how many
// places of webhooks in those: its memory follows these.
func (x *Index) Size() (projects, groups, places int) {
	for _, s := range x.projects {
		groups += len(s.groups)
		for _, g := range s.groups {
			places += len(g.webhooks)
		}
	}
	return len(x.projects), groups, places
}
