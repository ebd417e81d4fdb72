package catalogue_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"nepenthes/events"
	"nepenthes/shared/catalogue"
	"nepenthes/shared/id"
	"nepenthes/shared/signing"
	"nepenthes/shared/webhook"
)

// population describes the webhooks of a catalogue.
type population struct {
	webhooks int
	projects int  // that each webhook selects; 0 means all projects
	apart    bool // no two webhooks select the same project
	patterns []string
}

// each calls take for every webhook, as a store does: no two strings share memory.
func (p population) each(take func(webhook.Webhook)) {
	for i := range p.webhooks {
		w := webhook.Webhook{
			ID: fmt.Sprintf("%s%026d", id.Webhook, i), Name: fmt.Sprintf("Webhook %d", i), Enabled: true,
			PayloadURL:    fmt.Sprintf("https://receiver-%d.example.com/hooks", i),
			PayloadFormat: webhook.Format(strings.Clone(string(webhook.FormatNepenthes))), RetrySchedule: webhook.ScheduleName(strings.Clone("standard")),
			Subscription: webhook.Subscription{Projects: webhook.Projects{All: p.projects == 0}},
			Secrets:      []webhook.Secret{{ID: fmt.Sprintf("%s%026d", id.Secret, i), Kind: signing.HMAC, Sealed: make([]byte, 90)}},
			LockVersion:  1,
		}
		for _, pattern := range p.patterns {
			w.Subscription.Events = append(w.Subscription.Events, strings.Clone(pattern))
		}
		for j := range p.projects {
			if p.apart {
				j += i * p.projects
			}
			w.Subscription.Projects.IDs = append(w.Subscription.Projects.IDs, fmt.Sprintf("project-%d", j))
		}
		take(w)
	}
}

// everyPattern returns every pattern of the catalogue of events: all types, the wildcard of each resource, and "*".
func everyPattern() []string {
	patterns, seen := append([]string{"*"}, events.Names()...), map[string]bool{}
	for _, name := range events.Names() {
		resource, _, _ := strings.Cut(name, ":")
		if !seen[resource] {
			seen[resource], patterns = true, append(patterns, resource+":*")
		}
	}
	return patterns
}

// heap returns the number of bytes that the value returned by made keeps in use.
func heap[T any](made func() T) float64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC() // an object with a finalizer survives the first collection
	runtime.ReadMemStats(&before)
	kept := made()
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(kept)
	return float64(after.HeapAlloc) - float64(before.HeapAlloc)
}

// loaded returns the size in bytes of a catalogue that has matched an event.
func loaded(t testing.TB, p population) float64 {
	s := open(t)
	s.many = p.each
	return heap(func() *catalogue.Catalogue {
		c := catalogue.New(s)
		if _, err := c.Match(t.Context(), "user:created", "project-1"); err != nil {
			t.Fatal(err)
		}
		return c
	})
}

// floor returns the size in bytes of the webhooks alone, as a store reads them.
func (p population) floor() float64 {
	return heap(func() []*webhook.Webhook {
		var all []*webhook.Webhook
		p.each(func(w webhook.Webhook) { all = append(all, &w) })
		return all
	})
}

// A catalogue uses no more memory than its webhooks and 80 bytes for each project that a webhook selects, with any
// number of patterns.
func TestMemoryFollowsWebhooksAndProjects(t *testing.T) {
	for name, p := range map[string]population{
		"the same projects":  {webhooks: 100, projects: 500},
		"different projects": {webhooks: 100, projects: 500, apart: true},
		"all projects":       {webhooks: 20_000},
	} {
		t.Run(name, func(t *testing.T) {
			p.patterns = []string{"*"}
			bound := p.floor() + 80*float64(p.webhooks*max(p.projects, 1))
			if got := loaded(t, p); got > bound {
				t.Errorf("with one pattern: got %.0f bytes, want at most %.0f", got, bound)
			}
			p.patterns = everyPattern()
			if got := loaded(t, p); got > bound {
				t.Errorf("with %d patterns: got %.0f bytes, want at most %.0f", len(p.patterns), got, bound)
			}
		})
	}
}

// BenchmarkMemory prints the size of a catalogue with an index, and its ratio to the size of the webhooks alone.
func BenchmarkMemory(b *testing.B) {
	for _, c := range []struct {
		name string
		population
	}{
		{"100000_webhooks_all_types", population{webhooks: 100_000, patterns: []string{"*"}}},
		{"100000_webhooks_every_pattern", population{webhooks: 100_000, patterns: everyPattern()}},
		{"1000_webhooks_1000_projects", population{webhooks: 1_000, projects: 1_000, patterns: []string{"*"}}},
		{"1000_webhooks_1000_different_projects", population{webhooks: 1_000, projects: 1_000, apart: true, patterns: []string{"*"}}},
		{"100_webhooks_every_pattern_1000_projects", population{webhooks: 100, projects: 1_000, patterns: everyPattern()}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var floor, got float64
			for b.Loop() {
				floor, got = c.floor(), loaded(b, c.population)
			}
			b.ReportMetric(floor/1e6, "MB-floor")
			b.ReportMetric(got/1e6, "MB-loaded")
			b.ReportMetric(got/floor, "ratio")
		})
	}
}
