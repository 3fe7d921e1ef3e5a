package ldap

import (
	"strings"
	"testing"
	"unicode/utf8"

	ldaplib "github.com/go-ldap/ldap/v3"
)

// FuzzKeyInFilter: whatever a key is, in a filter it is that very value and nothing else.
func FuzzKeyInFilter(f *testing.F) {
	for _, key := range hostile {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		filter, err := normalFilter("(&(objectClass=x)(mail=" + quoteFilter(key) + "))")
		if err != nil {
			t.Fatal(err)
		}
		packet, err := ldaplib.CompileFilter(filter)
		if err != nil {
			t.Fatal(err)
		}
		condition := packet.Children[1]
		if packet.Tag != ldaplib.FilterAnd || len(packet.Children) != 2 || condition.Tag != ldaplib.FilterEqualityMatch || len(condition.Children) != 2 ||
			condition.Children[0].Data.String() != "mail" || condition.Children[1].Data.String() != key {
			t.Errorf("%q became %s", key, filter)
		}
	})
}

// FuzzKeyInBase: whatever a key is, in a distinguished name it is one value.
func FuzzKeyInBase(f *testing.F) {
	for _, key := range hostile {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if !utf8.ValidString(key) {
			t.Skip() // such keys are not asked for
		}
		dn, err := ldaplib.ParseDN("uid=" + quoteBase(key) + ",dc=test")
		if err != nil {
			t.Skip() // a server says so, too
		}
		if len(dn.RDNs) != 2 || len(dn.RDNs[0].Attributes) != 1 || dn.RDNs[0].Attributes[0].Type != "uid" || dn.RDNs[0].Attributes[0].Value != key {
			t.Errorf("%q became %s", key, dn)
		}
	})
}

// FuzzFilter: a filter that is taken is one that can be sent, and is itself when it is read again.
func FuzzFilter(f *testing.F) {
	for _, test := range fileTests {
		for line := range strings.Lines(test.file) {
			if filter, is := strings.CutPrefix(line, "query_filter = "); is {
				f.Add(filter)
			}
		}
	}
	f.Add(`(!(|(a=b*c\2a*)(:dn:1.2:=x)(a;b:=\00)))`)
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := normalFilter(text)
		if err != nil {
			return
		}
		if _, err := ldaplib.CompileFilter(filter); err != nil {
			t.Errorf("%q became %q: %v", text, filter, err)
		}
		if again, err := normalFilter(filter); err != nil || again != filter {
			t.Errorf("%q became %q, and then %q, %v", text, filter, again, err)
		}
	})
}

func FuzzURL(f *testing.F) {
	for _, url := range []string{
		"ldap:///dc=test?mail?sub?(mail=a)", "<ldap://[::1]:389/>", "URL:ldapi://%2fx", "ldaps://a:1/dc=%2C?a,b??x?!ext", "ldap://h??x", "ldap:///?????",
	} {
		f.Add(url)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, _, is := cutScheme(text)
		if _, r, err := parseURL(text); err == nil && (!is || r.filter == "") {
			t.Errorf("%q became %+v", text, r)
		}
	})
}
