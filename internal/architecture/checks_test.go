package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mailweir/checks"
)

// isCheck reports whether a package is a check, or what several checks share.
func isCheck(name string) bool {
	return strings.HasPrefix(name, "checks/") ||
		slices.Contains([]string{"checks", "internal/history", "internal/rate", "internal/blocklist", "internal/examination", "internal/entry"}, name)
}

// A check starts no goroutine and asks no clock: the runner owns both, or explain and replay could
// not be true.
func TestChecksAreTame(t *testing.T) {
	clocks := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}
	eachFile(t, func(_, in string, files *token.FileSet, file *ast.File) {
		if !isCheck(in) {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: a goroutine of a check's own; return policy.Later", files.Position(n.Pos()))
			case *ast.SelectorExpr:
				if isName(n.X, "time") && slices.Contains(clocks, n.Sel.Name) {
					t.Errorf("%s: time.%s; ask env.Clock", files.Position(n.Pos()), n.Sel.Name)
				}
			}
			return true
		})
	})
}

// What a check asks of the world outside it asks through policy.Env, and so do its tests.
func TestChecksStayInside(t *testing.T) {
	outside := []string{"net", "net/http", "os/exec", "syscall"}
	for _, p := range packages(t) {
		from, _ := ours(p.ImportPath)
		if !strings.HasPrefix(from, "checks/") {
			continue
		}
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if slices.Contains(outside, imported) {
				t.Errorf("%s imports %s", from, imported)
			}
		}
	}
}

// The package variables of checks are declarations: checks, replies, errors, and what never
// changes.
func TestChecksHaveNoState(t *testing.T) {
	eachFile(t, func(_, in string, files *token.FileSet, file *ast.File) {
		if !isCheck(in) {
			return
		}
		for _, name := range state(file) {
			t.Errorf("%s: variable %s is state of the package", files.Position(name.Pos()), name.Name)
		}
	})
}

// The rule finds every kind of variable that can change.
func TestStateIsFound(t *testing.T) {
	for source, want := range map[string]bool{
		`var a = map[string]int{"x": 1}`:        true,
		`var a = []string{"x"}`:                 true,
		`var a = &thing{}`:                      true,
		`var a = thing{}`:                       true,
		`var a int`:                             true,
		`var a = 1`:                             true,
		`var a, b = &policy.Reply{}, 1`:         true,
		`var a = make(map[string]int)`:          true,
		`var a = new(sync.Mutex)`:               true,
		`var a = &policy.Env{}`:                 true,
		`var a = &policy.Check{}`:               false,
		`var a = &policy.Reply{}`:               false,
		`var a = errors.New("x")`:               false,
		`var a = regexp.MustCompile("x")`:       false,
		`var a = strings.NewReplacer("x", "y")`: false,
		`var a = strings.Fields("x y")`:         true,
		`var a = [...]string{"x"}`:              false,
		`const a = 1`:                           false,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "a.go", "package a\n"+source, 0)
		if err != nil {
			t.Fatal(err)
		}
		if found := len(state(file)) > 0; found != want {
			t.Errorf("%s: found %t, want %t", source, found, want)
		}
	}
}

// state finds the package variables of a file that are no declarations.
func state(file *ast.File) (names []*ast.Ident) {
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			v := spec.(*ast.ValueSpec)
			for i, name := range v.Names {
				if i >= len(v.Values) || !isDeclaration(v.Values[i]) {
					names = append(names, name)
				}
			}
		}
	}
	return names
}

// isDeclaration knows &policy.Check{}, &policy.Reply{}, arrays, and the calls that make what never
// changes.
func isDeclaration(value ast.Expr) bool {
	switch v := value.(type) {
	case *ast.UnaryExpr:
		literal, ok := v.X.(*ast.CompositeLit)
		return ok && v.Op == token.AND && (isSelector(literal.Type, "policy", "Check") || isSelector(literal.Type, "policy", "Reply"))
	case *ast.CallExpr:
		return isSelector(v.Fun, "errors", "New") || isSelector(v.Fun, "regexp", "MustCompile") || isSelector(v.Fun, "strings", "NewReplacer")
	case *ast.CompositeLit:
		array, ok := v.Type.(*ast.ArrayType)
		return ok && array.Len != nil
	}
	return false
}

func isSelector(e ast.Expr, pkg, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && isName(s.X, pkg) && s.Sel.Name == name
}

func isName(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// alsoNamed are words that stand elsewhere for something else.
var alsoNamed = map[string][]string{
	"cmd/mailweir":         {"content", "auth", "address"},                         // commands, and a flag of one
	"internal/events":      {"recipient"},                                          // a field of the log
	"internal/logline":     {"recipient"},                                          // the same
	"internal/policy":      {"open-relay", "concurrency", "spam", "virus", "auth"}, // offences and a stage
	"internal/blocklist":   {"header-from"},                                        // the reply of two checks
	"internal/content":     {"content"},                                            // the beginning of a field's name
	"internal/content/css": {"size"},                                               // an attribute
	"internal/policytest":  {"fault"},                                              // its own
	"internal/record/row":  {"fault", "recipient", "hops"},                         // fields of a row
	"internal/rspamd":      {"greylist"},                                           // an action
	"internal/spamd":       {"spam"},                                               // an action, and a line of the protocol
	"checks/impersonation": {"header-from"},                                        // what its flag is about
	"checks/virus":         {"signature"},                                          // the same
	"checks/spam":          {"signature"},                                          // what a reply calls its argument
}

// A check is named by a string in its own package alone: whoever else went by a name would have to
// be changed for each new check.
func TestChecksAreNamedAtHome(t *testing.T) {
	home := map[string]string{}
	for _, c := range checks.Registry().Checks {
		home[c.Name] = "checks/" + strings.ReplaceAll(c.Name, "-", "")
		if files, err := filepath.Glob("../../" + home[c.Name] + "/*.go"); err != nil || len(files) == 0 {
			t.Errorf("%s: there is no package %s, %v", c.Name, home[c.Name], err)
		}
	}
	eachFile(t, func(_, in string, files *token.FileSet, file *ast.File) {
		if folder, _, _ := strings.Cut(in, "/"); slices.Contains([]string{"test", "bench", "demo"}, folder) {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			name, err := strconv.Unquote(literal.Value)
			if err == nil && home[name] != "" && home[name] != in && !slices.Contains(alsoNamed[in], name) {
				t.Errorf("%s names the check %s", files.Position(n.Pos()), name)
			}
			return true
		})
	})
}
