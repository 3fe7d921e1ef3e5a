package table

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestErrorsNameFileAndLine(t *testing.T) {
	for _, tc := range []struct{ name, kind, content, want string }{
		{"no value", "texthash", "a x\n# c\nb\n", "FILE:3: the key has no value"},
		{"no value after blanks", "hash", "a  \t\n", "FILE:1: the key has no value"},
		{"quote", "texthash", "\"a x\n", "FILE:1: unbalanced '\"'"},
		{"begins with white space", "texthash", " a x\n", "FILE:1: the line begins with white space"},
		{"NUL", "texthash", "a x\nb\x00 y\n", "FILE:2: the line has a NUL octet"},
		{"not UTF-8", "texthash", "a\xff x\n", "FILE:1: the line is not UTF-8"},
		{"too long", "texthash", "a x\n" + strings.Repeat("x", maxLine+70000), "FILE:2: the line is longer"},
		{"too long by continuation", "texthash", "a x\n" + strings.Repeat(" "+strings.Repeat("y", 60000)+"\n", 20), ": the line is longer"},
		{"list with value", "list", "a\nb OK\n", "FILE:2: more than a key"},
		{"action", "texthash", "a OK\nb PERMIT\n", `FILE:2: unknown action "PERMIT"`},
		{"class", "texthash", "a REJECT 4.7.1 x\n", "FILE:1: enhanced code 4.7.1 after REJECT: its class must be 5"},
		{"class of code", "texthash", "a 450 5.7.1 x\n", "FILE:1: enhanced code 5.7.1 after 450: its class must be 4"},
		{"OK with text", "texthash", "a OK unverified\n", "FILE:1: OK takes no text"},
		{"cidr no value", "cidr", "10.0.0.0/8\n", "FILE:1: the key has no value"},
		{"cidr host bits", "cidr", "10.0.0.1/8 OK\n", `FILE:1: "10.0.0.1/8" has bits after its prefix; perhaps you mean 10.0.0.0/8`},
		{"cidr length", "cidr", "10.0.0.0/33 OK\n", "FILE:1: bad prefix length"},
		{"cidr address", "cidr", "mail.example OK\n", "FILE:1: bad address pattern"},
		{"cidr endif", "cidr", "endif\n", "FILE:1: endif without if"},
		{"cidr if", "cidr", "1.2.3.4 OK\nif 10.0.0.0/8\n", "FILE:2: if without endif"},
		{"cidr action", "cidr", "1.2.3.4 OK\n10.0.0.0/8 no\n", "FILE:2: unknown action"},
		{"look-ahead", "pcre", "/a/ OK\n/(?=a)/ OK\n", "FILE:2: invalid or unsupported Perl syntax"},
		{"back-reference", "pcre", `/(a)\1/ OK`, "FILE:1: invalid escape sequence"},
		{"possessive", "pcre", `/a++/ OK`, "FILE:1: invalid nested repetition"},
		{"atomic", "pcre", `/(?>a)/ OK`, "FILE:1: invalid or unsupported Perl syntax"},
		{"oversized", "pcre", `/(a{900}b{900}){20}/ OK`, "FILE:1: "},
		{"large program", "pcre", "/" + strings.Repeat("[a-z]{900}", 12) + "/ OK", "FILE:1: the pattern compiles to "},
		{"long pattern", "pcre", "/" + strings.Repeat("a", maxPattern+1) + "/ OK", "FILE:1: the pattern is longer"},
		{"unbalanced brackets", "pcre", `/a)(b/ OK`, "FILE:1: unexpected )"},
		{"unbalanced brackets, anchored", "pcre", `/a)(b/A OK`, "FILE:1: unexpected )"},
		{"flag", "pcre", "/a/q OK", "FILE:1: unknown flag 'q'"},
		{"free spacing", "pcre", "/a/x OK", "FILE:1: flag x"},
		{"no delimiter", "regexp", "/a OK", "FILE:1: no closing \"/\""},
		{"no pattern", "regexp", "a OK", "FILE:1: no pattern"},
		{"POSIX digit", "regexp", `/\d/ OK`, `FILE:1: \d has no meaning`},
		{"basic", "regexp", "/a/x OK", "FILE:1: flag x: basic"},
		{"group", "regexp", "/a(b)/ REJECT $2", "FILE:1: $2: the pattern has 1 groups"},
		{"negated group", "regexp", "!/a(b)/ REJECT $1", "FILE:1: a pattern that must not match"},
		{"verb filled in", "regexp", "/(a)/ $1 x", "FILE:1: \"$1\": the first word must not be filled in"},
		{"code filled in", "regexp", "/(a)/ 55$1 x", "FILE:1: \"55$1\": the first word must not be filled in"},
		{"pattern no value", "pcre", "/a/\n", "FILE:1: the key has no value"},
		{"pattern endif", "pcre", "if /a/\nendif\nendif\n", "FILE:3: endif without if"},
		{"pattern if", "pcre", "if /a/\nif /b/\n/c/ OK\nendif\n", "FILE:1: if without endif"},
		{"indented if", "pcre", "if /a/\n  /b/ OK\nendif\n", "FILE:1: text after the pattern of an if"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "t")
			if err := os.WriteFile(file, []byte(tc.content), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := NewLoader(nil).List(ListOptions{Use: Use{Values: Actions, Bare: "REJECT"}}, tc.kind+":"+file)
			if err == nil {
				t.Fatal("no error")
			}
			if got := strings.ReplaceAll(err.Error(), file, "FILE"); !strings.Contains(got, tc.want) {
				t.Errorf("%s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestErrorsOfSpecs(t *testing.T) {
	dir := t.TempDir()
	for spec, want := range map[string]string{
		"ldap:x":               `unknown table type "ldap" in "ldap:x"; known are texthash,`,
		"texthash:":            `no source`,
		"":                     `no source`,
		"inline:{a=SOMETHING}": `inline:{a=SOMETHING}: unknown action "SOMETHING"`,
		"inline:{a}":           `inline:{a}: "a": want key=value`,
		"static:maybe":         `static:maybe: unknown action`,
		"/no/such:file":        `table /no/such:file: open /no/such:file: no such file`,
		dir:                    `not a regular file`,
	} {
		_, err := NewLoader(nil).List(ListOptions{Use: Use{Values: Actions}}, spec)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", spec, err, want)
		}
	}
}

func TestPermitsAndOwnValues(t *testing.T) {
	for value, good := range map[string]bool{"OK": true, "ok Unverified": true, "DUNNO": true, "REJECT": false, "OK maybe": false, "550 x": false} {
		_, err := NewLoader(nil).List(ListOptions{Use: Use{Values: Permits}}, write(t, "a "+value))
		if (err == nil) != good {
			t.Errorf("permit %q: %v", value, err)
		}
	}
	even := Values{Name: "even", Check: func(s string) error {
		if len(s)%2 != 0 {
			return errors.New("odd")
		}
		return nil
	}}
	file := write(t, "a xx", "b xxx")
	loader := NewLoader(nil)
	if _, err := loader.List(ListOptions{Use: Use{Values: Any}}, file); err != nil {
		t.Error(err)
	}
	if _, err := loader.List(ListOptions{Use: Use{Values: even}}, file); err == nil || err.Error() != file+":2: odd" {
		t.Errorf("error %v", err)
	}
}

func TestCheckKeys(t *testing.T) {
	loader := NewLoader(nil)
	noStar := func(key string) error {
		if strings.Contains(key, "*") {
			return errors.New("a star in " + key)
		}
		return nil
	}
	bad, good := write(t, "a 1", "B* 2"), write(t, "a 1", "b 2")
	pattern := write(t, "/b*/ 1")
	for spec, want := range map[string]string{
		bad: bad + ":2: a star in b*", good: "", "inline:{a*=x}": "inline:{a*=x}: a star in a*", "static:a*": "", "regexp:" + pattern: "",
	} {
		list, err := loader.List(ListOptions{Use: Use{Values: Any}}, good, spec)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := list.CheckKeys(noStar); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", spec, got, want)
		}
	}
	if err := (*List)(nil).CheckKeys(noStar); err != nil {
		t.Error(err)
	}
}

func TestReload(t *testing.T) {
	file := write(t, "a OK")
	age := func(d time.Duration) {
		t.Helper()
		when := time.Now().Add(-d)
		if err := os.Chtimes(file, when, when); err != nil {
			t.Fatal(err)
		}
	}
	rewrite := func(content string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	open := func(l *Loader) *Table {
		t.Helper()
		table, err := l.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		return table
	}
	age(time.Hour)
	first := NewLoader(nil)
	a := open(first)
	if open(first) != a {
		t.Error("one loader opens one table twice")
	}
	second := NewLoader(first)
	if open(second) != a || second.Changed() != nil {
		t.Error("an unchanged file gives a new table, or seems changed")
	}
	age(2 * time.Hour)
	if !slices.Equal(second.Changed(), []string{file}) {
		t.Error("a touched file does not seem changed")
	}
	third := NewLoader(second)
	if open(third) != a {
		t.Error("a touched file with the same content gives a new table")
	}
	if third.Changed() != nil {
		t.Error("the new state of the file was not taken over")
	}

	// Changed with the same size and time, as can happen within the grain of the clock.
	now := time.Now()
	if err := os.Chtimes(file, now, now); err != nil {
		t.Fatal(err)
	}
	fourth := NewLoader(third)
	open(fourth)
	rewrite("b OK\n")
	if err := os.Chtimes(file, now, now); err != nil {
		t.Fatal(err)
	}
	fifth := NewLoader(fourth)
	b := open(fifth)
	if m, err := b.Lookup(t.Context(), "b"); b == a || err != nil || !m.Found() {
		t.Error("a change within the grain of the clock goes unnoticed")
	}
	fifth.Done()

	rewrite("broken\n")
	if _, err := NewLoader(fifth).Open(file); err == nil {
		t.Error("a broken file opens")
	}
	if m, err := open(fifth).Lookup(t.Context(), "b"); err != nil || !m.Found() {
		t.Error("the loader in use lost its table")
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(fifth.Changed(), []string{file}) {
		t.Error("a missing file does not seem changed")
	}
}

func TestTexthash(t *testing.T) {
	table, err := NewLoader(nil).Open("texthash:" + write(t, "# comment", "Key one", `"a b"@c.example two`, "key dup", "long x", " # not this", "  y"))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]Match{
		"KEY":             {Value: "one", Key: "key", Line: 2},
		`"A b"@c.example`: {Value: "two", Key: `"a b"@c.example`, Line: 3},
		"long":            {Value: "x  y", Key: "long", Line: 5},
		"none":            {},
		"":                {},
		"\xff":            {},
	} {
		m, err := table.Lookup(t.Context(), key)
		if m.Value != want.Value || m.Key != want.Key || m.Line != want.Line || err != nil || m.Found() != (want.Line > 0) {
			t.Errorf("%q: %+v, want %+v", key, m, want)
		}
	}
}

func TestListType(t *testing.T) {
	file := write(t, "# ours", "Example.com", "", `"a b"@x.example`)
	for bare, want := range map[string]Verb{"REJECT": Reject, "OK": OK} {
		list := openList(t, ListOptions{Use: Use{Values: Actions, Bare: bare}, Subdomains: true}, "list:"+file, "static:")
		if m, err := list.Domain(t.Context(), "mail.example.com"); err != nil || !m.Found() || m.Action.Verb != want || m.Line != 2 || m.Value != bare {
			t.Errorf("%s: %+v, %v", bare, m, err)
		}
		if m, err := list.Domain(t.Context(), "else.example"); err != nil || m.Action.Verb != want || m.Table != "static:" {
			t.Errorf("static: is %s: %+v, %v", bare, m, err)
		}
	}
	for spec, want := range map[string]string{
		"list:" + file: file + ":2: list: has keys alone, and here it is the value that counts: use texthash:, with the value behind each key",
		"static:":      "static:: here it is the value that counts: write static:VALUE",
	} {
		if _, err := NewLoader(nil).List(ListOptions{Use: Use{Values: Actions}}, spec); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", spec, err, want)
		}
	}
}
