package rspamd

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailweir/internal/importing"
	"mailweir/internal/mta"
	"mailweir/internal/mta/postfix"
	"mailweir/test/testbed"
)

var update = flag.Bool("update", false, "write the golden files")

// nothing runs no program.
func nothing(_ context.Context, _ string, argv ...string) (mta.Output, error) {
	return mta.Output{}, fmt.Errorf("%s is not to be run", argv[0])
}

// from reads the directory of an rspamd below root.
func from(tb testing.TB, p *postfix.Postfix, root string) *importing.Result {
	tb.Helper()
	in := &importing.Input{Postfix: p, Root: root, Dir: "/etc/mailweir/imported", Run: nothing, Paths: []string{root + usualDir}}
	r, err := Source().Read(tb.Context(), in)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// told is a result as text; root is left out.
func told(r *importing.Result, root string) string {
	var b strings.Builder
	for _, i := range r.Items {
		fmt.Fprintf(&b, "%s %s %s: %s\n", i.Fate, i.Place, i.Text, i.Reason)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	for _, f := range r.Flags {
		fmt.Fprintf(&b, "\n%s = %s", f.Name, f.Value)
		if f.Off != "" {
			fmt.Fprintf(&b, "   # off: %s", f.Off)
		}
		for _, from := range f.From {
			fmt.Fprintf(&b, "   # from %s", from)
		}
	}
	b.WriteString("\n")
	for _, f := range r.Files {
		fmt.Fprintf(&b, "\n-- %s --\n%s", f.Name, f.Text)
	}
	return strings.ReplaceAll(b.String(), root+"/", "/")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

// TestReport: every line of an rspamd is accounted for.
func TestReport(t *testing.T) {
	testbed.Require(t, "postfix")
	root, err := filepath.Abs("testdata/old")
	if err != nil {
		t.Fatal(err)
	}
	p, err := postfix.Read(t.Context(), mta.Programs(time.Minute), root+"/etc/postfix")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "report", told(from(t, p, root), root))
}

// tree is a directory with these files.
func tree(tb testing.TB, files map[string]string) (root string) {
	tb.Helper()
	root = tb.TempDir()
	for name, text := range files {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	return root
}
