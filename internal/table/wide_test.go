package table

import (
	"net/netip"
	"strings"
	"testing"
)

func TestWide(t *testing.T) {
	o := ListOptions{Use: Use{Asked: Clients | Addresses, Values: Permits, Bare: "OK", Opens: true}, Subdomains: true}
	for _, c := range []struct{ kind, content, want string }{
		{"texthash", "com OK", "FILE:1: lets the whole top-level domain com pass"},
		{"texthash", "b.example OK\n.com OK unverified # x", "FILE:2: lets the whole top-level domain com pass"},
		{"texthash", "com DUNNO\nb.com OK\nuser@ OK\n<> OK\nlocalhost OK\n10 OK\n192 DUNNO\n192.0.2 OK\n2001:db8 OK", ""},
		{"texthash", "8 OK", "FILE:1: lets all of 8.0.0.0/8 pass"},
		{"list", "net", "FILE:1: lets the whole top-level domain net pass"},
		{"cidr", "0.0.0.0/0 OK", "FILE:1: lets most of the Internet pass"},
		{"cidr", "192.0.2.1 OK\n2000::/3 OK", "FILE:2: lets most of the Internet pass"},
		{"cidr", "!192.0.2.0/24 OK", "FILE:1: lets most of the Internet pass"},
		{"cidr", "10.0.0.0/8 OK\n0.0.0.0/0 DUNNO\n192.0.0.0/9 OK\nfc00::/7 OK", ""},
		{"regexp", "/x/ OK\n/.*/ OK", "FILE:2: lets everybody pass"},
		{"pcre", "/^/ DUNNO\n!/./ OK\n/b/ OK", ""},
	} {
		file := write(t, c.content)
		if got := strings.ReplaceAll(strings.Join(openList(t, o, c.kind+":"+file).Wide(), "\n"), file, "FILE"); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.kind, c.content, got, c.want)
		}
	}
	for spec, want := range map[string]string{"static:OK": "static:OK: lets everybody pass", "static:DUNNO": "", "static:": "static:: lets everybody pass"} {
		if got := strings.Join(openList(t, o, spec).Wide(), "\n"); got != want {
			t.Errorf("%s: %q, want %q", spec, got, want)
		}
	}
	o.Opens = false
	if got := openList(t, o, "static:OK").Wide(); got != nil {
		t.Errorf("a list that lets nothing pass: %q", got)
	}
}

func TestRefusesNobody(t *testing.T) {
	o := ListOptions{Use: Use{Asked: Addresses, Values: Actions, Bare: "REJECT"}, Subdomains: true}
	file := write(t, "a.example OK", "b.example DUNNO")
	for want, specs := range map[bool][][]string{
		true:  {{"static:OK"}, {file}, {file, "static:DUNNO"}},
		false: {{"static:"}, {file, "static:REJECT"}, {"list:" + write(t, "a.example")}, {write(t, "# none")}, {write(t, "a.example 450 x")}, nil},
	} {
		for _, list := range specs {
			if got := openList(t, o, list...).RefusesNobody(); got != want {
				t.Errorf("%q: %t", list, got)
			}
		}
	}
}

func TestPrivateNet(t *testing.T) {
	for net, want := range map[string]bool{
		"10.0.0.0/8": true, "10.1.2.3/32": true, "192.168.1.0/24": true, "100.64.0.0/10": true, "127.0.0.1/32": true, "fd00::/8": true, "::1/128": true,
		"8.0.0.0/7": false, "10.0.0.0/7": false, "192.0.2.0/24": false, "0.0.0.0/0": false, "::/0": false, "2001:db8::/32": false,
	} {
		if got := PrivateNet(netip.MustParsePrefix(net)); got != want {
			t.Errorf("%s: %t", net, got)
		}
	}
}
