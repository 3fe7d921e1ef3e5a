package postfix

import (
	"strings"
	"testing"
)

const masterCF = `# the MX
smtp      inet  n       -       y       -       -       smtpd
# behind postscreen
#smtpd     pass  -       -       y       -       -       smtpd
submission inet n       -       y       -       -       smtpd
  -o syslog_name=postfix/submission
# a comment within

  -o { smtpd_client_restrictions = permit_sasl_authenticated, reject } -o smtpd_milters=inet:127.0.0.1:8891
pickup    unix  n       -       y       60      1       pickup
127.0.0.1:10025 inet n  -       y       -       -       smtpd -o content_filter= -osmtpd_milters=a -o smtpd_milters=b`

func TestSetOverride(t *testing.T) {
	for _, c := range []struct{ name, key, parameter, value, old, new string }{
		{"behind the line", "smtp/inet", "smtpd_hard_error_limit", "1100", "-       smtpd\n# behind", "-       smtpd\n  -o smtpd_hard_error_limit=1100\n# behind"},
		{"behind the last argument", "submission/inet", "a", "b", "8891\npickup", "8891\n  -o a=b\npickup"},
		{"in place", "submission/inet", "syslog_name", "x", "-o syslog_name=postfix/submission", "-o syslog_name=x"},
		{"in place, with blanks", "submission/inet", "smtpd_milters", "{ unix:m, default_action=accept }, inet:127.0.0.1:8891", "-o smtpd_milters=inet:127.0.0.1:8891", "-o { smtpd_milters = { unix:m, default_action=accept }, inet:127.0.0.1:8891 }"},
		{"in place of braces", "submission/inet", "smtpd_client_restrictions", "reject", "-o { smtpd_client_restrictions = permit_sasl_authenticated, reject }", "-o smtpd_client_restrictions=reject"},
		{"empty", "127.0.0.1:10025/inet", "content_filter", "", "-o content_filter=", "-o content_filter="},
		{"twice, without a line's end", "127.0.0.1:10025/inet", "smtpd_milters", "", "-osmtpd_milters=a -o smtpd_milters=b", "-osmtpd_milters= -o smtpd_milters="},
		{"new, without a line's end", "127.0.0.1:10025/inet", "x", "y", "-o smtpd_milters=b", "-o smtpd_milters=b\n  -o x=y"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := SetOverride(masterCF, c.key, c.parameter, c.value)
			if want := strings.Replace(masterCF, c.old, c.new, 1); err != nil || got != want {
				t.Errorf("%v\n%s\nwant\n%s", err, got, want)
			}
		})
	}
	if _, err := SetOverride(masterCF, "smtps/inet", "a", "b"); err == nil {
		t.Error("a service that is not there")
	}
	if _, err := SetOverride(masterCF, "smtpd/pass", "a", "b"); err == nil {
		t.Error("a service in a comment")
	}
}

func TestRemoveOverride(t *testing.T) {
	for _, c := range []struct{ name, key, parameter, old, new string }{
		{"a line of its own", "submission/inet", "syslog_name", "  -o syslog_name=postfix/submission\n", ""},
		{"the end of a line", "submission/inet", "smtpd_milters", " -o smtpd_milters=inet:127.0.0.1:8891", ""},
		{"the start of a line", "submission/inet", "smtpd_client_restrictions", "-o { smtpd_client_restrictions = permit_sasl_authenticated, reject } ", ""},
		{"twice", "127.0.0.1:10025/inet", "smtpd_milters", " -osmtpd_milters=a -o smtpd_milters=b", ""},
		{"none", "smtp/inet", "smtpd_milters", "", ""},
		{"no service", "smtps/inet", "smtpd_milters", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, want := RemoveOverride(masterCF, c.key, c.parameter), strings.Replace(masterCF, c.old, c.new, 1); got != want {
				t.Errorf("%s\nwant\n%s", got, want)
			}
		})
	}
}

// What is set and taken away again leaves the file as it was.
func TestOverrideThereAndBack(t *testing.T) {
	for _, key := range []string{"smtp/inet", "submission/inet"} {
		set, err := SetOverride(masterCF, key, "x", "y z")
		if err != nil {
			t.Fatal(err)
		}
		if got := RemoveOverride(set, key, "x"); got != masterCF {
			t.Errorf("%s: %s", key, got)
		}
	}
}

func FuzzOverrides(f *testing.F) {
	f.Add(masterCF, "smtp/inet", "a", "b c")
	f.Add("s inet a b c d e f -o", "s/inet", "a", "")
	f.Add("s inet a b c d e f -o {a=b", "s/inet", "a", "x")
	f.Fuzz(func(t *testing.T, text, key, name, value string) {
		if strings.ContainsAny(name, "= \t\r\n{},#") || name == "" || strings.ContainsAny(value, "\r\n") {
			return
		}
		set, err := SetOverride(text, key, name, value)
		if err != nil {
			return
		}
		before, after := strings.Count(text, "\n"), strings.Count(set, "\n")
		if after < before || after > before+1+strings.Count(text, key[:strings.LastIndexByte(key, '/')]) {
			t.Errorf("lines: %d, were %d", after, before)
		}
		RemoveOverride(set, key, name)
	})
}
