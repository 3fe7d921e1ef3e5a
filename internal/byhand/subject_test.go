package byhand

import (
	"slices"
	"strings"
	"testing"

	"mailweir/internal/address"
)

func TestParseSubject(t *testing.T) {
	for _, tt := range []struct{ word, want, wrong string }{
		{word: "Bob@Example.NET", want: "bob@example.net"},
		{word: "example.net", want: "example.net"},
		{word: "Example.NET.", want: "example.net"},
		{word: ".top", want: "top"},
		{word: "bücher.example", want: "xn--bcher-kva.example"},
		{word: "192.0.2.1", want: "192.0.2.1"},
		{word: "192.0.2.0/24", want: "192.0.2.0/24"},
		{word: "192.0.2.1/32", want: "192.0.2.1"},
		{word: "2001:db8::1", want: "2001:db8::1"},
		{word: "[2001:db8::]/32", want: "2001:db8::/32"},
		{word: "::ffff:192.0.2.1", want: "192.0.2.1"},
		{word: "::ffff:192.0.2.0/120", want: "192.0.2.0/24"},
		{word: "::ffff:0:0/95", wrong: "has bits beyond its length"},
		{word: "192.0.2.1/24", wrong: "write 192.0.2.0/24"},
		{word: "192.0.2/24", wrong: "neither an address nor a net"},
		{word: "example", wrong: "neither an address nor a domain"},
		{word: "*.example.net", wrong: "write example.net"},
		{word: "*@example.net", wrong: "write example.net"},
		{word: "@example.net", wrong: "write example.net"},
		{word: "<a@example.net>", want: "a@example.net"},
		{word: "bob@", wrong: "neither an address nor a domain"},
		{word: "", wrong: "neither an address nor a domain"},
		{word: strings.Repeat("a.", 16) + "example", wrong: "more than 16 labels"},
	} {
		s, err := ParseSubject(tt.word)
		switch {
		case tt.wrong != "":
			if err == nil || !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("%q: %v, %v, want an error with %q", tt.word, s, err, tt.wrong)
			}
		case err != nil || s.String() != tt.want:
			t.Errorf("%q: %v, %v, want %s", tt.word, s, err, tt.want)
		default:
			if again, ok := subjectOfKey(Block.key(s)); !ok || again != s {
				t.Errorf("%q: its key is read as %v", tt.word, again)
			}
		}
	}
}

func TestSendersOf(t *testing.T) {
	got := SendersOf(address.Parse("bob+list@mx.example.net"), "+")
	want := []string{"bob+list@mx.example.net", "bob@mx.example.net", "mx.example.net", "example.net", "net"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func FuzzSubject(f *testing.F) {
	for _, s := range []string{"", "a@b", "a+x@b.c.d", "x@[192.0.2.1]", "@.", "a@..b", "0@.@", "..0", ".top", ".", "192.0.2.1", "::ffff:1.2.3.4/97", "[::1]", "1.2.3.4/0", "a/b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if keys := SendersOf(address.Parse(s), "+"); len(keys) > mostParents+3 {
			t.Errorf("%q has %d keys", s, len(keys))
		}
		subject, err := ParseSubject(s)
		if err != nil {
			return
		}
		if again, err := ParseSubject(subject.String()); err == nil && again != subject {
			t.Errorf("%q is kept as %v, and that as %v", s, subject, again)
		}
		if known, ok := subjectOfKey(Permit.key(subject)); len(subject.Sender) < 1000 && (!ok || known != subject) {
			t.Errorf("%q: the key of %v is read as %v", s, subject, known)
		}
	})
}
