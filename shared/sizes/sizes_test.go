// Package sizes tests that functions, files and packages have the sizes that CONTRIBUTING.md says.
package sizes_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root        = "../.."
	functionMax = 60  // lines
	fileMax     = 420 // lines
	packageMax  = 600 // lines above which CONTRIBUTING.md must say why
)

// sizes are the sizes of all Go code but tests, in lines.
type sizes struct {
	functions map[string]int // by file and name
	files     map[string]int
	packages  map[string]int // by the name in CONTRIBUTING.md: the folder without shared/
}

func measured(t *testing.T) sizes {
	t.Helper()
	s := sizes{map[string]int{}, map[string]int{}, map[string]int{}}
	for _, top := range []string{"events", "functions", "infra", "local", "shared", "web"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "testdata") {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			s.files[name] = bytes.Count(text, []byte("\n"))
			s.packages[strings.TrimPrefix(filepath.Dir(name), "shared/")] += s.files[name]
			return s.addFunctions(name, text)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s sizes) addFunctions(name string, text []byte) error {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, d := range file.Decls {
		if f, isFunction := d.(*ast.FuncDecl); isFunction {
			s.functions[name+" "+f.Name.Name] = 1 + fset.Position(f.End()).Line - fset.Position(f.Pos()).Line
		}
	}
	return nil
}

func TestNothingIsTooLong(t *testing.T) {
	s := measured(t)
	for name, lines := range s.functions {
		if lines > functionMax {
			t.Errorf("%s has %d lines; split it", name, lines)
		}
	}
	for name, lines := range s.files {
		if lines > fileMax {
			t.Errorf("%s has %d lines; split it", name, lines)
		}
	}
}

// section returns what CONTRIBUTING.md says about sizes.
func section(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, begins := strings.Cut(string(text), "## Sizes")
	between, _, ends := strings.Cut(after, "\n## ")
	if !begins || !ends {
		t.Fatal("CONTRIBUTING.md has no section about sizes")
	}
	return between
}

var figures = regexp.MustCompile(`the median has (\d+) lines and\s+the\s+longest (\d+)`)

func TestTheFiguresOfFunctionsAreTrue(t *testing.T) {
	var all []int
	for _, lines := range measured(t).functions {
		all = append(all, lines)
	}
	slices.Sort(all)
	found := figures.FindStringSubmatch(section(t))
	if found == nil {
		t.Fatal("CONTRIBUTING.md does not say how long functions are")
	}
	if said, median := number(found[1]), all[len(all)/2]; said < median-1 || said > median+1 {
		t.Errorf("CONTRIBUTING.md says that the median has %d lines; it has %d", said, median)
	}
	if said, longest := number(found[2]), all[len(all)-1]; said < longest-5 || said > longest+5 {
		t.Errorf("CONTRIBUTING.md says that the longest has %d lines; it has %d", said, longest)
	}
}

// listed returns the lines of each package in the table of CONTRIBUTING.md: the least and the most.
func listed(t *testing.T) map[string][2]int {
	t.Helper()
	table := map[string][2]int{}
	for row := range strings.Lines(section(t)) {
		cells := strings.Split(row, "|")
		if len(cells) < 3 || !strings.Contains(cells[1], "`") {
			continue
		}
		var names []string
		for i, name := range strings.Split(cells[1], "`") {
			if i%2 == 1 {
				names = append(names, name)
			}
		}
		least, most, isRange := strings.Cut(cells[2], "–")
		for i, each := range strings.Split(cells[2], ";") {
			switch {
			case isRange:
				for _, name := range names {
					table[name] = [2]int{number(least), number(most)}
				}
			case i < len(names):
				table[names[i]] = [2]int{number(each), number(each)}
			}
		}
	}
	return table
}

// number reads a number such as "3,200". It returns 0 for anything else.
func number(text string) int {
	n, _ := strconv.Atoi(strings.ReplaceAll(strings.TrimSpace(text), ",", ""))
	return n
}

func TestTheTableOfPackagesIsTrue(t *testing.T) {
	packages, table := measured(t).packages, listed(t)
	if len(table) < 10 {
		t.Fatalf("CONTRIBUTING.md lists only the packages %v", table)
	}
	for name, lines := range packages {
		if _, isListed := table[name]; lines > packageMax && !isListed {
			t.Errorf("%s has %d lines, but CONTRIBUTING.md does not say why", name, lines)
		}
	}
	for name, said := range table {
		lines := packages[name]
		if lines < packageMax*9/10 {
			t.Errorf("%s has only %d lines: remove it from the table", name, lines)
		}
		if lines < said[0]*9/10 || lines > said[1]*11/10 {
			t.Errorf("%s has %d lines; CONTRIBUTING.md says %d to %d", name, lines, said[0], said[1])
		}
	}
}
