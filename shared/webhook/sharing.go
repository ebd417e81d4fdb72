package webhook

import (
	"hash/maphash"
	"slices"
)

// Sharing keeps texts that many webhooks have in common once: the patterns of their subscriptions, the ids of their
// projects, and whole lists of these. Reading a webhook makes texts of its own each time; with 1,000 projects a webhook
// those are most of its memory. The zero value is ready. It is not safe for concurrent use.
//
// It holds on to what it has seen, so it is kept for as long as webhooks are read, and no longer.
type Sharing struct {
	seed  maphash.Seed
	texts map[string]string
	lists map[uint64][]string
}

// Share replaces what w has in common with webhooks seen before. w must not be in use elsewhere yet, and its lists must
// not be changed in place from then on.
func (s *Sharing) Share(w *Webhook) {
	s.init()
	w.Subscription.Events = s.list(w.Subscription.Events)
	w.Subscription.Projects.IDs = s.list(w.Subscription.Projects.IDs)
	w.PayloadFormat = Format(s.text(string(w.PayloadFormat)))
	w.RetrySchedule = ScheduleName(s.text(string(w.RetrySchedule)))
}

// See notes what w has, for others to share it, and leaves w as it is.
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

// list gives a list of the same texts that was seen before, or a copy whose texts are shared.
func (s *Sharing) list(list []string) []string {
	if len(list) == 0 {
		return list
	}
	hash := s.hash(list)
	if seen := s.lists[hash]; slices.Equal(seen, list) {
		return seen
	}
	shared := make([]string, len(list)) // what was read has room for more
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
