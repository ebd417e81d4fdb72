package webhook_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

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
		"no project reaches only webhooks for all": {
			hook(true, webhook.Projects{IDs: []string{"7"}}, "*"), "user:created", "", []webhook.Rule{webhook.RuleProject},
		},
		"every rule that says no": {
			hook(false, webhook.Projects{IDs: []string{"7"}}, "time_entry:*"), "user:created", "8",
			[]webhook.Rule{webhook.RuleEnabled, webhook.RuleEvent, webhook.RuleProject},
		},
		"wildcards do not reach internal comments": {
			hook(true, all, "*", "work_package_comment:*"), "work_package_comment:internal_comment", "7",
			[]webhook.Rule{webhook.RuleEvent},
		},
		"an exact name does":               {hook(true, all, "work_package_comment:internal_comment"), "work_package_comment:internal_comment", "7", nil},
		"the star reaches no operational":  {hook(true, all, "*"), "webhook:failing", "", []webhook.Rule{webhook.RuleEvent}},
		"webhook:* reaches operational":    {hook(true, all, "webhook:*"), "webhook:failing", "", nil},
		"an id is matched whole":           {hook(true, webhook.Projects{IDs: []string{"77"}}, "*"), "user:created", "7", []webhook.Rule{webhook.RuleProject}},
		"a resource is no prefix matching": {hook(true, all, "work_package:*"), "work_package_comment:comment", "7", []webhook.Rule{webhook.RuleEvent}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, c.w.Refusals(c.kind, c.project)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func hook(enabled bool, projects webhook.Projects, patterns ...string) webhook.Webhook {
	return webhook.Webhook{
		ID: id.New(id.Webhook, start), Enabled: enabled,
		Subscription: webhook.Subscription{Events: patterns, Projects: projects},
	}
}

// Index and Refusals are two readings of the same rules: they never differ, whatever was put and taken out.
func TestIndexAgreesWithRefusals(t *testing.T) {
	patterns := []string{"*"}
	for _, kind := range events.Types() {
		patterns = append(patterns, kind.Name)
		if wildcard := kind.Resource + ":*"; !slices.Contains(patterns, wildcard) {
			patterns = append(patterns, wildcard)
		}
	}
	projects := []string{"1", "2", "3"}
	rapid.Check(t, func(t *rapid.T) {
		var x webhook.Index
		var present []*webhook.Webhook
		for range rapid.IntRange(0, 20).Draw(t, "webhooks") {
			w := hook(rapid.Bool().Draw(t, "enabled"), webhook.Projects{
				All: rapid.Bool().Draw(t, "all"), IDs: rapid.SliceOfNDistinct(rapid.SampledFrom(projects), 1, 3, rapid.ID).Draw(t, "ids"),
			}, rapid.SliceOfNDistinct(rapid.SampledFrom(patterns), 1, 4, rapid.ID).Draw(t, "patterns")...)
			x.Put(&w)
			if rapid.Bool().Draw(t, "take out") {
				x.Remove(&w)
			} else {
				present = append(present, &w)
			}
		}
		for _, kind := range events.Types() {
			for _, project := range append(projects, "") {
				var want []*webhook.Webhook
				for _, w := range present {
					if len(w.Refusals(kind.Name, project)) == 0 {
						want = append(want, w)
					}
				}
				if got := x.Match(kind.Name, project); !slices.Equal(got, want) {
					t.Fatalf("%s in %q: got %d webhooks, want %d", kind.Name, project, len(got), len(want))
				}
			}
		}
	})
}

// BenchmarkMatch prints what 100,000 webhooks cost against 100 when ten match in both.
func BenchmarkMatch(b *testing.B) {
	few, many := index(100), index(100_000)
	per := func(x *webhook.Index) float64 {
		const rounds = 20_000
		begun := time.Now()
		for range rounds {
			if n := len(x.Match("work_package:updated", "p5")); n != 10 {
				b.Fatalf("%d matches", n)
			}
		}
		return float64(time.Since(begun)) / rounds
	}
	var small, large float64
	for b.Loop() {
		small, large = per(few), per(many)
		for range 9 { // the best of ten turns each: whatever else runs on the machine only adds
			small, large = min(small, per(few)), min(large, per(many))
		}
	}
	b.ReportMetric(small, "ns/match-100")
	b.ReportMetric(large, "ns/match-100000")
	b.ReportMetric(large/small, "ratio")
}

// index holds n webhooks of which ten want updates of work packages in project p5.
func index(n int) *webhook.Index {
	x := &webhook.Index{}
	for i := range n {
		w := hook(true, webhook.Projects{IDs: []string{fmt.Sprintf("p%d", i/10)}}, "work_package:*", "time_entry:created")
		x.Put(&w)
	}
	return x
}
