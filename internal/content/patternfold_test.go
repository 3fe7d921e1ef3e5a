package content

import "testing"

// TestPatternsAreFolded: a pattern matches the text that it is written like, though text is brought to one form before.
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
		examiner := mustExaminer(t, Options{}, "!activation 1\n!scan body\n1 regex "+c.pattern)
		if !examine(t, examiner, "Content-Type: text/plain; charset=utf-8\n\n"+c.matches, 100).Outcomes[0].Fired {
			t.Errorf("%s does not match %q", c.pattern, c.matches)
		}
		if examine(t, examiner, "Content-Type: text/plain; charset=utf-8\n\n"+c.not, 100).Outcomes[0].Fired {
			t.Errorf("%s matches %q", c.pattern, c.not)
		}
	}
}
