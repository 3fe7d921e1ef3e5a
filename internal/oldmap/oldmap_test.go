package oldmap

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailweir/internal/importing"
	"mailweir/internal/mta"
	"mailweir/internal/mta/postfix"
	"mailweir/test/testbed"
)

// told is a map as text; the directory is left out.
func told(m *Map, dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", m.Kind)
	for _, e := range m.Entries {
		fmt.Fprintf(&b, "|%d %s=%s", e.At.Line, e.Key, e.Value)
		if e.Odd != "" && e.Dead == "" {
			b.WriteString(" odd")
		}
		if e.Block {
			b.WriteString(" block")
		}
		if e.Dead != "" {
			b.WriteString(" (" + e.Dead + ")")
		}
	}
	for _, more := range append([]string{m.Unread, m.Asked}, m.Notes...) {
		if more != "" {
			b.WriteString("|" + more)
		}
	}
	return strings.ReplaceAll(b.String(), dir, "HERE")
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"text": "# c\na OK\n\nb  REJECT no\n  more\nA x\nalone\n\"q b\"@c d\n", "nets": "192.0.2.0/24 OK\nif 10.0.0.0/8\nendif\n192.0.2.1/24 x\n",
		"patterns": "/a/ x\n/(?!b)/ y\nendif\n", "latin": "a REJECT f\xfcr\n", "odd": "  x y\na b\n",
		"octets": "# \xff\na\x00b REJECT\n\xff\xfe@bad OK\n # \xff\n?@bad OK\nc OK\n  \xff\n", "octets.re": "/\xff/ OK\nif /\x00/\n/a/ REJECT\nendif\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"texthash:HERE/text": `texthash|2 a=OK|4 b=REJECT no  more|6 A=x (its key stands in line 2 already, and Postfix goes by the first)|7 alone= (Postfix skips it: it has nothing on the right)|8 "q b"@c=d`,
		"hash:HERE/latin":    "texthash|1 a=REJECT f?r (it has octets that are not UTF-8; save it as UTF-8 and import again)|HERE/latin.db is not there: Postfix cannot look anything up in it until postmap makes it of HERE/latin, which was imported",
		"texthash:HERE/octets": "texthash|2 a?b=REJECT (it has a NUL in it; take it out and import again)|" +
			"3 ?@bad=OK (it has octets that are not UTF-8; save it as UTF-8 and import again)|5 ?@bad=OK|" +
			"6 c=OK  ? (it has octets that are not UTF-8; save it as UTF-8 and import again)",
		"pcre:HERE/octets.re":   "pcre|1 /?/=OK odd|2 if /?/= odd block|3 /a/=REJECT|4 endif= block",
		"inline:{\xff=OK b=OK}": "texthash|0 ?=OK (it has octets that are not UTF-8; save it as UTF-8 and import again)|0 b=OK",
		"static:\xff":           "pcre|0 /^/=? odd",
		"hash:HERE/none":        "texthash|open HERE/none: no such file or directory",
		"texthash:HERE/none":    "texthash|open HERE/none: no such file or directory",
		"cidr:HERE/nets":        `cidr|1 192.0.2.0/24=OK|2 if 10.0.0.0/8= block|3 endif= block|4 192.0.2.1/24=x (Postfix skips it: "192.0.2.1/24" has bits after its prefix; perhaps you mean 192.0.2.0/24)`,
		"pcre:HERE/patterns":    "pcre|1 /a/=x|2 /(?!b)/=y|3 endif= block (Postfix skips it: there is no if before it)",
		"ldap:ld": "texthash|its parameters are the ld_… of main.cf: write them to a file, such as /etc/postfix/ldap-access.cf, " +
			"name ldap:/etc/postfix/ldap-access.cf in their place, and import again",
		"mysql:{ { password = p } }": "texthash|its parameters stand in main.cf itself: write them to a file, such as /etc/postfix/mysql-access.cf, " +
			"name mysql:/etc/postfix/mysql-access.cf in their place, and import again",
		"cidr:HERE/none":                                     "cidr|open HERE/none: no such file or directory",
		"texthash:HERE/odd":                                  "texthash|line 1: the line begins with white space, and there is none before that it could continue",
		"inline:{a=1, {b = x y}, A=2}":                       "texthash|0 a=1 (its key is there twice, and Postfix goes by the other entry)|0 b=x y|0 A=2",
		"cidr:{{192.0.2.1 OK}, {if 10.0.0.0/8}, {10.0.0.1}}": "cidr|0 192.0.2.1=OK|0 if 10.0.0.0/8= block|0 10.0.0.1= (Postfix skips it: it has nothing on the right)",
		"pcre:{/a/ b":                                        "pcre|its braces do not match",
		"inline:a=b":                                         "texthash|its braces do not match",
		"static:{REJECT $5}":                                 "pcre|0 /^/=REJECT $$5",
		"static:OK":                                          "pcre|0 /^/=OK",
		"mysql:/x.cf":                                        "texthash|mysql:/x.cf",
		"unionmap:{static:x}":                                "texthash|mailweir cannot ask tables of type unionmap",
	} {
		table := postfix.ParseTables(strings.ReplaceAll(name, "HERE", dir))[0]
		if got := told(Read(t.Context(), &importing.Input{}, table), dir); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
	}
}

// What postmap has made is read where the text is gone, and said to be older where it is.
func TestDatabase(t *testing.T) {
	testbed.Require(t, "postmap")
	dir := t.TempDir()
	file := filepath.Join(dir, "map")
	config := filepath.Join(dir, "main.cf")
	for name, text := range map[string]string{file: "a OK\nc d\n", config: "compatibility_level = 3.6\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		then := time.Now().Add(-time.Hour)
		if err := os.Chtimes(name, then, then); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("postmap", "-c", dir, "hash:"+file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	in := &importing.Input{Run: mta.Programs(time.Minute)}
	read := func() string {
		return told(Read(t.Context(), in, postfix.Table{Type: "hash", Name: file}), dir)
	}
	if got := read(); got != "texthash|1 a=OK|2 c=d" {
		t.Errorf("as it should be: %s", got)
	}
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(file, later, later); err != nil {
		t.Fatal(err)
	}
	if got, want := read(), "texthash|1 a=OK|2 c=d|HERE/map.db is older than HERE/map: Postfix goes by what postmap made it of, and HERE/map was imported"; got != want {
		t.Errorf("older: %s", got)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	got := read()
	for _, want := range []string{" a=OK", " c=d", "HERE/map, of which postmap made HERE/map.db, is not there"} {
		if !strings.Contains(got, want) {
			t.Errorf("gone: %s", got)
		}
	}
	if err := os.WriteFile(file+".db", []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := read(); !strings.Contains(got, "its text is not there, and its database cannot be read") {
		t.Errorf("broken: %s", got)
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{"a b\n", "if x\nendif\n", "/a/ b", "\xff\x00\n c", "{a=b, {c = d}}"} {
		for kind := range 6 {
			f.Add(seed, kind)
		}
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string, kind int) {
		types := [...]string{"texthash", "cidr", "pcre", "regexp", "inline", "static"}
		table := postfix.Table{Type: types[uint(kind)%uint(len(types))], Name: text}
		if uint(kind)%uint(len(types)) < 4 {
			table.Name = filepath.Join(dir, "map")
			if err := os.WriteFile(table.Name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, e := range Read(t.Context(), &importing.Input{}, table).Entries {
			if strings.ContainsAny(e.Key+e.Value, "\n\x00") {
				t.Errorf("%q has a line of its own in it", e.String())
			}
		}
	})
}
