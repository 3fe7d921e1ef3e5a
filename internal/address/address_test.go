package address

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, tc := range []struct{ name, in, local, domain, key string }{
		{"normal", "user@example.com", "user", "example.com", "user@example.com"},
		{"brackets", "<user@example.com>", "user", "example.com", "user@example.com"},
		{"null", "", "", "", ""},
		{"null in brackets", "<>", "", "", ""},
		{"case", "User@EXAMPLE.Com", "user", "example.com", "user@example.com"},
		{"trailing dot", "user@example.com.", "user", "example.com", "user@example.com"},
		{"quoted without need", `"User"@example.com`, "user", "example.com", "user@example.com"},
		{"quoted with space", `"a b"@example.com`, "a b", "example.com", "a b@example.com"},
		{"quoted pair", `"a\"b\\"@example.com`, `a"b\`, "example.com", `a"b\@example.com`},
		{"quoted at", `"a@b"@example.com`, "a@b", "example.com", "a@b@example.com"},
		{"quoted at only", `"a@b"`, "a@b", "", "a@b"},
		{"unclosed quote", `"a@example.com`, `"a`, "example.com", `"a@example.com`},
		{"no domain", "Postmaster", "postmaster", "", "postmaster"},
		{"empty local", "@example.com", "", "example.com", "@example.com"},
		{"empty quoted local", `""@example.com`, "", "example.com", "@example.com"},
		{"at alone is not null", "@", "", "", "@"},
		{"route", "@a.example,@b.example:user@example.com", "user", "example.com", "user@example.com"},
		{"v4 literal", "user@[192.0.2.1]", "user", "[192.0.2.1]", "user@[192.0.2.1]"},
		{"v6 literal", "user@[IPv6:2001:DB8::1]", "user", "[ipv6:2001:db8::1]", "user@[ipv6:2001:db8::1]"},
		{"empty local, v6 literal", "@[IPv6:2001:db8::1]", "", "[ipv6:2001:db8::1]", "@[ipv6:2001:db8::1]"},
		{"u-label", "user@Bücher.example", "user", "xn--bcher-kva.example", "user@xn--bcher-kva.example"},
		{"u-label decomposed", "user@Bu\u0308cher.example", "user", "xn--bcher-kva.example", "user@xn--bcher-kva.example"},
		{"a-label", "user@XN--Bcher-KVA.example", "user", "xn--bcher-kva.example", "user@xn--bcher-kva.example"},
		{"not IDNA", "user@B\u00dc\u2028.example", "user", "b\u00fc\u2028.example", "user@b\u00fc\u2028.example"},
		{"not UTF-8", "user@B\xff.EXAMPLE", "user", "b\xff.example", "user@b\xff.example"},
		{"UTF-8 local", "JÜRGEN@example.com", "jürgen", "example.com", "jürgen@example.com"},
		{"UTF-8 local decomposed", "ju\u0308rgen@example.com", "jürgen", "example.com", "jürgen@example.com"},
		{"underscore", "user@_dmarc.bücher.example", "user", "_dmarc.xn--bcher-kva.example", "user@_dmarc.xn--bcher-kva.example"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := Parse(tc.in)
			if a.Local != tc.local || a.Domain != tc.domain || a.Key() != tc.key {
				t.Errorf("Parse(%q) = %q at %q, key %q; want %q at %q, key %q", tc.in, a.Local, a.Domain, a.Key(), tc.local, tc.domain, tc.key)
			}
			if want := tc.key == ""; a.IsNull() != want {
				t.Errorf("IsNull = %v", a.IsNull())
			}
		})
	}
}

func TestParseDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { _ = Parse("<user+ext@mail.example.com>").Base("+").Domain }); n != 0 {
		t.Errorf("Parse and Base allocate %v times", n)
	}
	a := Parse("user@example.com")
	if n := testing.AllocsPerRun(100, func() { _ = a.Key() }); n != 0 {
		t.Errorf("Key allocates %v times", n)
	}
}

func TestBase(t *testing.T) {
	for _, tc := range []struct{ in, delimiters, want string }{
		{"user+ext@example.com", "+", "user@example.com"},
		{"user+ext@example.com", "", "user+ext@example.com"},
		{"user+a+b@example.com", "+", "user@example.com"},
		{"user-a+b@example.com", "+-", "user@example.com"},
		{"+ext@example.com", "+", "+ext@example.com"},
		{"postmaster@example.com", "m", "postmaster@example.com"},
		{"owner-list@example.com", "-", "owner-list@example.com"},
		{"list-request@example.com", "-", "list-request@example.com"},
		{"list-request@example.com", "+", "list-request@example.com"},
		{"", "+", ""},
	} {
		if got := Parse(tc.in).Base(tc.delimiters).Key(); got != tc.want {
			t.Errorf("Base(%q, %q) = %q, want %q", tc.in, tc.delimiters, got, tc.want)
		}
	}
}

func TestUnicodeDomain(t *testing.T) {
	for in, want := range map[string]string{
		"example.com":           "example.com",
		"xn--bcher-kva.example": "bücher.example",
		"xn--0.example":         "xn--0.example",
	} {
		if got := UnicodeDomain(in); got != want {
			t.Errorf("UnicodeDomain(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestGross(t *testing.T) {
	long := strings.Repeat("a", 63)
	for _, tc := range []struct {
		name, in string
		rules    Rules
		want     error
	}{
		{"null", "", Rules{}, nil},
		{"normal", "user@example.com", Rules{}, nil},
		{"empty local", "@example.com", Rules{}, ErrEmptyLocal},
		{"empty quoted local", `""@example.com`, Rules{}, ErrEmptyLocal},
		{"at alone", "@", Rules{}, ErrEmptyLocal},
		{"no domain", "user", Rules{}, ErrNoDomain},
		{"empty domain", "user@", Rules{}, ErrNoDomain},
		{"root domain", "user@.", Rules{NoDomain: true}, ErrNoDomain},
		{"no domain allowed", "postmaster", Rules{NoDomain: true}, nil},
		{"space", "a b@example.com", Rules{}, ErrControl},
		{"space alone", " ", Rules{}, ErrControl},
		{"quoted space", `"a b"@example.com`, Rules{}, nil},
		{"escaped space", `a\ b@example.com`, Rules{}, nil},
		{"unclosed quote with space", `"a b@example.com`, Rules{}, ErrControl},
		{"tab in domain", "a@exa\tmple.com", Rules{}, ErrControl},
		{"NUL", "a\x00@example.com", Rules{}, ErrControl},
		{"C1 control", "a\u0085@example.com", Rules{}, ErrControl},
		{"not UTF-8 is not gross", "a\xe4@example.com", Rules{}, nil},
		{"label of 63", "a@" + long + ".example", Rules{}, nil},
		{"label of 64", "a@" + long + "a.example", Rules{}, ErrLabelLong},
		{"name of 254", "a@" + strings.Repeat(long+".", 3) + strings.Repeat("b", 62), Rules{}, nil},
		{"name of 255", "a@" + strings.Repeat(long+".", 3) + strings.Repeat("b", 63), Rules{}, ErrDomainLong},
		{"v4 literal", "a@[192.0.2.1]", Rules{}, nil},
		{"v6 literal", "a@[IPv6:2001:db8::1]", Rules{}, nil},
		{"bad v4 literal", "a@[192.0.2]", Rules{}, ErrLiteral},
		{"v6 without its tag", "a@[2001:db8::1]", Rules{}, ErrLiteral},
		{"v4 with the tag of v6", "a@[IPv6:192.0.2.1]", Rules{}, ErrLiteral},
		{"zone", "a@[IPv6:fe80::1%eth0]", Rules{}, ErrLiteral},
		{"unclosed literal", "a@[192.0.2.1", Rules{}, ErrLiteral},
		{"literal and more", "a@[192.0.2.1].example", Rules{}, ErrLiteral},
		{"empty literal", "a@[]", Rules{}, ErrLiteral},
		{"percent allowed", "a%b@example.com", Rules{}, nil},
		{"percent", "a%b@example.com", Rules{NoRouting: true}, ErrRouting},
		{"quoted percent", `"a%b"@example.com`, Rules{NoRouting: true}, ErrRouting},
		{"bang", "b!a@example.com", Rules{NoRouting: true}, ErrRouting},
		{"at in local", "a@b@example.com", Rules{NoRouting: true}, ErrRouting},
		{"source route", "@b:a@example.com", Rules{NoRouting: true}, ErrRouting},
		{"source route allowed", "@b:a@example.com", Rules{}, nil},
		{"double dots are not gross", "a..b@example..com", Rules{}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := Parse(tc.in).Gross(tc.rules); got != tc.want {
				t.Errorf("Gross(%q) = %v, want %v", tc.in, got, tc.want)
			}
		})
	}
}

func TestStrict(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		smtputf8 bool
		want     error
	}{
		{"null", "", false, nil},
		{"normal", "first.last+ext@mail.example.com", false, nil},
		{"all of atext", "!#$%&'*+-/=?^_`{|}~@example.com", false, nil},
		{"gross first", "@example.com", false, ErrEmptyLocal},
		{"double dot", "a..b@example.com", false, ErrLocalSyntax},
		{"leading dot", ".a@example.com", false, ErrLocalSyntax},
		{"trailing dot", "a.@example.com", false, ErrLocalSyntax},
		{"bracket in local", "a(b@example.com", false, ErrLocalSyntax},
		{"escape outside quotes", `a\ b@example.com`, false, ErrLocalSyntax},
		{"quoted", `"a b\"@"@example.com`, false, nil},
		{"quoted, then more", `"a"b@example.com`, false, ErrLocalSyntax},
		{"quoted control", "\"a\tb\"@example.com", false, ErrQuotedOctet},
		{"escaped UTF-8", `"\ü"@example.com`, true, ErrQuotedOctet},
		{"unclosed quote", `"a@example.com`, false, ErrLocalSyntax},
		{"local of 64", strings.Repeat("a", 64) + "@example.com", false, nil},
		{"local of 65", strings.Repeat("a", 65) + "@example.com", false, ErrLocalLong},
		{"long path", strings.Repeat("a", 60) + "@" + strings.Repeat("abcdefg.", 25) + "com", false, ErrPathLong},
		{"route", "@b.example:a@example.com", false, nil},
		{"v6 literal", "a@[IPv6:2001:db8::1]", false, nil},
		{"one label", "a@localhost", false, nil},
		{"trailing dot of domain", "a@example.com.", false, ErrDomain},
		{"empty label", "a@example..com", false, ErrDomain},
		{"hyphen first", "a@-example.com", false, ErrDomain},
		{"hyphen last", "a@example-.com", false, ErrDomain},
		{"underscore", "a@ex_ample.com", false, ErrDomain},
		{"UTF-8 local", "jürgen@example.com", true, nil},
		{"UTF-8 local without SMTPUTF8", "jürgen@example.com", false, ErrUTF8},
		{"UTF-8 domain", "a@bücher.example", true, nil},
		{"UTF-8 domain without SMTPUTF8", "a@bücher.example", false, ErrUTF8},
		{"not UTF-8", "a\xe4@example.com", true, ErrNotUTF8},
		{"bad U-label", "a@b\u2028.example", true, ErrIDN},
		{"A-label", "a@xn--bcher-kva.example", false, nil},
		{"bad A-label", "a@xn--0.example", false, ErrIDN},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := Parse(tc.in).Strict(Rules{}, tc.smtputf8); got != tc.want {
				t.Errorf("Strict(%q) = %v, want %v", tc.in, got, tc.want)
			}
		})
	}
}

// Keys are written into stores and read again: reading one must give the same mailbox.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "<>", "a@b", `"a b"@c.`, "@a:b@c", "a@[IPv6:::1]", "a@Bücher", "ÄSS@ß", "\xff@\xff", `"a\`, "@", "a@.", "a@xn--a", "ſ@K", "Ꮲ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a := Parse(s)
		if (a.Key() == "") != a.IsNull() {
			t.Fatalf("%q: key %q, null %v", s, a.Key(), a.IsNull())
		}
		if again := NormalDomain(a.Domain); again != a.Domain {
			t.Fatalf("%q: domain %q becomes %q", s, a.Domain, again)
		}
		if again := Fold(Fold(s)); again != Fold(s) {
			t.Fatalf("%q folds to %q, then to %q", s, Fold(s), again)
		}
		_ = a.Gross(Rules{NoRouting: true})
		if a.Strict(Rules{NoRouting: true}, true) == nil && !a.IsNull() && !strings.ContainsAny(s, `"\`) {
			if again := Parse(a.Key()); again.Local != a.Local || again.Domain != a.Domain {
				t.Fatalf("%q: key %q reads as %q at %q", s, a.Key(), again.Local, again.Domain)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_ = Parse("<user+ext@mail.example.com>").Key()
	}
}
