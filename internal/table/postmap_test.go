package table

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mailweir/test/testbed"
)

// These tests write tables at random and hold every answer, and every refusal to load, against the
// real postmap.

// postmap is the real program, with a configuration of our own.
type postmap struct{ path, config, dir string }

func realPostmap(t *testing.T) postmap {
	t.Helper()
	testbed.Require(t, "postmap")
	t.Parallel() // postmap sleeps for a second when it dies
	path, err := exec.LookPath("postmap")
	if err != nil {
		t.Fatal(err)
	}
	p := postmap{path, t.TempDir(), t.TempDir()}
	if err := os.WriteFile(filepath.Join(p.config, "main.cf"), []byte("compatibility_level = 3.6\nsmtputf8_enable = yes\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

// query returns the answers for the keys, and what the program complained about in the table.
func (p postmap) query(t *rapid.T, spec string, keys []string) (answers map[string]string, complaint string) {
	cmd := exec.Command(p.path, "-c", p.config, "-q", "-", spec)
	cmd.Stdin = strings.NewReader(strings.Join(keys, "\n") + "\n")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("%v: %v: %s", cmd, err, errs.Bytes())
	}
	answers = map[string]string{}
	for line := range strings.Lines(out.String()) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		answers[key] = value
	}
	for line := range strings.Lines(errs.String()) {
		if !harmless(line) {
			return answers, line
		}
	}
	return answers, ""
}

// harmless are the warnings about lines that Postfix uses all the same.
func harmless(warning string) bool {
	for _, s := range []string{"duplicate entry", "is this an alias file", "empty string result", "should return NO RESULT", "non-UTF-8 key"} {
		if strings.Contains(warning, s) {
			return true
		}
	}
	return false
}

// compare writes the table and asks both. When we refuse the table, Postfix must have complained
// about it, or the reason be a named limit.
func (p postmap) compare(t *rapid.T, kind, content string, keys []string, limits ...string) {
	file := filepath.Join(p.dir, "table")
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	// A file written a moment ago makes postmap wait, and read it again, until it is surely
	// complete.
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(file, old, old); err != nil {
		t.Fatal(err)
	}
	p.compareSpec(t, kind+":"+file, content, keys, limits...)
}

func (p postmap) compareSpec(t *rapid.T, spec, content string, keys []string, limits ...string) {
	want, complaint := p.query(t, spec, keys)
	table, err := NewLoader(nil).Open(spec)
	if err != nil {
		for _, limit := range limits {
			if strings.Contains(err.Error(), limit) {
				return
			}
		}
		if complaint == "" {
			t.Fatalf("we refuse what postmap takes without a word: %v\n%s", err, content)
		}
		return
	}
	if complaint != "" {
		t.Fatalf("we take what postmap complains about: %s\n%s", complaint, content)
	}
	for _, key := range keys {
		m, err := table.Lookup(t.Context(), key)
		value, found := want[key]
		if err != nil || m.Found() != found || m.Value != value {
			t.Fatalf("key %q: %q (%v), postmap says %q (%v)\n%s", key, m.Value, m.Found(), value, found, content)
		}
	}
}

var eol = rapid.SampledFrom([]string{"\n", "\n", "\n", "\r\n", "\n\n", "\n# comment\n", "\n  # comment\n", "\n \n"})

func lines(t *rapid.T, label string, line *rapid.Generator[string]) string {
	var b strings.Builder
	for range rapid.IntRange(1, 8).Draw(t, label) {
		b.WriteString(line.Draw(t, "line"))
		b.WriteString(eol.Draw(t, "eol"))
	}
	return b.String()
}

func concat(from []string, minimum, maximum int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(from), minimum, maximum).Draw(t, "parts"), "")
	})
}

func TestTexthashAgainstPostmap(t *testing.T) {
	p := realPostmap(t)
	key := concat([]string{"a", "B", "user", "@", "example.com", ".", "+", "É", "é", "ß", "SS", `\"`, `\\`, "ſ", "K", "k", "#", "!", "$1"}, 1, 3)
	odd := concat([]string{"a", `"`, `\`, " ", ":", "\t", "A"}, 1, 4)
	line := rapid.Custom(func(t *rapid.T) string {
		k := rapid.OneOf(key, key, key, odd).Draw(t, "key")
		if rapid.IntRange(0, 9).Draw(t, "quoted") == 0 {
			k = `"` + k + ` x"` + key.Draw(t, "tail")
		}
		sep := rapid.SampledFrom([]string{" ", "\t", "   ", " \t ", "\n  ", "\n# x\n "}).Draw(t, "separator")
		return k + sep + concat([]string{"OK", "x", " ", "\t", "É", "\n\t", "\\", `"`, "#"}, 0, 4).Draw(t, "value")
	})
	rapid.Check(t, func(t *rapid.T) {
		content := lines(t, "lines", line)
		keys := rapid.SliceOfN(key, 1, 10).Draw(t, "keys")
		keys = append(keys, keysIn(content)...)
		p.compare(t, "texthash", content, usable(keys))
	})
}

func TestCidrAgainstPostmap(t *testing.T) {
	p := realPostmap(t)
	addr := rapid.SampledFrom([]string{
		"10.0.0.0", "10.1.0.0", "10.1.2.0", "10.1.2.3", "10.1.2.4", "0.0.0.0", "192.0.2.128",
		"2001:db8::", "2001:db8:1::", "2001:DB8:1::1", "::", "::1", "::ffff:10.1.2.3", "::ffff:10.0.0.0", "2001:db8:0:0::",
	})
	length := rapid.SampledFrom([]string{"", "", "/0", "/8", "/16", "/24", "/32", "/31", "/104", "/48", "/64", "/128", "/08", "/33", "/129", "/", "/x", "/+8"})
	pattern := rapid.Custom(func(t *rapid.T) string {
		a, l := addr.Draw(t, "address"), length.Draw(t, "length")
		not := rapid.SampledFrom([]string{"", "", "", "!", "! ", "!!"}).Draw(t, "not")
		switch rapid.IntRange(0, 9).Draw(t, "brackets") {
		case 0:
			return not + "[" + a + "]" + l
		case 1:
			return not + "[" + a + l + "]"
		case 2:
			return not + rapid.SampledFrom([]string{"[" + a, "[" + a + "]x", "10.1", "010.1.2.3", "host", "1.2.3.4.5", "fe80::1%eth0"}).Draw(t, "odd")
		}
		return not + a + l
	})
	line := rapid.Custom(func(t *rapid.T) string {
		return pattern.Draw(t, "pattern") + rapid.SampledFrom([]string{" ", "\t", " \n  "}).Draw(t, "separator") +
			rapid.SampledFrom([]string{"a", "b c", "OK", ""}).Draw(t, "value")
	})
	rapid.Check(t, func(t *rapid.T) {
		content := blocks(t, 2, line, rapid.Map(pattern, func(s string) string { return s }))
		keys := rapid.SliceOfN(addr, 1, 15).Draw(t, "keys")
		p.compare(t, "cidr", content, usable(append(keys, "10.200.0.1", "192.0.2.129", "2001:db8:1::2", "2002::", "host", "01.2.3.4", "[::1]", "10.1.2.3/32", "fe80::1%eth0")))
	})
}

// TestCidrBlocksAgainstPostmap writes only rules that are valid, so that order and nesting are what
// is tried.
func TestCidrBlocksAgainstPostmap(t *testing.T) {
	p := realPostmap(t)
	pattern := rapid.SampledFrom([]string{
		"10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3", "0.0.0.0/0", "!10.1.0.0/16", "!10.1.2.3", "!192.0.2.0/24",
		"2001:db8::/32", "2001:db8:1::/48", "!2001:db8:1::/48", "::/0", "::ffff:10.0.0.0/104",
	})
	n := 0
	line := rapid.Map(pattern, func(s string) string {
		n++
		return s + " v" + string(rune('a'+n%26)) + string(rune('a'+n/26%26))
	})
	keys := []string{"10.1.2.3", "10.1.2.4", "10.1.3.1", "10.2.0.0", "192.0.2.1", "2001:db8:1::1", "2001:db8:2::1", "2002::1", "::ffff:10.1.2.3"}
	rapid.Check(t, func(t *rapid.T) {
		p.compare(t, "cidr", blocks(t, 3, line, pattern), keys)
	})
}

// blocks writes rules, and some of them within if ... endif.
func blocks(t *rapid.T, depth int, line, pattern *rapid.Generator[string]) string {
	var b strings.Builder
	for range rapid.IntRange(1, 5).Draw(t, "rules") {
		if depth > 0 && rapid.IntRange(0, 3).Draw(t, "if") == 0 {
			b.WriteString(rapid.SampledFrom([]string{"if ", "IF\t", "if"}).Draw(t, "keyword") + " " + pattern.Draw(t, "condition") + "\n")
			b.WriteString(blocks(t, depth-1, line, pattern))
			b.WriteString(rapid.SampledFrom([]string{"endif\n", "EndIf\n", "endif\n", "endif\n"}).Draw(t, "endif"))
			continue
		}
		b.WriteString(line.Draw(t, "line") + eol.Draw(t, "eol"))
	}
	return b.String()
}

// rules of a pattern table: patterns that both kinds know, and the flags of the kind.
func patternLines(pieces, flags []string) (line, pattern *rapid.Generator[string]) {
	pattern = rapid.Custom(func(t *rapid.T) string {
		delimiter := rapid.SampledFrom([]string{"/", "/", "/", "=", "~"}).Draw(t, "delimiter")
		not := rapid.SampledFrom([]string{"", "", "", "!", "! ", "!!"}).Draw(t, "not")
		body := concat(pieces, 1, 5).Draw(t, "body")
		return not + delimiter + strings.ReplaceAll(body, delimiter, `\`+delimiter) + delimiter + rapid.SampledFrom(flags).Draw(t, "flags")
	})
	value := concat([]string{"a", "$1", "${1}", "$(2)", "$$", " ", "x", "É", "$2", "{", "$", "-"}, 1, 4)
	line = rapid.Custom(func(t *rapid.T) string {
		return pattern.Draw(t, "pattern") + rapid.SampledFrom([]string{" ", "\t", " \n  ", ""}).Draw(t, "separator") + "v" + value.Draw(t, "value")
	})
	return line, pattern
}

var patternKeys = concat([]string{"a", "b", "A", "B", "ab", "c", "é", "É", "1", ".", "@", " ", "/", "]", "\\", "x", "_", "Straße", "K"}, 1, 6)

var limitsOfPatterns = []string{"RE2 syntax", "POSIX", "not supported"}

func TestPCREAgainstPostmap(t *testing.T) {
	p := realPostmap(t)
	line, pattern := patternLines([]string{
		"a", "b", "^", "$", ".", "*", "+", "?", "(a|b)", "(", ")", "|", "[a-b]", "[^a]", "é", "[é]", `\d`, `\.`, `\x41`, `\xc3`, `\/`, "{2}", "{1,}", "(?:b)", `\w`, `\b`, "(a)?", `[\w@]`, "k", "ß", `\s`, ".*", "(.*)", "(?i)", `\\`, "x",
	}, []string{"", "", "", "i", "s", "m", "U", "A", "E", "is", "ii", "x", "z"})
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfN(patternKeys, 1, 15).Draw(t, "keys")
		p.compare(t, "pcre", blocks(t, 2, line, pattern), usable(keys), limitsOfPatterns...)
	})
}

func TestRegexpAgainstPostmap(t *testing.T) {
	p := realPostmap(t)
	line, pattern := patternLines([]string{
		"a", "b", "^", "$", ".", "+", "?", "(a|ab)", "(", ")", "[a-b]", "[^a]", `[\.]`, "[]a]", "[[:alpha:]]", `\.`, `\/`, "{2}", "{1,}", "(a)?", "(b|c)*", `\w`, `\b`, "k", "x", ".*", "(.*)", `\\`,
	}, []string{"", "", "", "i", "m", "ii", "x", "z"})
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfN(patternKeys, 1, 15).Draw(t, "keys")
		p.compare(t, "regexp", blocks(t, 2, line, pattern), usable(keys), limitsOfPatterns...)
	})
}

func TestInlineAgainstPostmap(t *testing.T) {
	p := realPostmap(t)
	piece := rapid.SampledFrom([]string{"a=1", "A=2", "b=x=y", "a=5", "é=6", "b=7", "{ c = 8 }", "{a=9}", "{A = x\ty}", "#=0", "{c = d e}", "{ É = { x } }", "{a=3}", "a", "c=", "=d", "{", "}", "{}", "{x y=z}", "é=4", "d=", "#=5"})
	separator := rapid.SampledFrom([]string{" ", ",", ", ", " , ", ",", "\t", " ", ",,", ""})
	refused := 0
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for range rapid.IntRange(0, 4).Draw(t, "entries") {
			b.WriteString(piece.Draw(t, "entry") + separator.Draw(t, "separator"))
		}
		spec := rapid.SampledFrom([]string{"inline:", "inline:", "inline:", "static:"}).Draw(t, "type")
		spec += rapid.SampledFrom([]string{"{" + b.String() + "}", "{" + b.String() + "}", b.String()}).Draw(t, "braces")
		if _, err := NewLoader(nil).Open(spec); err != nil {
			if refused++; refused > 8 {
				return // each costs a second: postmap sleeps before it dies
			}
		}
		p.compareSpec(t, spec, spec, usable([]string{"a", "A", "b", "c", "é", "É", "d", "#", "x", "x y"}), "has no value", "has no key", "no source", "no value")
	})
}

// keysIn are the keys that a table might have meant.
func keysIn(content string) []string {
	var keys []string
	for line := range strings.Lines(content) {
		if key, _, err := splitEntry(strings.TrimRight(line, whiteSpace)); err == nil {
			keys = append(keys, key, strings.ToUpper(key))
		}
	}
	return keys
}

// usable leaves out what can't be asked on standard input: keys on several lines, empty, with a
// tab.
func usable(keys []string) []string {
	var out []string
	for _, key := range keys {
		if key != "" && !strings.ContainsAny(key, "\n\t\r") {
			out = append(out, key)
		}
	}
	return out
}

// TestCommentsAgainstPostmap: Postfix knows no comments behind values, and what "table query" says
// stays what postmap says.
func TestCommentsAgainstPostmap(t *testing.T) {
	p := realPostmap(t)
	for kind, content := range map[string]string{
		"texthash": "k REJECT no # why\n", "cidr": "192.0.2.1 REJECT no # why\n", "regexp": "/k/ REJECT no # why\n", "pcre": "/(k)/ REJECT $1 # why $1\n",
	} {
		file := write(t, strings.TrimSuffix(content, "\n"))
		key := "k"
		if kind == "cidr" {
			key = "192.0.2.1"
		}
		out, err := exec.Command(p.path, "-c", p.config, "-q", key, kind+":"+file).Output()
		if err != nil {
			t.Fatal(err)
		}
		table, err := NewLoader(nil).Open(kind + ":" + file)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := table.Lookup(t.Context(), key); err != nil || m.Value != strings.TrimSuffix(string(out), "\n") {
			t.Errorf("%s: %q, %v; postmap says %q", kind, m.Value, err, out)
		}
	}
}
