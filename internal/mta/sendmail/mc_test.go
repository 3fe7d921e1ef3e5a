package sendmail

import (
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mailweir/test/testbed"
)

func TestParseMC(t *testing.T) {
	const text = "divert(-1)dnl it's a `comment\n# INPUT_MAIL_FILTER(`no', `')\ninclude(`a/b')dnl\n" +
		"INPUT_MAIL_FILTER(`mailweir',\n  `S=unix:/run/x, F=T, T=C:10s;R:20s')dnl\n`INPUT_MAIL_FILTER(no)'\n" +
		"define(`A', `one `two' (three), four')dnl\ndefine(confX, ifdef(`B', `c, d', e))\nundefine (not a call)\nEMPTY()"
	calls, err := ParseMC(text)
	if err != nil {
		t.Fatal(err)
	}
	want := []Call{
		{Name: "divert", Args: []string{"-1"}, Line: 1},
		{Name: "include", Args: []string{"a/b"}, Line: 3},
		{Name: "INPUT_MAIL_FILTER", Args: []string{"mailweir", "S=unix:/run/x, F=T, T=C:10s;R:20s"}, Line: 4},
		{Name: "define", Args: []string{"A", "one `two' (three), four"}, Line: 7},
		{Name: "define", Args: []string{"confX", "ifdef(B, c, d, e)"}, Line: 8},
		{Name: "EMPTY", Args: []string{""}, Line: 10},
	}
	if d := cmp.Diff(want, calls, cmpopts.IgnoreFields(Call{}, "Start", "End")); d != "" {
		t.Error(d)
	}
	if got, want := text[calls[3].Start:calls[3].End], "define(`A', `one `two' (three), four')"; got != want {
		t.Errorf("the call is %q, want %q", got, want)
	}
	if calls[2].Arg(1) == "" || calls[2].Arg(2) != "" {
		t.Error("arguments")
	}
	for _, wrong := range []string{"a(", "a(`", "`", "a(b,(c)"} {
		if _, err := ParseMC(wrong); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}

// Debian's own file is read whole.
func TestParseMCDebian(t *testing.T) {
	testbed.Require(t, "sendmail")
	text, err := os.ReadFile(unpacked + "/usr/share/sendmail/cf/debian/sendmail.mc")
	if err != nil {
		t.Fatal(err)
	}
	calls, err := ParseMC(string(text))
	if err != nil {
		t.Fatal(err)
	}
	var daemons []string
	for _, c := range calls {
		if c.Name == "DAEMON_OPTIONS" {
			daemons = append(daemons, ParseDaemon(c.Arg(0)).Name)
		}
	}
	if !slices.Contains(daemons, "MTA-v4") || !slices.Contains(daemons, "MSP-v4") {
		t.Errorf("daemons are %q", daemons)
	}
}

func FuzzParseMC(f *testing.F) {
	for _, text := range []string{"a(`b', c(d))dnl x\n# y\n", "define(`x',`')", "INPUT_MAIL_FILTER(`m', `S=unix:/x, F=T, T=C:1s')", "O DaemonPortOptions=N=a, I=b;c\n\tx\nXa, T=R:1s\nC{x}y\nFw-o /z"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		calls, _ := ParseMC(text)
		last := 0
		for _, c := range calls {
			if c.Start < last || c.End <= c.Start || c.End > len(text) || text[c.Start:c.Start+len(c.Name)] != c.Name || len(c.Args) == 0 {
				t.Fatalf("%q has %+v", text, c)
			}
			last = c.End
			_ = ParseDaemon(c.Arg(0))
			_ = ParseFilter(c.Arg(1))
		}
		cf := ParseCF(text)
		for i := range cf.Daemons {
			_ = cf.InputFilters(&cf.Daemons[i])
		}
		_ = ParseCompiled(text)
	})
}
