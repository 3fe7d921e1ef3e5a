package dnslists_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailweir/internal/importing"
	"mailweir/internal/importing/dnslists"
	"mailweir/internal/mta"
	"mailweir/internal/mta/postfix"
	"mailweir/test/testbed"
)

var update = flag.Bool("update", false, "write the golden files")

// readPostfix has the real postconf print a configuration.
func readPostfix(t testing.TB, dir string) *postfix.Postfix {
	t.Helper()
	testbed.Require(t, "postfix")
	past := time.Now().Add(-time.Minute) // postconf reads a file that has just changed again and again
	for _, name := range []string{"main.cf", "master.cf"} {
		if err := os.Chtimes(filepath.Join(dir, name), past, past); err != nil {
			t.Fatal(err)
		}
	}
	p, err := postfix.Read(t.Context(), mta.Programs(20*time.Second), dir)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Each directory of testdata is the tree of a host. What import makes of it, line by line, stands
// in want.txt beside it; a file given has what mailweir was told before.
func TestTrees(t *testing.T) {
	trees, err := filepath.Glob("testdata/*/want.txt")
	if err != nil || len(trees) == 0 {
		t.Fatal(trees, err)
	}
	for _, golden := range trees {
		tree := filepath.Dir(golden)
		t.Run(filepath.Base(tree), func(t *testing.T) {
			root := copied(t, tree)
			r, err := dnslists.Source().Read(t.Context(), &importing.Input{
				Postfix: readPostfix(t, filepath.Join(root, "etc/postfix")), Root: root, Dir: "/etc/mailweir/imported", Given: given(t, filepath.Join(tree, "given")),
			})
			if err != nil {
				t.Fatal(err)
			}
			got := strings.ReplaceAll(shown(r), root, "")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("%s is another one (go test -update writes it):\n%s", golden, d)
			}
			for _, secret := range []string{"k3y0fthecustomer", "abusixkey123", "0123456789abcdef01234567"} {
				for _, i := range r.Items {
					if strings.Contains(i.Text+i.Reason, secret) {
						t.Errorf("a key is shown: %+v", i)
					}
				}
			}
		})
	}
}

// copied is a copy of a tree, whose files may be made to look old.
func copied(t *testing.T, tree string) (root string) {
	t.Helper()
	root = testbed.TempDir(t)
	if err := os.CopyFS(root, os.DirFS(tree)); err != nil {
		t.Fatal(err)
	}
	return root
}

// given are lines FLAG = VALUE of a file that need not be there.
func given(t *testing.T, file string) func(string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	values := map[string][]string{}
	for line := range strings.Lines(string(data)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " = ")
		values[name] = append(values[name], value)
	}
	return func(flag string) []string { return values[flag] }
}

// shown is all of a result.
func shown(r *importing.Result) string {
	var b strings.Builder
	for _, i := range r.Items {
		fmt.Fprintf(&b, "%-7s %s %s: %s\n", i.Fate, i.Place, i.Text, i.Reason)
	}
	b.WriteByte('\n')
	for _, f := range r.Flags {
		fmt.Fprintf(&b, "%s = %s\t%v\n", f.Name, f.Value, f.From)
	}
	for _, f := range r.Files {
		secret := ""
		if f.Secret {
			secret = " secret"
		}
		fmt.Fprintf(&b, "\nfile %s%s:\n%s", f.Name, secret, f.Text)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "\nnote: %s\n", n)
	}
	for _, s := range r.Secrets {
		fmt.Fprintf(&b, "\nsecret %s\n", s)
	}
	for _, d := range r.Doubles {
		fmt.Fprintf(&b, "\ndouble %s %s %s%s", d.Service, d.Parameter, strings.Join(d.Words, " "), d.Instead)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}
