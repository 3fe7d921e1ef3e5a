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
			file, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution|parser.ParseComments)
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

// A newcomer learns from the package comment what a package is for.
func TestPackageComments(t *testing.T) {
	said := map[string]bool{}
	eachFile(t, func(_, in string, _ *token.FileSet, file *ast.File) {
		said[in] = said[in] || file.Doc != nil
	})
	for in, ok := range said {
		if !ok {
			t.Errorf("%s has no package comment", in)
		}
	}
}

func TestFileLength(t *testing.T) {
	for _, p := range packages(t) {
		entries, err := filepath.Glob(filepath.Join(p.Dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range entries {
			if strings.HasSuffix(name, "_templ.go") { // made of a template, which is what people read
				continue
			}
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
