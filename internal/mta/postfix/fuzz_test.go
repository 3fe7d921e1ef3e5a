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

// Whatever stands in a list of restrictions, each restriction has the words with which it stands
// there, and a place in a file is one of its lines.
func FuzzRestrictions(f *testing.F) {
	for _, text := range []string{
		"permit_mynetworks, reject_rbl_client a.b=127.0.0.[2..4]", "warn_if_reject { reject_rhsbl_helo a } c", "hash:/a check_client_access", "c c {{}} }{", "sleep",
	} {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, list, class string) {
		p := &Postfix{Parameters: map[string]string{"smtpd_client_restrictions": list, "smtpd_restriction_classes": "c d", "c": class, "d": list + " c"}}
		for _, r := range p.Restrictions() {
			if len(r.Words) == 0 || strings.Join(r.Words, " ") != r.Text || len(r.Classes) > 2 {
				t.Errorf("%+v", r)
			}
		}
		_ = references(list)
		for _, text := range []string{"p=" + list + "\n " + class, list} {
			if line, _ := inMain(text, "p", SplitList(class)); line < 0 || line > 1+strings.Count(text, "\n") {
				t.Errorf("line %d of %q", line, text)
			}
			if line, _ := inMaster("s inet n - n - - smtpd -o p="+text, "s/inet", "p", SplitList(class)); line < 0 || line > 1+strings.Count(text, "\n") {
				t.Errorf("line %d of %q in master.cf", line, text)
			}
		}
	})
}
