package access

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailweir/internal/importing"
	"mailweir/internal/mta"
	"mailweir/internal/mta/postfix"
	"mailweir/test/testbed"
)

var update = flag.Bool("update", false, "write the golden files")

// programs are those of the real Postfix.
func programs() mta.Run { return mta.Programs(time.Minute) }

// old is a time at which nobody is writing: postconf and postmap wait for files that are new.
func old(tb testing.TB, name string) {
	tb.Helper()
	then := time.Now().Add(-time.Hour)
	if err := os.Chtimes(name, then, then); err != nil {
		tb.Fatal(err)
	}
}

// host is a Postfix that is set up by files; HERE in them is their directory.
type host struct {
	dir string
	in  *importing.Input
}

// newHost writes the files of a configuration and has the real postconf read it.
func newHost(tb testing.TB, files map[string]string) *host {
	tb.Helper()
	testbed.Require(tb, "postmap")
	h := &host{dir: tb.TempDir()}
	if files["master.cf"] == "" {
		files["master.cf"] = "smtp inet n - n - - smtpd\n"
	}
	for name, text := range files {
		h.write(tb, name, text)
	}
	found, err := postfix.Read(tb.Context(), programs(), h.dir)
	if err != nil {
		tb.Fatal(err)
	}
	h.in = &importing.Input{Postfix: found, Dir: "/etc/mailweir/imported", Run: programs()}
	return h
}

func (h *host) write(tb testing.TB, name, text string) {
	tb.Helper()
	path := filepath.Join(h.dir, name)
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "HERE", h.dir)), 0o644); err != nil {
		tb.Fatal(err)
	}
	old(tb, path)
}

func (h *host) read(tb testing.TB) *importing.Result {
	tb.Helper()
	result, err := Source().Read(tb.Context(), h.in)
	if err != nil {
		tb.Fatal(err)
	}
	return result
}

// told is a result as text, for golden files.
func (h *host) told(r *importing.Result) string {
	var b strings.Builder
	for _, i := range r.Items {
		fmt.Fprintf(&b, "%s %s %s: %s\n", i.Fate, i.Place, i.Text, i.Reason)
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
	for _, f := range r.Files {
		fmt.Fprintf(&b, "\n\n== %s\n%s", f.Name, f.Text)
	}
	for _, d := range r.Doubles {
		fmt.Fprintf(&b, "\ndouble: %s %s %s", d.Service, d.Parameter, strings.Join(d.Words, " "))
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "\nnote: %s", n)
	}
	return strings.ReplaceAll(b.String(), h.dir, "HERE") + "\n"
}

// cases are the configurations of testdata: each a directory of files, and want.
func TestGolden(t *testing.T) {
	dirs, err := filepath.Glob("testdata/*/main.cf")
	if err != nil || len(dirs) == 0 {
		t.Fatal(err, dirs)
	}
	for _, main := range dirs {
		dir := filepath.Dir(main)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			files := make(map[string]string)
			for _, e := range entries {
				data, err := os.ReadFile(filepath.Join(dir, e.Name()))
				if err != nil {
					t.Fatal(err)
				}
				files[e.Name()] = string(data)
			}
			want := files["want"]
			delete(files, "want")
			h := newHost(t, files)
			got := h.told(h.read(t))
			if *update {
				if err := os.WriteFile(filepath.Join(dir, "want"), []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
