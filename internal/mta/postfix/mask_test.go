package postfix

import "testing"

func TestMasked(t *testing.T) {
	for text, want := range map[string]string{
		"hash:/a, inline:{a=b}":                                      "hash:/a, inline:{a=b}",
		"a mysql:{ { password = p } { hosts = h } } b":               "a mysql:{…} b",
		"proxy:pgsql:{password=p}, ldap:{ { bind_pw = p } },cidr:/x": "proxy:pgsql:{…}, ldap:{…},cidr:/x",
		"pipemap:{sqlite:{a=b}, mongodb:{p}, memcache:{p}}":          "pipemap:{sqlite:{…}, mongodb:{…}, memcache:{…}}",
		"mysql:{ { password = cut o":                                 "mysql:{…}",
		"mysql:/etc/x.cf mysql: { x }":                               "mysql:/etc/x.cf mysql: { x }",
	} {
		if got := Masked(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
