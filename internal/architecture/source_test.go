package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// maxLines is how long a file may be: what is longer is more than one thing.
const maxLines = 450

// eachFile parses every Go file of the program, tests left out.
func eachFile(t *testing.T, check func(name, inPackage string, files *token.FileSet, file *ast.File)) {
	t.Helper()
	for _, p := range packages(t) {
		in, _ := ours(p.ImportPath)
		for _, name := range p.GoFiles {
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			check(in+"/"+name, in, files, file)
		}
	}
}

func TestNoInit(t *testing.T) {
	eachFile(t, func(name, _ string, _ *token.FileSet, file *ast.File) {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s has an init function: say what happens in main", name)
			}
		}
	})
}

func TestFileLength(t *testing.T) {
	for _, p := range packages(t) {
		entries, err := filepath.Glob(filepath.Join(p.Dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range entries {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(text), "\n"); n > maxLines {
				t.Errorf("%s has %d lines, more than %d", strings.TrimPrefix(name, filepath.Dir(p.Dir)+"/"), n, maxLines)
			}
		}
	}
}

// A check starts no goroutine and asks no clock: the runner owns both, or explain and replay could not be true.
func TestChecksAreTame(t *testing.T) {
	clocks := map[string]bool{
		"Now": true, "Since": true, "Until": true, "Sleep": true, "After": true, "AfterFunc": true, "Tick": true, "NewTimer": true, "NewTicker": true,
	}
	eachFile(t, func(name, in string, files *token.FileSet, file *ast.File) {
		if !strings.HasPrefix(in, "checks") {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: a goroutine of a check's own; return policy.Later", files.Position(n.Pos()))
			case *ast.SelectorExpr:
				if pkg, ok := n.X.(*ast.Ident); ok && pkg.Name == "time" && clocks[n.Sel.Name] {
					t.Errorf("%s: time.%s; ask env.Clock", files.Position(n.Pos()), n.Sel.Name)
				}
			}
			return true
		})
		for _, imported := range file.Imports {
			switch strings.Trim(imported.Path.Value, `"`) {
			case "net", "net/http", "os/exec":
				t.Errorf("%s imports %s: what waits is asked through policy.Env", name, imported.Path.Value)
			}
		}
	})
}

// The package variables of checks are declarations: checks, replies, errors, and tables of constants.
func TestChecksHaveNoState(t *testing.T) {
	eachFile(t, func(_, in string, files *token.FileSet, file *ast.File) {
		if !strings.HasPrefix(in, "checks") {
			return
		}
		for _, d := range file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				v := spec.(*ast.ValueSpec)
				if len(v.Values) != len(v.Names) || !isDeclaration(v.Values[0]) {
					t.Errorf("%s: variable %s is state of the package", files.Position(v.Pos()), v.Names[0].Name)
				}
			}
		}
	})
}

// isDeclaration knows &policy.Check{}, &policy.Reply{}, errors.New("…") and composite literals that are never written
// to as far as this can see.
func isDeclaration(value ast.Expr) bool {
	switch v := value.(type) {
	case *ast.UnaryExpr:
		literal, ok := v.X.(*ast.CompositeLit)
		return ok && v.Op == token.AND && isPolicy(literal.Type)
	case *ast.CallExpr:
		f, ok := v.Fun.(*ast.SelectorExpr)
		return ok && (isName(f.X, "errors") || isName(f.X, "strings") || isName(f.X, "regexp"))
	case *ast.CompositeLit:
		return true
	}
	return false
}

func isPolicy(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && isName(s.X, "policy") && (s.Sel.Name == "Check" || s.Sel.Name == "Reply")
}

func isName(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}
