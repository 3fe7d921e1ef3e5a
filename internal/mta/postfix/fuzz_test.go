package postfix

import (
	"strings"
	"testing"
	"time"
)

// Nothing that stands in a configuration may break a reader, and what is parted keeps its text.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"smtp inet n - y - - smtpd -o { a = b c } -v", "smtp/inet/a = {b} $c", "- - y /etc/postfix",
		"{ unix:a, b=c, { d = e f } } inet:h:1", "${a?{b}:{c}} $(d) $$ ${e:f}", "proxy:hash:x, cidr:{{1/8 OK}}", "30s",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = ParseParameters(text)
		_, _ = ParseOverrides(text)
		_, _ = ParseInstances(text)
		_, _ = ParseEndpoint(text)
		if d, err := Duration(text, time.Second); err == nil && d < 0 {
			t.Errorf("a time of %v", d)
		}
		if services, err := ParseServices(text); err == nil {
			for _, s := range services {
				_ = s.Port()
			}
		}
		rest := text
		for _, word := range SplitList(text) {
			at := strings.Index(rest, word)
			if at < 0 || word == "" {
				t.Fatalf("%q has no word %q", text, word)
			}
			rest = rest[at+len(word):]
		}
		if milters, err := ParseMilters(text); err == nil && len(milters) != len(SplitList(text)) {
			t.Errorf("%d milters", len(milters))
		}
		if len(ParseTables(text)) != len(SplitList(text)) {
			t.Error("a table is lost")
		}
		p := &Postfix{Parameters: map[string]string{"a": "x"}, Set: map[string]string{"b": text}}
		p.expand(&Service{Overrides: map[string]string{"c": "$a"}}, text)
	})
}
