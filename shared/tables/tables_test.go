package tables_test

import (
	"testing"

	"nepenthes/shared/tables"
)

func TestTableNamesDiffer(t *testing.T) {
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

func TestTablesWithoutExpiryAreRecoverable(t *testing.T) {
	for _, table := range tables.All() {
		if table.Recovery == (table.TTL != "") {
			t.Errorf("table %s has recovery %v and TTL %q, want either recovery or expiry", table.Name, table.Recovery, table.TTL)
		}
	}
}

// Only the items that an index lists have the partition key of the index. An index whose partition key is a key of the
// table would hold every item and be billed for every write. The sort key may be the sort key of the table.
func TestIndexesAreSparse(t *testing.T) {
	for _, table := range tables.All() {
		keys := map[string]bool{table.Partition.Name: true}
		if table.Sort != nil {
			keys[table.Sort.Name] = true
		}
		for _, index := range table.Indexes {
			attributes := []tables.Attribute{index.Partition, index.Sort}
			if table.Sort != nil && index.Sort == *table.Sort {
				attributes = attributes[:1]
			}
			for _, attribute := range attributes {
				if keys[attribute.Name] {
					t.Errorf("index %s of %s uses attribute %q of the table's key or of another index", index.Name, table.Name, attribute.Name)
				}
				keys[attribute.Name] = true
			}
		}
	}
}
