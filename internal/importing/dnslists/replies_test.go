package dnslists

import (
	"strings"
	"testing"
)

func TestReply(t *testing.T) {
	for _, c := range []struct{ name, code, template, want, why string }{
		{"only a code", "550", "", "rbl 550 5.7.1 {zone} Blocked - see {reason}", ""},
		{"Postfix's own", "", "$rbl_code Service unavailable; [$rbl_domain] blocks you${rbl_reason?; $rbl_reason}", "rbl 554 5.7.1 Service unavailable; [{zone}] blocks you; {reason}", ""},
		{"an enhanced code", "", "$rbl_code 5.7.25 $rbl_txt", "rbl 554 5.7.25 {reason}", ""},
		{"other brackets", "553", "${rbl_code} 5.7.1 Listed at $(rbl_domain), ${rbl_reason?{reason: ${rbl_reason}}}", "", "its braces cannot be read"},
		{"a code in the text", "", "550 5.7.1 no, $rbl_domain", "rbl 554 5.7.1 no, {zone}", ""},
		{"about the client", "", "$rbl_code Go away, $client", "", "and no $client"},
		{"for a while", "450", "", "", "is a refusal"},
		{"no number", "many", "", "", "is a refusal"},
		{"no code in front", "", "Go away", "", "does not begin with $rbl_code"},
		{"a stray brace", "", "$rbl_code {", "", "its braces"},
	} {
		t.Run(c.name, func(t *testing.T) {
			line, why := reply(c.code, c.template)
			if line != c.want || !strings.Contains(why, c.why) || (why == "") != (c.why == "") {
				t.Errorf("%q %q", line, why)
			}
		})
	}
}

func TestTableEntries(t *testing.T) {
	entries := tableEntries("# head\na b c\n  d\n\n \t\ne\tf\ng\n")
	if len(entries) != 3 || entries[0] != (tableEntry{"a", "b c d", 2}) || entries[1] != (tableEntry{"e", "f", 6}) || entries[2] != (tableEntry{"g", "", 7}) {
		t.Errorf("%+v", entries)
	}
}

// A line for the file of --replies is one line, and has nothing of Postfix's names in it.
func FuzzReply(f *testing.F) {
	f.Add("550", "$rbl_code 5.7.1 $rbl_domain${rbl_reason?; $rbl_reason}", "a b\n c")
	f.Add("", "${rbl_code} {$rbl_txt}", "# a\nb")
	f.Fuzz(func(t *testing.T, code, template, table string) {
		line, why := reply(code, template)
		if (line == "") == (why == "") || strings.ContainsAny(line, "$\n") {
			t.Errorf("%q %q", line, why)
		}
		for _, e := range tableEntries(table) {
			if e.key == "" || e.line < 1 || e.line > strings.Count(table, "\n")+1 {
				t.Errorf("%+v", e)
			}
		}
	})
}
