package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"mailweir/internal/policy"
)

// flags are one flag of each kind.
type flags struct {
	set    *pflag.FlagSet
	max    *int
	strict *bool
	words  *[]string
	lists  *[]string
	text   *string
}

func newFlags() *flags {
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	set.String(FileFlag, "", "")
	set.String(DirFlag, "", "")
	f := policy.NewFlags(set, "")
	return &flags{
		set: set, max: f.Int("hops-max", 25, ""), strict: f.Bool("address-strict", false, ""),
		words: f.Words("always-accept", []string{"postmaster"}, "WORDS", ""), lists: f.Strings("list", "TABLE", ""), text: f.String("text", "x", "TEXT", ""),
	}
}

// commandLine parses arguments as cobra does.
func commandLine(t *testing.T, args ...string) Given {
	t.Helper()
	f := newFlags()
	if err := f.set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return FromCommandLine(f.set)
}

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "flags")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestPrecedence(t *testing.T) {
	name := file(t, "# comment\n\n  hops-max 1\n--always-accept = a b\naddress-strict\nlist=one\nlist two\ntext=a = b\n")
	for _, c := range []struct {
		name    string
		args    []string
		environ []string
		max     int
		source  string
		words   string
		lists   string
	}{
		{"default", nil, nil, 25, "default", "postmaster", ""},
		{"file", []string{"--config=" + name}, nil, 1, name + ":3", "a b", "one two"},
		{"file by variable", nil, []string{"MAILWEIR_CONFIG=" + name}, 1, name + ":3", "a b", "one two"},
		{"variable", []string{"--config=" + name}, []string{"MAILWEIR_HOPS_MAX=2", "MAILWEIR_ALWAYS_ACCEPT=c,d", "MAILWEIR_LIST=three\n\nfour\n"}, 2, "MAILWEIR_HOPS_MAX", "c d", "three four"},
		{"flag", []string{"--config=" + name, "--hops-max=3", "--list=six", "--list=seven"}, []string{"MAILWEIR_HOPS_MAX=2", "MAILWEIR_LIST=three"}, 3, "flag", "a b", "six seven"},
		{"flag with the default's value", []string{"--hops-max=25"}, []string{"MAILWEIR_HOPS_MAX=2"}, 25, "flag", "postmaster", ""},
		{"file of the flag before that of the variable", []string{"--config=" + name}, []string{"MAILWEIR_CONFIG=/nonexistent"}, 1, name + ":3", "a b", "one two"},
		{"list emptied", []string{"--config=" + name, "--always-accept="}, []string{"MAILWEIR_LIST="}, 1, name + ":3", "", ""},
		{"other people's variables", nil, []string{"HOPS_MAX=7", "NOTMAILWEIR_HOPS_MAX=7"}, 25, "default", "postmaster", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFlags()
			r := Resolve(f.set, Origin{Given: commandLine(t, c.args...), Environ: c.environ})
			if len(r.Wrong) > 0 || len(r.Unknown) > 0 {
				t.Fatal(r.Wrong, r.Unknown)
			}
			if got := r.Of("hops-max", 0); *f.max != c.max || got != c.source {
				t.Errorf("hops-max %d from %s, want %d from %s", *f.max, got, c.max, c.source)
			}
			if got := strings.Join(*f.words, " "); got != c.words {
				t.Errorf("words %q, want %q", got, c.words)
			}
			if got := strings.Join(*f.lists, " "); got != c.lists {
				t.Errorf("lists %q, want %q", got, c.lists)
			}
			if fromFile := strings.Contains(c.source, "flags:"); fromFile && (!*f.strict || *f.text != "a = b") {
				t.Errorf("switch %v, text %q", *f.strict, *f.text)
			}
		})
	}
}

// Each value of a repeatable flag has the line in which it stands; of a line with several values,
// all have that one.
func TestSourceOfEachValue(t *testing.T) {
	name := file(t, "list=one\nhops-max=1\nlist=two\nalways-accept=a b\n")
	f := newFlags()
	sources := Resolve(f.set, Origin{Given: commandLine(t, "--config="+name)})
	if len(sources.Wrong) > 0 {
		t.Fatal(sources.Wrong)
	}
	var got []string
	for _, flag := range []string{"list", "always-accept", "hops-max", "text"} {
		for i := range max(1, len(map[string][]string{"list": *f.lists, "always-accept": *f.words}[flag])) {
			got = append(got, strings.TrimPrefix(sources.Of(flag, i), name))
		}
	}
	if want := ":1 :3 :4 :4 :2 default"; strings.Join(got, " ") != want {
		t.Errorf("sources %q, want %q", got, want)
	}
}

func TestErrorsNameTheirSource(t *testing.T) {
	for _, c := range []struct{ name, text, variable, want string }{
		{"value", "text=a\nhops-max=many\n", "", `:2: --hops-max: "many" is not a whole number`},
		{"unknown", "\n\nhops-mx=1\n", "", ":3: there is no flag --hops-mx, did you mean --hops-max?"},
		{"one word", "s3cr3t\n", "", ":1: the line is one word of 6 octets and no flag's name"},
		{"unknown without a neighbour", "zzzzzzzz=1\n", "", ":1: there is no flag --zzzzzzzz"},
		{"no value", "hops-max\n", "", ":1: --hops-max needs a value"},
		{"twice", "hops-max=1\nhops-max=2\n", "", ":2: --hops-max stands at "},
		{"itself", "config=other\n", "", ":1: --config cannot stand in a file"},
		{"switch", "address-strict=perhaps\n", "", ":1: --address-strict: "},
		{"a line too long for a name", strings.Repeat("x", 70000) + "=1\n", "", `:1: the line begins with no flag's name, but with 70000 octets without a space or =: "xxxx`},
		{"a value too long to repeat", "hops-max=" + strings.Repeat("ä", 70000) + "\n", "", `:1: --hops-max: "` + strings.Repeat("ä", 190)},
		{"second of a list", "list=a\n\nlist=\n", "", ":3: --list: the value is empty"},
		{"empty list", "list=\n", "", ":1: --list: the value is empty"},
		{"control", "text=a\x00b\n", "", ":1: a control character"},
		{"variable", "", "MAILWEIR_HOPS_MAX=-1", `MAILWEIR_HOPS_MAX: --hops-max: "-1" is not`},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := file(t, c.text)
			r := Resolve(newFlags().set, Origin{Given: commandLine(t, "--config="+name), Environ: []string{c.variable}})
			want := c.want
			if want[0] == ':' {
				want = name + want
			}
			if len(r.Wrong) != 1 || !strings.HasPrefix(r.Wrong[0].Err.Error(), want) || len(r.Wrong[0].Err.Error()) > len(name)+500 {
				t.Errorf("%v, want %s", r.Wrong, want)
			}
		})
	}
	r := Resolve(newFlags().set, Origin{Given: Given{FileFlag: {"/nonexistent/flags"}}})
	if len(r.Wrong) != 1 || !strings.HasPrefix(r.Wrong[0].Err.Error(), "--config: open /nonexistent/flags") {
		t.Error(r.Wrong)
	}
}

// Whoever can do without what is wrong has all the rest, and learns which flag each error is about.
// The errors are in the order of the file, the command line comes last.
func TestResolveGoesOn(t *testing.T) {
	name := file(t, "hops-max=many\ntext=a\nhops-mx=1\nzzzzzzzz=1\nlist=a\nlist=\ntext=b\nconfig=x\nlst=a\x01\naddress-strict\n")
	f := newFlags()
	r := Resolve(f.set, Origin{Given: commandLine(t, "--config="+name, "--text=b"), Environ: []string{"MAILWEIR_HOPS_MAX=more", "MAILWEIR_ADDRESS_STRICT=maybe"}})
	var got []string
	for _, w := range r.Wrong {
		where, _, _ := strings.Cut(strings.TrimPrefix(w.Err.Error(), name), ": ")
		got = append(got, where+" "+w.Flag)
	}
	want := []string{":3 hops-max", ":4 ", ":6 list", ":7 text", ":8 config", ":9 list", "MAILWEIR_ADDRESS_STRICT address-strict", "MAILWEIR_HOPS_MAX hops-max"}
	if !slices.Equal(got, want) {
		t.Errorf("wrong %q, want %q", got, want)
	}
	if *f.max != 25 || *f.text != "b" || *f.strict || strings.Join(*f.lists, " ") != "a" || r.Of("hops-max", 0) != "default" || r.Of("list", 0) != name+":5" {
		t.Errorf("hops-max %d, text %q, switch %v, lists %q, %v", *f.max, *f.text, *f.strict, *f.lists, r)
	}
}

func TestUnknownVariables(t *testing.T) {
	r := Resolve(newFlags().set, Origin{Environ: []string{"MAILWEIR_ZZZZZZZZ=1", "MAILWEIR_HOPSMAX=1"}})
	unknown := r.Unknown
	want := []Unknown{{Name: "MAILWEIR_HOPSMAX", Nearest: "MAILWEIR_HOPS_MAX"}, {Name: "MAILWEIR_ZZZZZZZZ"}}
	if len(r.Wrong) > 0 || !slices.Equal(unknown, want) {
		t.Errorf("%v %v, want %v", unknown, r.Wrong, want)
	}
	if got := unknown[0].String(); got != "the variable MAILWEIR_HOPSMAX names no flag, did you mean MAILWEIR_HOPS_MAX?" {
		t.Error(got)
	}
}

func TestSuggest(t *testing.T) {
	set := newFlags().set
	for name, want := range map[string]string{
		"hops-mx": ", did you mean --hops-max?", "hop-max": ", did you mean --hops-max?", "hops_max": ", did you mean --hops-max?",
		"strict": "", "lists": ", did you mean --list?", "": "", "addres-strickt": ", did you mean --address-strict?",
		"list-mode": ", did you mean --list?", "strict-mode": "",
	} {
		if got := Suggest(set, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// What is read from a file, written as a file again, reads the same; and nothing crashes.
func FuzzFile(f *testing.F) {
	for _, seed := range []string{
		"hops-max=1\n", "--hops-max 1", "address-strict", "list=a\nlist=b\n", "text = a=b", "# x\n\n", "=", "--", "text=\"a\\", "text\t\tx\r\n", "list=\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		set := newFlags().set
		r := new(Resolved)
		l := r.parseFile("flags", text, set, true)
		for _, w := range r.Wrong {
			if !strings.HasPrefix(w.Err.Error(), "flags:") || w.Place.Line == 0 {
				t.Errorf("%q: %v names no line", text, w.Err)
			}
		}
		var again strings.Builder
		for name, list := range l.settings {
			if set.Lookup(name) == nil {
				t.Fatalf("%q: unknown flag %s", text, name)
			}
			for _, s := range list {
				again.WriteString(name + "=" + s.value + "\n")
			}
		}
		r = new(Resolved)
		same := r.parseFile("flags", again.String(), set, true)
		if len(r.Wrong) > 0 || len(r.Remarks) > 0 || len(same.settings) != len(l.settings) {
			t.Fatalf("%q: written again %q: %v %v", text, again.String(), r.Wrong, r.Remarks)
		}
		for name, list := range l.settings {
			for i, s := range list {
				if s.value != same.settings[name][i].value || s.reset != same.settings[name][i].reset {
					t.Errorf("%q: %s is %v, then %v", text, name, list, same.settings[name])
				}
			}
		}
	})
}
