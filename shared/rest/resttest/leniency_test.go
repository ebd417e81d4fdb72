package resttest_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"nepenthes/shared/rest/resttest"
)

// TestLenienciesAreDocumented checks that docs/deploying.md lists exactly the leniencies.
func TestLenienciesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../../docs/deploying.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "| where | what is different |\n|---|---|\n")
	if !found {
		t.Fatal("docs/deploying.md has no table of differences")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	var want []string
	for _, l := range resttest.Leniencies() {
		var of []string
		for _, e := range l.Of {
			of = append(of, string(e))
		}
		want = append(want, fmt.Sprintf("| %s | %s |", strings.Join(of, ", "), l.Sentence))
	}
	if want := strings.Join(want, "\n"); table != want {
		t.Errorf("docs/deploying.md has\n%s\nwant\n%s", table, want)
	}
}
