package tables_test

import (
	"testing"

	"nepenthes/shared/tables"
)

func TestEveryTableHasANameOfItsOwn(t *testing.T) {
	names := tables.Prefixed("nepenthes-")
	seen := map[string]bool{}
	for _, table := range tables.All() {
		got := names.Of(table)
		if want := "nepenthes-" + table.Name; got != want {
			t.Errorf("table %s: got %q, want %q", table.Name, got, want)
		}
		if seen[got] {
			t.Errorf("%q names two tables", got)
		}
		seen[got] = true
	}
}

func TestWhatCannotBeHadAgainIsRecoverable(t *testing.T) {
	for _, table := range tables.All() {
		if table.Recovery == (table.TTL != "") {
			t.Errorf("table %s: recovery %v, TTL %q: a table either keeps what it holds or lets it expire", table.Name, table.Recovery, table.TTL)
		}
	}
}

// An index is made of attributes that only the items in it have: an index over a key of the table would hold
// every item and be billed for every write.
func TestIndexesAreSparse(t *testing.T) {
	for _, table := range tables.All() {
		keys := map[string]bool{table.Partition.Name: true}
		if table.Sort != nil {
			keys[table.Sort.Name] = true
		}
		for _, index := range table.Indexes {
			for _, attribute := range []tables.Attribute{index.Partition, index.Sort} {
				if keys[attribute.Name] {
					t.Errorf("index %s of %s stands on %q, which other items or indexes have", index.Name, table.Name, attribute.Name)
				}
				keys[attribute.Name] = true
			}
		}
	}
}
