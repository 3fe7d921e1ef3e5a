package postgrey

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

// from reads these paths below a directory.
func from(tb testing.TB, p *postfix.Postfix, root string, paths ...string) *importing.Result {
	tb.Helper()
	in := &importing.Input{Postfix: p, Root: root, Dir: "/etc/mailweir/imported", Run: nothing}
	for _, path := range paths {
		in.Paths = append(in.Paths, in.Old(path))
	}
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
	for _, f := range r.Flags {
		fmt.Fprintf(&b, "\n%s = %s", f.Name, f.Value)
		for _, from := range f.From {
			fmt.Fprintf(&b, "   # from %s", from)
		}
	}
	b.WriteString("\n")
	for _, f := range r.Files {
		fmt.Fprintf(&b, "\n-- %s --\n%s", f.Name, f.Text)
	}
	for _, d := range r.Doubles {
		fmt.Fprintf(&b, "\ndouble %s %s %q", d.Service, d.Parameter, d.Words)
	}
	if m := r.Memory; m != nil {
		fmt.Fprintf(&b, "\nnets /%d /%d\n", m.IPv4, m.IPv6)
		for _, t := range m.Triplets {
			fmt.Fprintf(&b, "%s %q %q %v %s %s\n", t.Client, t.Sender, t.Recipient, t.Passed, at(t.First), at(t.Until))
		}
		for _, c := range m.Clients {
			fmt.Fprintf(&b, "%s %d %v %s\n", c.Client, c.Passes, c.Known, at(c.Until))
		}
	}
	return strings.ReplaceAll(b.String(), root+"/", "/")
}

func at(t time.Time) string { return t.UTC().Format(time.DateTime) }

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

// TestReport: every line of a postgrey is accounted for.
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
	r := from(t, p, root, Source().Usual[0], Source().Usual[2])
	golden(t, "report", told(r, root))
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

// TestListsThatOptionsName: the options may name other lists, and another place of the database.
func TestListsThatOptionsName(t *testing.T) {
	root := tree(t, map[string]string{
		"etc/default/postgrey":           "POSTGREY_OPTS='--unix=/var/spool/postfix/postgrey/socket --lookup-by-host --whitelist-clients=/etc/mine --whitelist-recipients /etc/none'\n",
		"etc/postgrey/whitelist_clients": "unread.example\n",
		"etc/mine":                       "read.example\n",
	})
	r := from(t, nil, root, "/etc/default/postgrey", "/etc/postgrey")
	golden(t, "named", told(r, root))
}

// TestOptions: each option as postgrey takes it.
func TestOptions(t *testing.T) {
	for _, c := range []struct{ options, want string }{
		{"--inet=10023", "greylist-delay=300s greylist-window=48h greylist-keep=35d greylist-client-passes=5 greylist-ipv4=24 greylist-ipv6=64"},
		{"--retry-window=3 -delay=60 --max-age=0", "greylist-delay=60s greylist-window=3d greylist-keep=35d greylist-client-passes=5 greylist-ipv4=24 greylist-ipv6=64"},
		{"--auto-whitelist-clients --delay 7 --retry=6H", "greylist-delay=7s greylist-window=6h greylist-keep=35d greylist-client-passes=5 greylist-ipv4=24 greylist-ipv6=64"},
		{"--auto-white=0 --lookup-by-host", "greylist-delay=300s greylist-window=48h greylist-keep=35d greylist-client-passes=0 greylist-ipv4=32 greylist-ipv6=128"},
		{"--ipv6cidr=56 --delay=x --auto-whitelist-clients=many", "greylist-delay=300s greylist-window=48h greylist-keep=35d greylist-client-passes=5 greylist-ipv4=24 greylist-ipv6=56"},
	} {
		root := tree(t, map[string]string{"etc/default/postgrey": "POSTGREY_OPTS=\"" + c.options + "\"\n"})
		var got []string
		for _, f := range from(t, nil, root, "/etc/default/postgrey").Flags {
			got = append(got, f.Name+"="+f.Value)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s\n gives %s\n want  %s", c.options, strings.Join(got, " "), c.want)
		}
	}
}

// TestAssignments: a file of options is read as a shell reads it.
func TestAssignments(t *testing.T) {
	for text, want := range map[string]string{
		"A=b\n":                       "1 A=b",
		"export A='b c'":              "1 A=b c",
		"A=\"b\nc\"\nB=d":             "1 A=b\nc, 3 B=d",
		"A=b\\\nc":                    "1 A=bc",
		"A=b\nB=\"$A ${A}x$A\"":       "1 A=b, 2 B=b bxb",
		"A='$B'\nC=a\\ b; D=e":        "1 A=$B, 2 C=a b",
		"# A=b\n\n A=b # c":           "3 A=b",
		"A=$(x)":                      "1 odd",
		"A=`x`":                       "1 odd",
		"A=${B:-c}":                   "1 odd",
		"A=b c":                       "1 odd",
		"if true; then":               "1 odd",
		"A=\"unended":                 "1 A=unended\n",
		"A=\"it's\"\nB='say \"x\" '$": "1 A=it's, 2 odd",
	} {
		var got []string
		for _, a := range assignments(text) {
			one := fmt.Sprintf("%d %s=%s", a.line, a.name, a.value)
			if a.odd != "" {
				one = fmt.Sprintf("%d odd", a.line)
			}
			got = append(got, one)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%q is %q, want %q", text, strings.Join(got, ", "), want)
		}
	}
}
