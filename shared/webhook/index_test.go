package webhook_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"nepenthes/events"
	"nepenthes/shared/id"
	"nepenthes/shared/webhook"
)

func TestRefusals(t *testing.T) {
	all := webhook.Projects{All: true}
	for name, c := range map[string]struct {
		w             webhook.Webhook
		kind, project string
		want          []webhook.Rule
	}{
		"wanted":             {hook(true, all, "work_package:updated"), "work_package:updated", "7", nil},
		"wanted by wildcard": {hook(true, all, "work_package:*"), "work_package:updated", "", nil},
		"a selected project": {hook(true, webhook.Projects{IDs: []string{"7"}}, "*"), "user:created", "7", nil},
		"an event without a project": {
			hook(true, webhook.Projects{IDs: []string{"7"}}, "*"), "user:created", "", []webhook.Rule{webhook.RuleProject},
		},
		"every rule": {
			hook(false, webhook.Projects{IDs: []string{"7"}}, "time_entry:*"), "user:created", "8",
			[]webhook.Rule{webhook.RuleEnabled, webhook.RuleEvent, webhook.RuleProject},
		},
		"wildcards do not match internal comments": {
			hook(true, all, "*", "work_package_comment:*"), "work_package_comment:internal_comment", "7",
			[]webhook.Rule{webhook.RuleEvent},
		},
		"an exact name matches internal comments": {hook(true, all, "work_package_comment:internal_comment"), "work_package_comment:internal_comment", "7", nil},
		"* does not match operational types":      {hook(true, all, "*"), "webhook:ping", "", []webhook.Rule{webhook.RuleEvent}},
		"webhook:* matches operational types":     {hook(true, all, "webhook:*"), "webhook:ping", "", nil},
		"a project id is compared exactly":        {hook(true, webhook.Projects{IDs: []string{"77"}}, "*"), "user:created", "7", []webhook.Rule{webhook.RuleProject}},
		"a resource is not a prefix":              {hook(true, all, "work_package:*"), "work_package_comment:comment", "7", []webhook.Rule{webhook.RuleEvent}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, c.w.Refusals(c.kind, c.project)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// hook returns a webhook with a new id.
func hook(enabled bool, projects webhook.Projects, patterns ...string) webhook.Webhook {
	return webhook.Webhook{
		ID: id.New(id.Webhook, start), Enabled: enabled,
		Subscription: webhook.Subscription{Events: patterns, Projects: projects},
	}
}

// TestIndexAgreesWithRefusals checks that Index and Refusals implement the same rules after any sequence of additions,
// replacements and removals, and that an index from which every webhook was removed is empty.
func TestIndexAgreesWithRefusals(t *testing.T) {
	patterns, projects := append(allPatterns(), "nothing:at_all"), []string{"1", "2", "3", ""}
	rapid.Check(t, func(t *rapid.T) {
		draw := func(id string) *webhook.Webhook {
			return &webhook.Webhook{ID: id, Enabled: rapid.IntRange(0, 3).Draw(t, "disabled") > 0, Subscription: webhook.Subscription{
				Events: rapid.SliceOfNDistinct(rapid.SampledFrom(patterns), 1, 4, rapid.ID).Draw(t, "patterns"),
				Projects: webhook.Projects{
					All: rapid.Bool().Draw(t, "all"), IDs: rapid.SliceOfN(rapid.SampledFrom(projects), 1, 4).Draw(t, "ids"),
				},
			}}
		}
		var x webhook.Index
		present := map[string]*webhook.Webhook{}
		for range rapid.IntRange(0, 80).Draw(t, "steps") {
			name := fmt.Sprintf("wh_%02d", rapid.IntRange(0, 40).Draw(t, "webhook"))
			if old := present[name]; old != nil {
				x.Remove(old)
				delete(present, name)
			}
			if rapid.IntRange(0, 3).Draw(t, "put") > 0 {
				present[name] = draw(name)
				x.Put(present[name])
			} else {
				x.Remove(draw(name)) // the index does not have it
			}
		}
		for _, kind := range append(events.Names(), "*", "user:*", "nothing:at_all") {
			for _, project := range append(projects, "4") {
				var want []string
				for _, id := range slices.Sorted(maps.Keys(present)) {
					if len(present[id].Refusals(kind, project)) == 0 {
						want = append(want, id)
					}
				}
				var got []string
				for _, w := range x.Match(kind, project) {
					got = append(got, w.ID)
				}
				if !slices.Equal(got, want) {
					t.Fatalf("%s in %q: got %q, want %q", kind, project, got, want)
				}
			}
		}
		for _, w := range present {
			x.Remove(w)
		}
		if projects, groups, places := x.Size(); projects+groups+places > 0 {
			t.Fatalf("got %d projects, %d groups and %d places, want an empty index", projects, groups, places)
		}
	})
}

// allPatterns returns every pattern that the catalogue allows.
func allPatterns() []string {
	patterns := []string{"*"}
	for _, kind := range events.Types() {
		patterns = append(patterns, kind.Name)
		if wildcard := kind.Resource + ":*"; !slices.Contains(patterns, wildcard) {
			patterns = append(patterns, wildcard)
		}
	}
	return patterns
}

// TestIndexSize checks that the size of an index depends on the number of webhooks and projects, and not on the number
// of patterns.
func TestIndexSize(t *testing.T) {
	const webhooks, projects = 20, 50
	ids := make([]string, projects)
	for i := range ids {
		ids[i] = fmt.Sprint(i)
	}
	for name, c := range map[string]struct {
		selected                 webhook.Projects
		patterns                 []string
		projects, groups, places int
	}{
		"all projects, every pattern":      {webhook.Projects{All: true, IDs: ids}, allPatterns(), 1, 1, webhooks},
		"many projects, one wildcard":      {webhook.Projects{IDs: ids}, []string{"*"}, projects, projects, webhooks * projects},
		"many projects, every pattern":     {webhook.Projects{IDs: ids}, allPatterns(), projects, projects, webhooks * projects},
		"many projects, with opt-in types": {webhook.Projects{IDs: ids}, []string{"*", "webhook:*", "webhook:ping"}, projects, projects, webhooks * projects},
		"an unknown pattern":               {webhook.Projects{IDs: ids}, []string{"pump:*"}, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var x webhook.Index
			for range webhooks {
				w := hook(true, c.selected, c.patterns...)
				x.Put(&w)
			}
			if p, g, w := x.Size(); p != c.projects || g != c.groups || w != c.places {
				t.Errorf("got %d projects, %d groups, %d places, want %d, %d, %d", p, g, w, c.projects, c.groups, c.places)
			}
		})
	}
}

func TestSharing(t *testing.T) {
	made := func() *webhook.Webhook {
		w := hook(true, webhook.Projects{IDs: []string{strings.Clone("7"), strings.Clone("8")}}, strings.Clone("*"), strings.Clone("webhook:*"))
		w.PayloadFormat, w.RetrySchedule = webhook.Format(strings.Clone("standard")), webhook.ScheduleName(strings.Clone("short"))
		return &w
	}
	seen, first, second, other := made(), made(), made(), made()
	other.Subscription.Projects.IDs = []string{"9", "7"}
	want := []webhook.Webhook{*seen, *first, *second, *other}
	var s webhook.Sharing
	s.See(seen)
	for _, w := range []*webhook.Webhook{first, second, other} {
		s.Share(w)
	}
	if diff := cmp.Diff(want, []webhook.Webhook{*seen, *first, *second, *other}); diff != "" {
		t.Errorf("Share changed the value of a webhook: %s", diff)
	}
	for _, w := range []*webhook.Webhook{first, second} {
		if &w.Subscription.Events[0] != &seen.Subscription.Events[0] || &w.Subscription.Projects.IDs[0] != &seen.Subscription.Projects.IDs[0] {
			t.Error("got two equal lists, want one shared list")
		}
	}
	if unsafe.StringData(other.Subscription.Projects.IDs[1]) != unsafe.StringData(seen.Subscription.Projects.IDs[0]) {
		t.Error("got the id of two lists twice, want one shared string")
	}
}

// BenchmarkMatch compares the cost of a match among 100,000 webhooks with the cost among 100. Ten webhooks match in
// both.
func BenchmarkMatch(b *testing.B) {
	b.Run("of_one_project", func(b *testing.B) {
		compare(b, func(i int) webhook.Webhook {
			return hook(true, webhook.Projects{IDs: []string{fmt.Sprintf("p%d", i/10)}}, "work_package:*", "time_entry:created")
		})
	})
	b.Run("of_all_projects", func(b *testing.B) {
		compare(b, func(i int) webhook.Webhook {
			if i < 10 {
				return hook(true, webhook.Projects{All: true}, "work_package:*")
			}
			return hook(true, webhook.Projects{All: true}, "time_entry:*", "user:created")
		})
	})
}

// compare measures Match in indexes of 100 and of 100,000 webhooks. The first ten webhooks of each match.
func compare(b *testing.B, made func(i int) webhook.Webhook) {
	index := func(n int) *webhook.Index {
		x := &webhook.Index{}
		for i := range n {
			w := made(i)
			x.Put(&w)
		}
		return x
	}
	few, many := index(100), index(100_000)
	per := func(x *webhook.Index) float64 {
		const rounds = 20_000
		begun := time.Now()
		for range rounds {
			if n := len(x.Match("work_package:updated", "p0")); n != 10 {
				b.Fatalf("got %d matches, want 10", n)
			}
		}
		return float64(time.Since(begun)) / rounds
	}
	var small, large float64
	for b.Loop() {
		small, large = per(few), per(many)
		for range 9 { // take the fastest of ten runs, because other load on the machine only adds time
			small, large = min(small, per(few)), min(large, per(many))
		}
	}
	b.ReportMetric(small, "ns/match-100")
	b.ReportMetric(large, "ns/match-100000")
	b.ReportMetric(large/small, "ratio")
}

// start is the time at which the webhooks of the tests are created.
var start = time.Date(2026, 1, 2, 11, 0, 0, 0, time.UTC)
