// Package lists tests that the program can make every value of a closed list, and that the OpenAPI document and the
// documentation list the same values.
//
// A closed list is a type of this module together with the constants of that type. Code makes a value if it uses the
// constant, except in an expression that only asks for the value:
//
//   - a comparison: == or !=, a case of a switch, or a function such as fault.Is
//   - a lookup: the value is an index, or a key in a map literal
//   - a list: the value is an element of a slice or an array, such as the closed list itself
//   - a query: the value is a member of a store.Query
//
// Tests do not count, and neither do packages that only show values. The zero value of a type can be made without its
// name, so it always counts as made.
package lists_test

import (
	"maps"
	"slices"
	"testing"

	"nepenthes/events"
)

// chosen lists the closed lists whose values clients choose, so no code has to make them.
var chosen = []string{"shared/api.HeldChoice", "shared/webhook.Format", "shared/webhook.ScheduleName"}

func TestCodeMakesEveryValue(t *testing.T) {
	source := program(t)
	made := madeBy(source)
	lists := closedLists(source)
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		if slices.Contains(chosen, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			for _, v := range lists[name] {
				if !made[v.name] && !v.isZero {
					t.Errorf("no code makes %s: make it, or remove it from the code, the OpenAPI document, the pages and the documentation", v.name)
				}
			}
		})
	}
	t.Run("events: operational types", func(t *testing.T) {
		for _, kind := range events.Types() {
			if kind.Operational && !made[kind.Name] {
				t.Errorf("no code makes events of type %s: make them, or remove the type from the catalogue, the schemas and the documentation", kind.Name)
			}
		}
	})
}
