package attach

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"mailweir/internal/mta"
	"mailweir/test/testbed"
)

var update = flag.Bool("update", false, "write the golden plans")

// TestPlans shows what init would do with mail servers of many kinds. The real postconf reads and
// edits them; systemd is only said to be there.
func TestPlans(t *testing.T) {
	testbed.Require(t, "postfix")
	files, err := filepath.Glob("testdata/plans/*.txtar")
	if err != nil || len(files) < 12 {
		t.Fatal(err, len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			readable(t, dir)
			var kept []txtar.File
			want := ""
			for _, f := range archive.Files {
				if f.Name == "plan" {
					want = string(f.Data)
					continue
				}
				kept = append(kept, f)
				put(t, filepath.Join(dir, f.Name), strings.ReplaceAll(string(f.Data), "DIR", dir))
			}
			got := preview(t, dir)
			if *update {
				archive.Files = append(kept, txtar.File{Name: "plan", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// preview is what init --dry-run prints, with DIR for the directory.
func preview(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	root := t.TempDir()
	h := testHost(t, root, &b)
	h.Units = "/etc/systemd/system"
	programs := h.Run
	h.Run = func(ctx context.Context, stdin string, argv ...string) (mta.Output, error) {
		if argv[0] == "systemctl" {
			if slices.Contains(argv, "LoadState") {
				return mta.Output{Stdout: "loaded\n"}, nil
			}
			return mta.Output{Stdout: "UnitFileState=disabled\nActiveState=inactive\n"}, nil
		}
		return programs(ctx, stdin, argv...)
	}
	if err := h.Preview(t.Context(), Choice{PostfixDir: dir}, &b); err != nil {
		fmt.Fprintln(&b, "error:", err)
	}
	return strings.ReplaceAll(strings.ReplaceAll(b.String(), dir, "DIR"), root, "")
}

// testHost is a host below a directory, without systemd, whose mailweir accepts every
// configuration.
func testHost(t *testing.T, dir string, out *strings.Builder) *Host {
	t.Helper()
	return &Host{
		Run: mta.Programs(60 * time.Second),
		Etc: filepath.Join(dir, "etc", "mailweir"), Fragments: filepath.Join(dir, "etc", "mailweir", "conf.d"),
		State:    filepath.Join(dir, "state"),
		Listen:   []string{"inet:127.0.0.1:8424"},
		Check:    func(context.Context, string) error { return nil },
		Asked:    func(context.Context) (uint64, error) { return 0, nil },
		Now:      time.Now,
		Patience: 8 * time.Second,
		Say:      func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) },
	}
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	// Postfix reads a file that has just changed again and again for two seconds.
	past := time.Now().Add(-time.Minute)
	if err := os.Chtimes(name, past, past); err != nil {
		t.Fatal(err)
	}
}

// readable opens a directory and those above it to everybody, as far as they are not.
func readable(t *testing.T, dir string) {
	t.Helper()
	for ; dir != "/"; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err == nil && info.Mode()&0o001 == 0 {
			err = os.Chmod(dir, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Nothing that stands in a mail server's lists may break their readers.
func FuzzLists(f *testing.F) {
	for _, text := range []string{"a.example, !b.example static:all [192.0.2.1] 10.0.0.0/8 [::1]/128 ::ffff:1.2.3.4/100", "a b\n c\n\"d e\" f", "mysql:x proxy:hash:y inline:{a=b}", "10.1", "IPv6:fe80::"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_ = tableKeys(text)
		if p, ok := partialNet(text); ok && !p.IsValid() {
			t.Errorf("%q is %v", text, p)
		}
		if strings.Contains(text, "/") && !strings.Contains(text, "0/") {
			return // a file of this host
		}
		p := &Proposal{}
		d := &domains{names: make(map[string]string), proposal: p}
		d.name(text, "fuzz", true)
		for name := range d.names {
			if strings.ContainsAny(name, " \n#,") {
				t.Errorf("%q became the domain %q", text, name)
			}
		}
		for line := range strings.Lines((&Proposal{Lines: []Line{{Flag: "a", Value: text, Why: text, Off: "x" + text}}}).Text()) {
			if line != "\n" && line[0] != '#' {
				t.Errorf("%q became a line of its own: %q", text, line)
			}
		}
	})
}
