package ldap

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"mailweir/internal/address"
	"mailweir/test/testbed"
)

// hostile are pieces of local parts and domains: signs of filters, of distinguished names and of
// templates, beside plain ones.
var hostile = []string{
	"*", "(", ")", `\`, "\x00", "ü", "Ü", "\xff", "\xc3", "ß", "a", "b", "bob", "s*(t)", `\2a`, `\*`, ")(mail=*", "(|", "=", ",", "+", "#", ";", "<", ">", `"`, "'",
	" ", "%s", "%u", "%", "@", ".", "example", "com", "ou=people", "/", "?", "&", "!", "~", ":", "€", "\x7f", "\u202e", "K", "\U0001f4a9", strings.Repeat("x", 200),
}

var hostileKey = rapid.Custom(func(t *rapid.T) string {
	piece := rapid.SampledFrom(hostile)
	local := strings.Join(rapid.SliceOfN(piece, 0, 5).Draw(t, "local"), "")
	if rapid.Bool().Draw(t, "bare") {
		return local
	}
	return local + "@" + rapid.SampledFrom([]string{"example.com", "EXAMPLE.com", "b.example", "com", "*", "x..y", "é.example", ""}).Draw(t, "domain")
})

// templates that keys are filled into: whole, in parts, at several places, as a part of a base.
var randomFiles = []string{
	"query_filter = (mail=%s)",
	"query_filter = (|(mail=%s)(mailacceptinggeneralid=%u)(description=*%u*))\nresult_format = %s %S",
	"query_filter = (&(objectClass=mailThing)(|(mail=%u@%d)(mail=%u@%2.%1)))\nresult_format = %u<%U>%d[%D]",
	"search_base = cn=%u,ou=people,dc=test\nscope = base\nquery_filter = (objectClass=*)",
	"search_base = cn=%s,dc=test\nquery_filter = mail=%s",
	"query_filter = (mail=%s)\ndomain = example.com, !b.example, com, inline:{x..y=1}",
}

// TestRandomAgainstPostmap holds answers to hostile keys against postmap: every sign of a key
// stands for itself. To half of the keys the directory has an entry with that very key.
func TestRandomAgainstPostmap(t *testing.T) {
	p := newPostmap(t)
	slapd := testbed.StartSlapd(t, "dn: ou=people,dc=test\nobjectClass: organizationalUnit\nou: people\n\n")
	dir := t.TempDir()
	var files []string
	for i, text := range randomFiles {
		if !strings.Contains(text, "search_base") {
			text += "\nsearch_base = dc=test"
		}
		files = append(files, filepath.Join(dir, fmt.Sprint(i)))
		write(t, files[i], text+"\nversion = 3\nserver_host = ldap://"+slapd.Address+"\nresult_attribute = maildrop\n")
	}
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		keys := rapid.SliceOfN(hostileKey, 20, 40).Draw(rt, "keys")
		var ldif strings.Builder
		for _, key := range keys[:len(keys)/2] {
			n++
			value := address.Fold(key)
			if value == "" || !utf8.ValidString(value) {
				continue
			}
			fmt.Fprintf(&ldif, "dn: cn=k%d,ou=people,dc=test\nobjectClass: mailThing\nmaildrop: v%d@e\nmailacceptinggeneralid:: %s\n", n, n, base64Of(value))
			if isASCII(value) {
				fmt.Fprintf(&ldif, "mail:: %s\n", base64Of(value))
			}
			ldif.WriteString("\n")
		}
		if err := slapd.Do(ldif.String()); err != nil {
			rt.Fatal(err)
		}
		file := rapid.SampledFrom(files).Draw(rt, "file")
		theirs := p.query(t, file, askable(keys))
		d, err := openFile(t, file)
		if err != nil {
			rt.Fatal(err)
		}
		for key, want := range theirs {
			if got := find(t, d, key); got != want {
				rt.Errorf("%s: %q: %q, postmap says %q", file, key, got, want)
			}
		}
	})
}

// askable leaves out what cannot be asked on standard input.
func askable(keys []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, key := range keys {
		if key != "" && !seen[key] && !strings.ContainsAny(key, "\n\t\r\x00") {
			seen[key] = true
			out = append(out, key)
		}
	}
	return out
}

func base64Of(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}
