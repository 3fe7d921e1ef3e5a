package address

import (
	"strings"
	"testing"
)

// TestOctets tries every octet, so that no edge of a range is left out.
func TestOctets(t *testing.T) {
	const atext = "!#$%&'*+-/=?^_`{|}~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	for c := range 256 {
		s := string([]byte{byte(c)})
		if want := c >= 0x80 || strings.Contains(atext, s); isAtext(byte(c)) != want {
			t.Errorf("%q: atext %v", s, !want)
		}
		if want := c < 0x80; isASCII(s) != want {
			t.Errorf("%q: ASCII %v", s, !want)
		}
		if want := c <= 0x20 || c == 0x7f; isControl(s, 0) != want {
			t.Errorf("%q: control %v", s, !want)
		}
		want := s
		if c < 0x80 {
			want = strings.ToLower(s)
		}
		if got := lowerASCII(s); got != want {
			t.Errorf("%q in lower case is %q", s, got)
		}
		inDomain := c >= 0x80 || strings.Contains("._"+ldh, s)
		if got := domainRun("a" + s + "b"); (got == "a"+s+"b") != inDomain {
			t.Errorf("%q: the run of a domain is %q", s, got)
		}
		plain := "\xff" + s // not UTF-8
		if c <= 0x20 || c == 0x7f {
			plain = "\xff "
		}
		if got := plainSpaces("\xff" + s); got != plain {
			t.Errorf("%q with plain spaces is %q", s, got)
		}
		quotable := c >= 0x20 && c < 0x7f // RFC 5321 section 4.1.2, quoted-pairSMTP
		if err := strictQuoted(`"\` + s + `"`); (err == nil) != quotable {
			t.Errorf("%q with a backslash: %v", s, err)
		}
	}
}

// TestControlsOfLatin1 are U+0080 to U+009F, in UTF-8 two octets.
func TestControlsOfLatin1(t *testing.T) {
	for s, want := range map[string]bool{
		"\u0080": true, "\u0085": true, "\u009f": true, "\u00a0": false, "\u00bf": false, "\xc2": false, "\xc2\x7f": false, "\xc3\x80": false,
	} {
		if isControl(s, 0) != want {
			t.Errorf("%q: control %v", s, !want)
		}
	}
	if !isControl("a\u0080", 1) || isControl("a\u0080", 0) {
		t.Error("the place is mistaken")
	}
}

// TestFoldCherokee: its small letters are the ones that fold to large ones, in two stretches.
func TestFoldCherokee(t *testing.T) {
	for in, want := range map[string]string{
		"\uab70": "\u13a0", "\uab71": "\u13a1", "\uabbf": "\u13ef", "\u13f8": "\u13f0", "\u13fd": "\u13f5", "\u13a0": "\u13a0", "\u13ef": "\u13ef",
	} {
		if got := Fold(in); got != want {
			t.Errorf("%+q becomes %+q, want %+q", in, got, want)
		}
	}
}

func TestValidLiteral(t *testing.T) {
	for domain, want := range map[string]bool{
		"[192.0.2.1]": true, "[ipv6:2001:db8::1]": true, "[ipv6:]": false, "[]": false, "[": false, "": false, "[ipv6]": false,
		"[2001:db8::1]": false, "[ipv6:192.0.2.1]": false, "[ipv6:fe80::1%eth0]": false, "192.0.2.1": false, "[192.0.2.1": false,
	} {
		if validLiteral(domain) != want {
			t.Errorf("%q: %v", domain, !want)
		}
	}
}

func TestRoute(t *testing.T) {
	for path, want := range map[string]string{
		"@a,@b:u@c": "@a,@b:", "@a:u@c": "@a:", "@:u": "@:", "u@c": "", "@a": "", "": "",
		"@[IPv6:::1]:u@c": "", "@[192.0.2.1]:u@c": "@[192.0.2.1]:",
	} {
		if got := route(path); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
}
