package match

import (
	"testing"

	"mailweir/internal/content/fold"
)

// TestPatternsAreFolded: a pattern matches the text that it is written like, though text is brought
// to one form before.
func TestPatternsAreFolded(t *testing.T) {
	for _, c := range []struct{ pattern, matches, not string }{
		{`“quoted”`, "a “quoted” word", "a quoted word"},
		{`"quoted"`, "a “quoted” word", "a 'quoted' word"},
		{`foo\x{2019}s`, "foo’s", "foos"},
		{`foo[’´]s`, "foo's", "foo-s"},
		{`foo  bar`, "foo   bar", "foobar"},
		{`foo\tbar`, "foo\tbar", "foo\nbar"},
		{`foo\r\n\r\nbar`, "foo\n\nbar", "foo bar"},
		{"foo\u00a0bar", "foo\u00a0bar", "foobar"},
		{`foo[\t]bar`, "foo\tbar", "foo-bar"},
		{`foo[^\S\n]bar`, "foo bar", "foo\nbar"},
		{`a[^"]b`, "a-b", "a“b"},
		{`a[–—]b`, "a–b", "a+b"},
		{`10\x{2212}5`, "10-5", "10+5"},
		{"ｆｏｏ", "foo", "fo"},
		{"[０-９]{3}", "123", "12"},
		{"e\u0301t\u00e9", "été", "ete"},
		{"ﬁne+", "fineee", "fne"},
		{"fo\u200bo", "foo", "fo"},
		{`(?-i:FOO|[X-Z])`, "foo x", "w"},
		{`ΣΑΣ`, "σας", "σα"},
		{`(?:^|[^\pL\pN])été(?:$|[^\pL\pN])`, "l'été.", "étés"},
		{`\bfoo é`, "a foo é", "afoo é"},
		{`foo \b|é`, "foo x", "foo -"},
	} {
		var s Patterns
		if err := s.Add(7, c.pattern); err != nil {
			t.Fatal(err)
		}
		if err := s.Build(); err != nil {
			t.Fatal(err)
		}
		if !finds(t, &s, c.matches) {
			t.Errorf("%s does not match %q", c.pattern, c.matches)
		}
		if finds(t, &s, c.not) {
			t.Errorf("%s matches %q", c.pattern, c.not)
		}
	}
}

// finds says whether a pattern with the number 7 matches in text as an examination has it: folded,
// with the end of a section.
func finds(t *testing.T, s *Patterns, text string) bool {
	t.Helper()
	folded := append(fold.Text(text), fold.Barrier...)
	found := false
	err := s.Find(folded, 0, len(folded), func() bool { return false }, func(entry int32, _, _ int) bool {
		found = found || entry == 7
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
