// Package lists tests that closed lists hold only what is reachable: code of the program makes every value, and the
// document of the API and the documentation have the same values.
//
// A closed list is a type of this module together with the constants of that type. Code makes a value if it uses the
// constant in any way but one that only asks for the value:
//
//   - it compares the value: with == or !=, in a case of a switch, or with a function such as fault.Is
//   - it looks something up: the value is an index, or a key in a literal of a map
//   - it lists values: the value is an element of a list, which may be the closed list itself
//   - it asks the store for the value in a store.Query
//
// Packages that only show values make none, and neither do tests. The zero value of a type is made without its name.
package lists_test

import (
	"maps"
	"slices"
	"testing"

	"nepenthes/events"
)

// chosen lists the closed lists whose values clients choose.
var chosen = []string{"shared/webhook.Format", "shared/webhook.ScheduleName"}

func TestCodeMakesEveryValue(t *testing.T) {
	source := program(t)
	made := made(source)
	lists := closedLists(source)
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		if slices.Contains(chosen, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			for _, v := range lists[name] {
				if !made[v.name] && !v.isZero {
					t.Errorf("no code makes %s: make it, or remove it from the code, the document, the pages and the documentation", v.name)
				}
			}
		})
	}
	t.Run("events: operational types", func(t *testing.T) {
		for _, kind := range events.Types() {
			if kind.Operational && !made[kind.Name] {
				t.Errorf("no code makes an event of the type %s: make it, or remove it from the catalogue, the schemas and the documentation", kind.Name)
			}
		}
	})
}
