package fault_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"strings"
	"testing"

	"nepenthes/shared/fault"
)

// answerMax is the largest size of an answer about a fault.
const answerMax = 64 << 10

// size returns the number of bytes that a fault takes as JSON or on a page, whichever is more.
func size(t *testing.T, f *fault.Fault) int {
	t.Helper()
	text, err := json.Marshal(map[string]any{"detail": f.Message, "message": f.Message, "hint": f.Hint, "errors": f.Details})
	if err != nil {
		t.Fatal(err)
	}
	onPage := len(template.HTMLEscapeString(f.Message + f.Hint))
	for _, d := range f.Details {
		onPage += len(template.HTMLEscapeString(d.Attribute + d.Message + d.Hint))
	}
	return max(len(text), onPage)
}

func TestDetailsHaveALimit(t *testing.T) {
	for _, n := range []int{2, 99, 100, 101, 102, 500_000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			var found fault.Details
			for i := range n {
				found.Add(fault.Detail{Attribute: "a", Message: fmt.Sprintf("Line %d is wrong.", i+1)})
			}
			f := fault.From(found.Err())
			listed := min(n, 100)
			if f.Kind != fault.MultipleErrors || f.Details[listed-1].Message != fmt.Sprintf("Line %d is wrong.", listed) || f.Count() != n {
				t.Errorf("got %s with %d details, the last %+v, want the first %d", f.Kind, f.Count(), f.Details[len(f.Details)-1], listed)
			}
			switch last := f.Details[len(f.Details)-1]; {
			case n <= 100 && len(f.Details) != n:
				t.Errorf("got %d details, want %d", len(f.Details), n)
			case n == 101 && last.Message != "There is 1 more.":
				t.Errorf("got last message %q, want the number of omitted details", last.Message)
			case n > 101 && last.Message != fmt.Sprintf("There are %d more.", n-100):
				t.Errorf("got last message %q, want the number of omitted details", last.Message)
			case n > 100 && (len(f.Details) != 101 || last.Attribute != ""):
				t.Errorf("got %d details, the last with attribute %q, want 101 and no attribute", len(f.Details), last.Attribute)
			}
			if text := f.Error(); len(text) > 1000 {
				t.Errorf("got %d bytes for the log, want at most 1000", len(text))
			}
		})
	}
}

func TestAFaultFitsIntoAnAnswer(t *testing.T) {
	for name, text := range map[string]string{
		"letters": "x", "quotation marks": `"`, "backslashes": `\`, "markup": "<", "ampersands": "&", "plus signs": "+", "control characters": "\x01",
		"invalid UTF-8": "\xff", "separators": "\u2028", "wide letters": "ﷺ", "many bytes": "𝒳", "apostrophes": "'",
	} {
		t.Run(name, func(t *testing.T) {
			long := strings.Repeat(text, 1<<20/len(text))
			var found fault.Details
			for _, piece := range []int{1 << 20, 4 << 10, 300, 30} {
				for range 150 {
					d := long[:min(piece, len(long))]
					found.Add(fault.Detail{Attribute: d, Message: d, Hint: d})
				}
			}
			for what, err := range map[string]error{
				"many details":           found.Err(),
				"one detail":             fault.Invalid(fault.Detail{Attribute: long, Message: long, Hint: long}),
				"a message":              fault.New(fault.NotFound, "There is no %s.", long).With(long),
				"a quoted text":          fault.New(fault.NotFound, "There is no %s.", fault.Quote(long)),
				"the details of a fault": fault.Invalid(fault.From(found.Err()).Details...),
			} {
				f := fault.From(err)
				if got := size(t, f); got > answerMax-2<<10 { // the answer has other members too
					t.Errorf("%s: got %d bytes, want at most 64 KiB", what, got)
				}
				if got := len(f.Error()); got > 16<<10 {
					t.Errorf("%s: got %d bytes for the log, want at most 16 KiB", what, got)
				}
			}
		})
	}
}

func TestWrapCutsTheOperation(t *testing.T) {
	err := errors.New("inner")
	fault.Wrap(&err, "read thing %s", strings.Repeat("x", 1<<20))
	if text := err.Error(); len(text) > 1000 || !strings.HasPrefix(text, "read thing xxx") || !strings.HasSuffix(text, "…: inner") {
		t.Errorf("got %d bytes that begin with %.40q, want the beginning of the operation and the error", len(text), text)
	}
}

func TestQuote(t *testing.T) {
	for given, want := range map[string]string{
		"":                              `""`,
		"a\nb":                          `"a\nb"`,
		strings.Repeat("ü", 80):         `"` + strings.Repeat("ü", 80) + `"`,
		strings.Repeat("ü", 81):         `"` + strings.Repeat("ü", 80) + `…"`,
		strings.Repeat("\xff", 1<<20):   `"` + strings.Repeat(`\xff`, 80) + `…"`,
		strings.Repeat("x", 79) + "\"…": `"` + strings.Repeat("x", 79) + `\"…"`,
	} {
		if got := fault.Quote(given); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestJoinSkipsAttributesWithADetail(t *testing.T) {
	var found, others fault.Details
	found.Add(fault.Detail{Attribute: "name", Message: "It is not a string."})
	others.Add(fault.Detail{Attribute: "name", Message: "It is too short."}, fault.Detail{Attribute: "lines", Message: "Line 1."}, fault.Detail{Attribute: "lines", Message: "Line 2."})
	others.Omit(3)
	copied := found
	found.Join(others)
	if got := found.List(); len(got) != 3 || got[1].Message != "Line 1." || got[2].Message != "Line 2." || found.Len() != 6 {
		t.Errorf("got %+v and %d in all, want one for name, both lines, and 6 in all", got, found.Len())
	}
	if copied.Len() != 1 || !copied.Has("name") || copied.Has("lines") {
		t.Errorf("got %+v in a copy that was made before Join, want it unchanged", copied)
	}
}
