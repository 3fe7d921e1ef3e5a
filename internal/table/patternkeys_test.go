package table

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const (
	capitals = "the pattern can never match: what is looked up is in lower case"
	header   = "the pattern can never match: no header is looked up here"
	brackets = "the pattern can never match: addresses are looked up without < and >"
)

// TestPatternsThatNeverMatch: a pattern that no key could match is an error, and no other is.
func TestPatternsThatNeverMatch(t *testing.T) {
	for _, c := range []struct {
		pattern string
		asked   Asked
		want    string
	}{
		{"/^From:.*@b\\.example/", Addresses, header},
		{"/^From: spam/", Addresses, header},
		{"/^(From|To|Reply-To):/", Addresses, header},
		{"/^[Ff]rom:/", Addresses, header},
		{"/^X-Mailer: bulk/", Clients, header},
		{"/^Received:.*b\\.example/", Clients, header},
		{"/Subject: spam/", Addresses, header},
		{"/^from@b\\.example$/", Addresses, ""},
		{"/^(from|other)(:|@)/", Addresses, ""},
		{"/^(From|2001):/", Clients, ""},
		{"/^2001:db8:/", Clients, ""},
		{"/^fe80:/", Clients, ""},
		{"/^cc:/", Clients, ""},
		{"/^From:/", OwnKeys, ""},
		{"/^<a@b\\.example>$/", Addresses, brackets},
		{"/^<>$/", Addresses, ""},
		{"/^<.*>$/", Addresses, ""},
		{"/Spam@b\\.example/i", Addresses, capitals},
		{"/[A-Z]+@b\\.example/i", Addresses, capitals},
		{"/(Spam|Ham)@/i", Addresses, capitals},
		{"/Spam/i", OwnKeys, capitals},
		{"/(Spam|ham)@/i", Addresses, ""},
		{"/(Spam)?@b\\.example/i", Addresses, ""},
		{"/[A-Za-z]+@/i", Addresses, ""},
		{"/(?i)Spam/i", Addresses, ""},
		{"/SPAM@b\\.example/", Addresses, ""},
		{"!/Spam/i", Addresses, ""},
		{"/Spam/i", 0, ""},
		{"/^.*$/", Addresses, ""},
		{"/x{0}Y{0}/i", Addresses, ""},
		{"/Y{2}/i", Addresses, capitals},
	} {
		for _, kind := range []string{"regexp", "pcre"} {
			if kind == "regexp" && strings.Contains(c.pattern, "(?i)") {
				continue
			}
			file := write(t, "/good/ x", c.pattern+" x")
			_, err := NewLoader(nil).List(ListOptions{Use: Use{Asked: c.asked}}, kind+":"+file)
			switch {
			case c.want == "" && err != nil:
				t.Errorf("%s %s: %v", kind, c.pattern, err)
			case c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), file+":2: "+c.want)):
				t.Errorf("%s %s: %v, want %s", kind, c.pattern, err, c.want)
			}
		}
	}
}

// TestCondemnedPatternsMatchNothing: what is said of a pattern without asking is what asking shows.
func TestCondemnedPatternsMatchNothing(t *testing.T) {
	piece := rapid.SampledFrom([]string{"a", "B", "[A-Z]", "[a-z]", "(A|b)", "C?", "D*", "E+", ".", "@", "^", "$", "from:", "x"})
	key := rapid.StringMatching(`[abcdex@.]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		pattern := strings.Join(rapid.SliceOfN(piece, 1, 4).Draw(t, "pieces"), "")
		flags := rapid.SampledFrom([]string{"", "i"}).Draw(t, "flags")
		c, err := compile(pattern, flags, false)
		if err != nil {
			return
		}
		for _, k := range rapid.SliceOfN(key, 1, 20).Draw(t, "keys") {
			matches := c.expression.MatchString(k)
			if matches && c.traits.capitals {
				t.Fatalf("/%s/%s matches %q", pattern, flags, k)
			}
			if k != "" && !matches && c.traits.all {
				t.Fatalf("/%s/%s is taken to match all, and does not match %q", pattern, flags, k)
			}
			if c.traits.literal != "" && matches != strings.Contains(k, c.traits.literal) {
				t.Fatalf("/%s/%s: %q is not all that it needs: %q", pattern, flags, c.traits.literal, k)
			}
		}
	})
}

// TestEntriesThatNeverAnswer: they are remarks, and each names both lines.
func TestEntriesThatNeverAnswer(t *testing.T) {
	for _, c := range []struct{ kind, content, want string }{
		{"texthash", "a x\nb x\na y\n", "FILE:3 is never reached: line 1 answers before it, with another value"},
		{"texthash", "A x\na x\n", "FILE:2 is never reached: line 1 answers before it"},
		{"list", "a\na\na\na\na\n", "FILE:2 is never reached: line 1 answers before it, FILE:3 is never reached: line 1 answers before it, FILE:4 is never reached: line 1 answers before it; and 1 more entries"},
		{"cidr", "10.0.0.0/8 OK\n10.1.0.0/16 REJECT\n", "FILE:2 is never reached: line 1 answers before it, with another value"},
		{"cidr", "10.1.0.0/16 REJECT\n10.0.0.0/8 OK\n", ""},
		{"cidr", "10.0.0.1 OK\n10.0.0.1 OK\n10.0.0.1 REJECT\n", "FILE:3 is never reached: line 1 answers before it, with another value, FILE:2 is never reached: line 1 answers before it"},
		{"cidr", "10.0.0.0/8 OK\n!192.0.2.0/24 DUNNO\n10.1.0.0/16 REJECT\n", "FILE:3 is never reached: line 1 answers before it, with another value"},
		{"cidr", "10.0.0.0/8 OK\nif 10.1.0.0/16\n10.1.2.0/24 REJECT\nendif\n", "FILE:3 is never reached: line 1 answers before it, with another value"},
		{"cidr", "if 10.1.0.0/16\n10.0.0.0/8 REJECT\nendif\n10.1.0.0/16 OK\n", ""},
		{"regexp", "/a@/ OK\n/^a/ REJECT\n", ""},
		{"regexp", "/spam/ OK\n/^spam@b/ REJECT\n", "FILE:2 is never reached: line 1 answers before it, with another value"},
		{"regexp", "/spam@b/ OK\n/spam/ REJECT\n", ""},
		{"regexp", "/spam/i OK\n/SPAM@b/ REJECT\n", ""},
		{"regexp", "/./ OK\n/b/ REJECT\n!/c/ REJECT\n", "FILE:2 is never reached: line 1 answers before it, with another value, FILE:3 is never reached: line 1 answers before it, with another value"},
		{"pcre", "/^.*$/ OK\n/(b)/ REJECT $1\n", "FILE:2 is never reached: line 1 answers before it, with another value"},
		{"pcre", "/b+/ OK\n/b+/ OK\n", "FILE:2 is never reached: line 1 answers before it"},
		{"pcre", "!/b+/ OK\n/b+/ OK\n", ""},
		{"pcre", "if /x/\n/b+/ OK\nendif\n/b+/ OK\n", ""},
		{"pcre", "!/b/ OK\n/bc/ OK\n", ""},
	} {
		file := write(t, strings.TrimSuffix(c.content, "\n"))
		l := NewLoader(nil)
		if _, err := l.Open(c.kind + ":" + file); err != nil {
			t.Fatal(err)
		}
		if got := strings.ReplaceAll(strings.Join(l.Remarks(), "\n"), file, "FILE"); got != c.want {
			t.Errorf("%s %q:\n%s, want\n%s", c.kind, c.content, got, c.want)
		}
		again := NewLoader(l)
		if _, err := again.Open(c.kind + ":" + file); err != nil || len(again.Remarks()) != len(l.Remarks()) {
			t.Errorf("%s %q: after a reload %q, %v", c.kind, c.content, again.Remarks(), err)
		}
	}
	l := NewLoader(nil)
	if _, err := l.Open("inline:{a=x, a=y}"); err != nil || strings.Join(l.Remarks(), "") != "inline:{a=x, a=y}: a key is given twice; the last entry counts" {
		t.Errorf("%q, %v", l.Remarks(), err)
	}
}

// TestAllErrorsAtOnce: the errors of one file come together, by line, twenty and how many more.
func TestAllErrorsAtOnce(t *testing.T) {
	o := ListOptions{Use: Use{Asked: Addresses, Values: Actions}, Subdomains: true}
	file := write(t, "*.a.example REJECT", "b.example", "c.example REFUSE", "good.example OK", "@d.example OK")
	_, err := NewLoader(nil).List(o, file, "list:"+file, "/no/such")
	want := strings.ReplaceAll(`FILE:1: "*.a.example" can never match: write ".a.example" for its sub-domains, or "a.example" for the domain with its sub-domains
FILE:2: the key has no value; a line is: key, white space, value
FILE:3: unknown action "REFUSE": want OK, DUNNO, REJECT [text], DEFER [text], or a reply such as 550 5.7.1 text
FILE:5: "@d.example" can never match: write "d.example", which stands for its sub-domains, too
FILE:2: list: has keys alone, and here it is the value that counts: use texthash:, with the value behind each key
table /no/such: open /no/such: no such file or directory`, "FILE", file)
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
	}
	named := Of("x-list", err).Error()
	if n := strings.Count(named, "--x-list: "); n != 6 || !strings.HasPrefix(named, file+":1: --x-list: ") || !strings.HasSuffix(named, "\n--x-list: table /no/such: open /no/such: no such file or directory") {
		t.Errorf("%d: %s", n, named)
	}
	var bad []string
	for i := range 30 {
		bad = append(bad, fmt.Sprintf("*.x%d.example OK", i), "b")
	}
	many := write(t, bad...)
	_, err = NewLoader(nil).List(o, many)
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 21 || lines[20] != many+": and 40 more errors" || !strings.HasPrefix(lines[19], many+":20: ") {
		t.Errorf("%d lines: %s", len(lines), err)
	}
}
