package lists_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// module is the prefix of our own packages.
const module = "nepenthes/"

// packages lists the packages whose code is searched.
var packages = []string{module + "events/...", module + "functions/...", module + "local/...", module + "shared/...", module + "web/..."}

// showing lists the packages that only show values to users.
var showing = []string{"shared/console/page", "shared/rest/hal"}

// asking lists the functions that only compare their arguments.
var asking = []string{"Is", "Contains", "Index", "Allows", "may"}

// value is a value of a closed list.
type value struct {
	name   string // "shared/delivery.Dead"
	text   string // "dead"; empty if the type is not a string
	isZero bool
}

// closedLists returns the values of every closed list, sorted by name. "shared/delivery.State" is the name of a list.
func closedLists(source []*pkg) map[string][]value {
	lists := map[string][]value{}
	for _, p := range source {
		for _, name := range p.Scope().Names() {
			c, isConstant := p.Scope().Lookup(name).(*types.Const)
			if !isConstant {
				continue
			}
			named, isNamed := c.Type().(*types.Named)
			if !isNamed || named.Obj().Pkg() != p.Package {
				continue
			}
			v := value{name: nameOf(c)}
			switch c.Val().Kind() {
			case constant.String:
				v.text = constant.StringVal(c.Val())
				v.isZero = v.text == ""
			case constant.Int:
				v.isZero = constant.Sign(c.Val()) == 0
			}
			lists[nameOf(named.Obj())] = append(lists[nameOf(named.Obj())], v)
		}
	}
	return lists
}

// nameOf returns the name of a constant or a type, such as "shared/delivery.Dead".
func nameOf(o types.Object) string {
	return strings.TrimPrefix(o.Pkg().Path(), module) + "." + o.Name()
}

// madeBy returns the names and the texts of the constants that the source makes.
func madeBy(source []*pkg) map[string]bool {
	all := map[string]bool{}
	for _, p := range source {
		if slices.Contains(showing, strings.TrimPrefix(p.Path(), module)) {
			continue
		}
		for _, file := range p.files {
			p.addMade(file, all)
		}
	}
	return all
}

// addMade adds the names and the texts of the constants that a file makes.
func (p *pkg) addMade(file *ast.File, all map[string]bool) {
	var path []ast.Node
	ast.Inspect(file, func(n ast.Node) bool {
		if n == nil {
			path = path[:len(path)-1]
			return true
		}
		path = append(path, n)
		ident, _ := n.(*ast.Ident)
		if c, isConstant := p.info.Uses[ident].(*types.Const); isConstant && c.Pkg() != nil && !p.onlyAsks(path) {
			all[nameOf(c)] = true
			if c.Val().Kind() == constant.String {
				all[constant.StringVal(c.Val())] = true
			}
		}
		return true
	})
}

// onlyAsks reports whether the expression around a constant only asks for its value. path leads from the file to the
// constant.
func (p *pkg) onlyAsks(path []ast.Node) bool {
	at := len(path) - 1
	for at--; p.isWrapper(path[at]); at-- {
	}
	child := path[at+1]
	switch around := path[at].(type) {
	case *ast.BinaryExpr:
		return around.Op == token.EQL || around.Op == token.NEQ
	case *ast.CaseClause:
		return true
	case *ast.IndexExpr:
		return around.Index == child
	case *ast.KeyValueExpr:
		return around.Key == child || p.isListOrQuery(path[at-1])
	case *ast.CompositeLit:
		return p.isListOrQuery(around)
	case *ast.CallExpr:
		return slices.Contains(asking, called(around.Fun))
	}
	return false
}

// isWrapper reports whether a node around a constant has the value of the constant: a selector such as fault.Internal,
// parentheses, or a conversion.
func (p *pkg) isWrapper(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.SelectorExpr, *ast.ParenExpr:
		return true
	case *ast.CallExpr:
		return p.info.Types[n.Fun].IsType()
	}
	return false
}

// isListOrQuery reports whether a node is a literal of a list, or of a query of the store.
func (p *pkg) isListOrQuery(n ast.Node) bool {
	literal, isLiteral := n.(*ast.CompositeLit)
	if !isLiteral {
		return false
	}
	switch t := p.info.TypeOf(literal); t.Underlying().(type) {
	case *types.Slice, *types.Array:
		return true
	default:
		return t.String() == module+"shared/store.Query"
	}
}

// called returns the name of a function without its package.
func called(f ast.Expr) string {
	switch f := f.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// pkg is a package of the program with its source.
type pkg struct {
	*types.Package
	files []*ast.File
	info  types.Info
}

// listed is a package as the go command describes it.
type listed struct {
	ImportPath, Dir string
	Export          string // the file with the export data of the compiler
	GoFiles         []string
}

// program returns the source of the program.
func program(t *testing.T) []*pkg {
	t.Helper()
	source, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// load reads the source of the program and checks its types, once for all tests.
var load = sync.OnceValues(func() (source []*pkg, err error) {
	all, err := list()
	if err != nil {
		return nil, err
	}
	exports := map[string]string{}
	var own []listed
	for _, l := range all {
		exports[l.ImportPath] = l.Export
		if strings.HasPrefix(l.ImportPath, module) && !strings.HasSuffix(l.ImportPath, "test") {
			own = append(own, l)
		}
	}
	fset := token.NewFileSet()
	imports := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	for _, l := range own {
		p := &pkg{info: types.Info{Uses: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{}}}
		for _, name := range l.GoFiles {
			file, err := parser.ParseFile(fset, filepath.Join(l.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			p.files = append(p.files, file)
		}
		if p.Package, err = (&types.Config{Importer: imports}).Check(l.ImportPath, fset, p.files, &p.info); err != nil {
			return nil, err
		}
		source = append(source, p)
	}
	return source, nil
})

// list returns the packages of the program and all packages that they depend on.
func list() (all []listed, err error) {
	args := append([]string{"list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles"}, packages...)
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		return nil, err
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var l listed
		if err := d.Decode(&l); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
}
