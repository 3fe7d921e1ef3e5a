package access

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// A line with octets that no table of mailweir may have is left: another key must not be written in
// its place, and what a pattern does to those behind it is not known.
func TestOddOctetsAreLeft(t *testing.T) {
	h := newHost(t, map[string]string{
		"main.cf": "mynetworks = 127.0.0.1\nsmtpd_sender_restrictions = check_sender_access texthash:HERE/keys, check_sender_access pcre:HERE/patterns\n" +
			"smtpd_recipient_restrictions = check_recipient_access inline:{\xff@bad.example=REJECT}\n",
		"keys":     "# f\xfcr\na\x00b@bad.example REJECT\n\xff\xfe@bad.example REJECT\nx@bad.example REJECT\n",
		"patterns": "/good/ REJECT\nif /\x00/\n/inner/ REJECT\nendif\n/\xff/ OK\n/x/ REJECT\n",
	})
	got := h.told(h.read(t))
	if !utf8.ValidString(got) || strings.ContainsAny(got, "\x00\ufffd") {
		t.Errorf("such octets are shown: %q", got)
	}
	const nul, latin = "it has a NUL in it; take it out and import again", "it has octets that are not UTF-8; save it as UTF-8 and import again"
	for _, want := range []string{
		"left HERE/keys:2 a?b@bad.example REJECT: " + nul,
		"left HERE/keys:3 ?@bad.example REJECT: " + latin,
		"carried HERE/keys:4 x@bad.example REJECT: sender-block-list",
		"left HERE/main.cf:3 ?@bad.example=REJECT: " + latin,
		"carried HERE/patterns:1 /good/ REJECT: sender-block-list",
		"left HERE/patterns:2 if /?/: mailweir cannot have it: " + nul,
		"left HERE/patterns:3 /inner/ REJECT: mailweir cannot have it: it stands within an if that cannot be carried over",
		"left HERE/patterns:5 /?/ OK: mailweir cannot have it: " + latin,
		"left HERE/patterns:6 /x/ REJECT: HERE/patterns:2 stands before it, may let such mail pass, and cannot be carried over",
		fmt.Sprintf("# from %s\nx@bad.example\tREJECT\n", "HERE/keys"),
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}
