package webhook

import (
	"hash/maphash"
	"slices"
)

// Sharing lets webhooks share the memory of equal strings: the patterns of their subscriptions, the ids of their
// projects, and whole lists of either. Each read of a webhook allocates new strings. For a webhook with 1,000 projects
// they are most of its memory. The zero value is ready to use. A Sharing is not safe for concurrent use.
//
// A Sharing holds references to all strings that it has seen. It should live only while webhooks are being read.
type Sharing struct {
	seed  maphash.Seed
	texts map[string]string
	lists map[uint64][]string
}

// Share replaces the strings of w that are equal to strings of webhooks seen before. w must not be in use elsewhere
// yet. Its lists must not be changed in place afterwards.
func (s *Sharing) Share(w *Webhook) {
	s.init()
	w.Subscription.Events = s.list(w.Subscription.Events)
	w.Subscription.Projects.IDs = s.list(w.Subscription.Projects.IDs)
	w.PayloadFormat = Format(s.text(string(w.PayloadFormat)))
	w.RetrySchedule = ScheduleName(s.text(string(w.RetrySchedule)))
}

// See lets later webhooks share the strings of w. It does not change w.
func (s *Sharing) See(w *Webhook) {
	s.init()
	for _, list := range [][]string{w.Subscription.Events, w.Subscription.Projects.IDs} {
		s.lists[s.hash(list)] = list
		for _, text := range list {
			s.text(text)
		}
	}
}

func (s *Sharing) init() {
	if s.texts == nil {
		*s = Sharing{maphash.MakeSeed(), map[string]string{}, map[uint64][]string{}}
	}
}

// list returns an equal list that was seen before. If there is none, it returns a copy of list with shared strings.
func (s *Sharing) list(list []string) []string {
	if len(list) == 0 {
		return list
	}
	hash := s.hash(list)
	if seen := s.lists[hash]; slices.Equal(seen, list) {
		return seen
	}
	shared := make([]string, len(list)) // the list that was read may have unused capacity
	for i, text := range list {
		shared[i] = s.text(text)
	}
	s.lists[hash] = shared
	return shared
}

func (s *Sharing) hash(list []string) uint64 {
	var hash maphash.Hash
	hash.SetSeed(s.seed)
	for _, text := range list {
		_, _ = hash.WriteString(text) // never fails
		_ = hash.WriteByte(0)
	}
	return hash.Sum64()
}

func (s *Sharing) text(text string) string {
	if seen, there := s.texts[text]; there {
		return seen
	}
	s.texts[text] = text
	return text
}
