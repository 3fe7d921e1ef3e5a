package content

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	words := write("words.txt", "# shared\n\n2:4 Gold  mine\n")
	file := write("gold.def", "\ufeff# a definition\r\n!activation 12\r\n!scan subject, html\n!direction inbound outbound\n"+
		"!from <> Example.COM user@\n!from .b.example\n!to a@b.example\n!action quarantine\n!include words.txt\n"+
		"10 regex #\\d+ a{2,3}\n0 exclude news letter\n1 required urgent\n3 regex,cardnumber [\\d ]{12,}\n5 hashed\n\t5\thash it\n")
	_, err := Load(file)
	if err == nil || !strings.Contains(err.Error(), file+":15: ") {
		t.Fatalf("hash: %v", err)
	}
	file = write("gold.def", strings.Replace(mustRead(t, file), "hash it", "it", 1))
	defs, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	want := []*Definition{{
		Name: "gold", File: file, Activation: 12, Scan: Subject | HTML, Directions: []string{"inbound", "outbound"},
		From: Scope{"<>", "example.com", "user@", ".b.example"}, To: Scope{"a@b.example"}, Action: Quarantine,
		Entries: []Entry{
			{File: words, Line: 3, Weight: 2, Max: 4, Text: "Gold  mine"},
			{File: file, Line: 10, Weight: 10, Kind: Regex, Text: `#\d+ a{2,3}`},
			{File: file, Line: 11, Kind: Exclude, Text: "news letter"},
			{File: file, Line: 12, Weight: 1, Kind: Required, Text: "urgent"},
			{File: file, Line: 13, Weight: 3, Kind: CardNumber, Text: `[\d ]{12,}`},
			{File: file, Line: 14, Weight: 5, Text: "hashed"},
			{File: file, Line: 15, Weight: 5, Text: "it"},
		},
	}}
	if diff := cmp.Diff(want, defs); diff != "" {
		t.Error(diff)
	}
}

func mustRead(t testing.TB, name string) string {
	t.Helper()
	octets, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(octets)
}

// TestManyBoundedEntries: what thousands of them add up to is more than 32 bits hold.
func TestManyBoundedEntries(t *testing.T) {
	var src strings.Builder
	src.WriteString("!activation 1\n")
	for i := range 3000 {
		fmt.Fprintf(&src, "1000000:1000000 word%d\n", i)
	}
	if _, err := parseDefinition(src.String()); err != nil {
		t.Error(err)
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"no activation", "1 a\n", "test.def:1: no !activation"},
		{"no entries", "!activation 1\n", "test.def:1: no entries"},
		{"activation", "!activation x\n1 a\n", `test.def:1: !activation: "x" is not a whole number from 1`},
		{"activation zero", "\n!activation 0\n", "test.def:2: !activation:"},
		{"twice", "!activation 1\n!activation 2\n", "test.def:2: !activation stands twice"},
		{"no value", "!scan\n", "test.def:1: !scan needs a value"},
		{"section", "!scan subject,boddy\n", `test.def:1: !scan: unknown section "boddy"`},
		{"direction", "!direction sideways\n", "test.def:1: !direction: unknown direction"},
		{"action", "!action bounce\n", "test.def:1: !action: unknown action"},
		{"scope", "!from *@x\n", "test.def:1: !from:"},
		{"directive", "!activate 5\n", "test.def:1: unknown directive !activate"},
		{"weight", "words only\n", `test.def:1: "words" is not a weight`},
		{"negative", "-1 a\n", `"-1" is not a weight`},
		{"max", "5:3 a\n", "max must be"},
		{"no text", "5\n", "test.def:1: no text"},
		{"no text after kind", "5 regex\n", "test.def:1: no text"},
		{"look-ahead in exclude", "5 regex,exclude a(?=b)\n", "test.def:1: regular expression: "},
		{"never fires by regex,exclude", "!activation 1\n9 regex,exclude c\n", "the entries add up to at most 0"},
		{"two kinds", "5 required regex a\n", "required and regex can't stand together"},
		{"unknown kind", "5 regex,hash a\n", `unknown kind "regex,hash"`},
		{"look-ahead", "5 regex a(?=b)\n", "test.def:1: regular expression: "},
		{"empty match", "5 regex a*\n", "matches the empty text"},
		{"repeat", "5 regex a{1001}\n", "test.def:1: regular expression: "},
		{"too large", "5 regex ((a{100}){9}[^b]){30}\n", "test.def:1: regular expression"},
		{"hash", "5 hash sha256:abcd\n", "is not a hash"},
		{"hash name", "5 hash md5:" + strings.Repeat("a", 40) + "\n", "is not a hash"},
		{"hash without attachments", "!activation 1\n!scan body\n5 hash " + strings.Repeat("a", 40) + "\n", "test.def:3: a hash entry needs `attachments` in !scan"},
		{"invisible", "5 \u200b\n", "invisible characters only"},
		{"long phrase", "5 " + strings.Repeat("ab ", 400) + "\n", "text longer than 1024"},
		{"long line", "5 " + strings.Repeat("a", 5000) + "\n", "line longer than 4096"},
		{"two blanks", "5 regex gold *mine\n5 regex gold(?:\\s|  )\\s+mine\n", `test.def:2: regular expression "gold(?:\\s|  )\\s+mine" can't match: white space behind white space`},
		{"many blanks", "5 regex \\s{2,}gold\n", "white space behind white space"},
		{"blank before a line feed", "5 regex gold $\\n\n", "white space behind white space"},
		{"word boundary", "5 regex \\bÉTÉ", `can't match: \b beside a letter outside ASCII`},
		{"word boundary behind", "5 regex \\b(?:winter|été)\\b\n", `can't match: \b beside`},
		{"word boundary and a class", "5 regex \\b[а-я]+x\n", `can't match: \b beside`},
		{"card number", "5 regex,cardnumber \\d{4}-\\d{4}(?:-\\d{3})?\n", "can't match a card number: its matches have 11 digits at most"},
		{"kind in capitals", "10 REGEX foo.*bar\n", `test.def:1: "REGEX": write regex in lower case`},
		{"quotes", "10 “draft”\n", "leave them out"},
		{"two at", "!to b@c@d\n", `test.def:1: !to: "b@c@d" is not an address pattern`},
		{"utf-16", "\xff\xfe!\x00a\x00\n\x005\x00 \x00", "test.def:1: UTF-16"},
		{"cr", "!activation 1\r1 a\r", "test.def:1: the lines end in CR alone"},
		{"encoding", "5 \xff\n", "test.def:1: not UTF-8"},
		{"never fires", "!activation 9\n4:8 a\n0 b\n9 exclude c\n", "the entries add up to at most 8, below !activation 9"},
		{"include itself", "!activation 1\n!include test.def\n1 a\n", "test.def:2: !include test.def is a cycle: test.def includes test.def"},
		{"include missing", "!include b.def\n", "test.def:1: !include: open b.def"},
		{"many", strings.Repeat("x\n", 30), "test.def: and 10 more faults"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseDefinition(c.src)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestIncludedFiles(t *testing.T) {
	files := map[string]string{
		"a.def": "!activation 1\n!include b.txt\n", "b.txt": "!include a.def\n!scan body\n1 x\n",
		"deep.def": "!activation 1\n!include d0\n",
	}
	for i := range 20 {
		files[fmt.Sprintf("d%d", i)] = fmt.Sprintf("!include d%d\n1 x\n", i+1)
	}
	read := func(name string) ([]byte, error) { return []byte(files[name]), nil }
	_, err := loadDefinition("a.def", read)
	want := "b.txt:1: !include a.def is a cycle: a.def includes b.txt includes a.def\n" +
		"b.txt:2: !scan belongs in the definition itself, not in an included file"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	if _, err = loadDefinition("deep.def", read); err == nil || !strings.Contains(err.Error(), "nested deeper than 16") {
		t.Errorf("deep: %v", err)
	}
}

func TestApplies(t *testing.T) {
	d, err := parseDefinition("!activation 1\n!direction inbound\n!from a.example .b.example <>\n!to root@ x@c.example\n1 a\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		direction, from, to string
		want                bool
	}{
		{"inbound", "u@a.example", "root@any.example", true},
		{"inbound", "u@sub.a.example", "x@c.example", true},
		{"inbound", "u@nota.example", "x@c.example", false},
		{"inbound", "u@b.example", "x@c.example", false},
		{"inbound", "u@s.b.example", "x@c.example", true},
		{"inbound", "", "x@c.example", true},
		{"inbound", "", "y@c.example", false},
		{"inbound", "", "postmaster", false},
		{"outbound", "", "x@c.example", false},
	} {
		if got := d.Applies(c.direction, c.from, c.to); got != c.want {
			t.Errorf("%+v: got %v", c, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("!activation 1\n!scan body\n1:2 required a b\n5 regex,cardnumber \\d{4}\n!include test.def\n")
	f.Add("5 regex ((a|b)*c){3}\n!from .x <>\n")
	f.Fuzz(func(t *testing.T, src string) {
		d, err := parseDefinition(src)
		if (d == nil) == (err == nil) {
			t.Fatalf("definition %v, error %v", d, err)
		}
		if err != nil {
			return
		}
		e, err := NewExaminer([]*Definition{d}, Options{})
		if err != nil {
			t.Skip(err)
		}
		examine(t, e, "Subject: "+src, 1000)
	})
}
