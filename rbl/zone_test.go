package rbl

import (
	"net/netip"
	"strings"
	"testing"
)

func TestFilters(t *testing.T) {
	tests := []struct {
		filter   string
		in, out  string // addresses, separated by spaces
		contains string // of the error
	}{
		{"127.0.0.2", "127.0.0.2", "127.0.0.3 127.0.1.2 127.1.0.2 128.0.0.2 ::1", ""},
		{"127.0.0.[2..11;30]", "127.0.0.2 127.0.0.11 127.0.0.30", "127.0.0.1 127.0.0.12 127.0.0.29 127.0.0.31", ""},
		{"127.0.[1;3].[0..255]", "127.0.1.0 127.0.3.255", "127.0.2.0", ""},
		{"[127..127].[0].0.2", "127.0.0.2", "", ""},
		{"127.0.0", "", "", "four octets"},
		{"127.0.0.2.3", "", "", `".3" after the fourth octet`},
		{"127.0.0.", "", "", "a number from 0 to 255 is missing"},
		{"127.0.0.256", "", "", "256 is not a number"},
		{"127.0.0.[2..1]", "", "", "upside down"},
		{"127.0.0.[2", "", "", "[ without ]"},
		{"127.0.0.[2,3]", "", "", `",3" inside [ ]`},
		{"127.0.0.[]", "", "", "missing"},
		{"127.0.0.[2;]", "", "", "missing"},
		{"127.0.0.[2..]", "", "", "missing"},
		{"127.0.0.99999999999999999999", "", "", "is not a number"},
		{"", "", "", "missing"},
	}
	for _, tt := range tests {
		f, err := ParseFilter(tt.filter)
		if tt.contains != "" {
			if err == nil || !strings.Contains(err.Error(), tt.contains) {
				t.Errorf("%q: %v, want an error with %q", tt.filter, err, tt.contains)
			}
			continue
		}
		if err != nil {
			t.Error(err)
		}
		for _, ip := range strings.Fields(tt.in) {
			if !f.Matches(netip.MustParseAddr(ip)) {
				t.Errorf("%s misses %s", tt.filter, ip)
			}
		}
		for _, ip := range strings.Fields(tt.out) {
			if f.Matches(netip.MustParseAddr(ip)) {
				t.Errorf("%s matches %s", tt.filter, ip)
			}
		}
	}
}

func TestParse(t *testing.T) {
	tests := []struct {
		name string
		kind Kind
		spec string
		want string // the entries, or an error's text after "error: " (a part of it)
	}{
		{"plain", Addresses, "bl.example.org", "bl.example.org"},
		{"as in postscreen_dnsbl_sites", Addresses, "zen.spamhaus.org=127.0.0.[2..11]*2, bl.example.org*3\n\tlist.dnswl.org=127.0.[0..255].[1..3]*-2", "zen.spamhaus.org=127.0.0.[2..11]*2 bl.example.org*3 list.dnswl.org=127.0.[0..255].[1..3]*-2"},
		{"case and dot", Addresses, "BL.Example.ORG.", "bl.example.org"},
		{"weight 0", Addresses, "bl.example.org*0", "bl.example.org*0"},
		{"plus sign", Addresses, "bl.example.org*+2", "bl.example.org*2"},
		{"private list of 127.0.0.1", Addresses, "bl.example.org=127.0.0.1", "bl.example.org=127.0.0.1"},
		{"block zone discounted by filter", Addresses, "zen.spamhaus.org=127.0.0.10*-1", "zen.spamhaus.org=127.0.0.10*-1"},
		{"mixed zone, allow side", Addresses, "hostkarma.junkemailfilter.com*-1", "hostkarma.junkemailfilter.com*-1"},
		{"keyed", Addresses, "{DQS}.zen.dq.spamhaus.net*2", "{DQS}.zen.dq.spamhaus.net*2"},
		{"keyed domains", Domains, "{DQS}.dbl.dq.spamhaus.net", "{DQS}.dbl.dq.spamhaus.net"},
		{"domains", Domains, "dbl.spamhaus.org", "dbl.spamhaus.org"},

		{"bad weight", Addresses, "bl.example.org*x", `error: list bl.example.org: weight "x": write a whole number`},
		{"no weight", Addresses, "bl.example.org*", `error: list bl.example.org: weight ""`},
		{"huge weight", Addresses, "bl.example.org*99999999", "error: write a whole number"},
		{"bad filter", Addresses, "bl.example.org=127.0.0", "error: list bl.example.org: filter"},
		{"empty zone", Addresses, "=127.0.0.2", `error: list "": not a domain name`},
		{"one label", Addresses, "localhost", `error: list "localhost": write the full domain name`},
		{"odd characters", Addresses, "bl.exa mple.org/x", "error:"},
		{"dead", Addresses, "dnsbl.sorbs.net=127.0.0.5*2", "error: list dnsbl.sorbs.net is dead since 2024-06: all its zones were emptied"},
		{"dead, domain kind", Domains, "rhsbl.ahbl.org", "error: list rhsbl.ahbl.org is dead since 2015-01"},
		{"dead, deep", Addresses, "ix.dnsbl.manitu.net", "error: is dead since 2025-01: NiXSpam"},
		{"address of a domain list", Addresses, "dbl.spamhaus.org", "error: list dbl.spamhaus.org lists domains, not addresses: name it with --rhsbl-zone"},
		{"domain of an address list", Domains, "zen.spamhaus.org", "error: lists addresses, not domains: name it with --rbl-zone"},
		{"allow list without weight", Addresses, "list.dnswl.org", "error: this is an allow list: give it a negative weight, list.dnswl.org*-1"},
		{"block list as allow list", Addresses, "zen.spamhaus.org*-2", "error: a block list with the negative weight -2"},
		{"filter outside the set", Addresses, "zen.spamhaus.org=127.0.0.99", "error: filter 127.0.0.99 matches no code of this list; its codes are 127.0.0.2 SBL"},
		{"filter of error codes", Addresses, "bl.example.org=127.255.255.[1..255]", "error: matches error codes only"},
		{"filter outside 127/8", Addresses, "bl.example.org=192.0.2.1", "error: matches nothing in 127.0.0.0/8"},
		{"key in plain sight", Addresses, "abcdef0123456789.zen.dq.spamhaus.net", "error: list KEY.zen.dq.spamhaus.net: the key stands in the configuration"},
		{"key missing", Addresses, "zen.dq.spamhaus.net", "error: list zen.dq.spamhaus.net needs a customer's key"},
		{"wrong top-level domain", Addresses, "abcdef0123456789.zen.dq.spamhaus.org", "error: keyed zones end in dq.spamhaus.net"},
		{"wrong keyed zone", Addresses, "abcdef0123456789.zon.dq.spamhaus.net", "error: no such keyed zone"},
		{"keyed with a broken label", Addresses, "abcdef0123456789!.zen.dq.spamhaus.net", "error: not a domain name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			entries, err := Parse(tt.kind, []string{tt.spec})
			var words []string
			for _, e := range entries {
				words = append(words, e.String())
			}
			got := strings.Join(words, " ")
			want, isErr := strings.CutPrefix(tt.want, "error: ")
			if isErr || tt.want == "error:" {
				if err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(want, "error:")) {
					t.Fatalf("got %q, %v; want an error with %q", got, err, want)
				}
				if strings.Contains(err.Error(), "abcdef0123456789") {
					t.Errorf("the key is in %v", err)
				}
				return
			}
			if err != nil || got != want {
				t.Errorf("got %q, %v; want %q", got, err, want)
			}
		})
	}
}

// The tables: every zone is well formed, has a source, codes that are no errors, and is not
// retired.
func TestTables(t *testing.T) {
	seen := map[string]bool{}
	for _, z := range knownZones {
		if seen[z.zone] {
			t.Errorf("%s stands twice", z.zone)
		}
		seen[z.zone] = true
		if z.source == "" || z.page == "" || len(z.meanings) == 0 || retired(z.zone) != nil {
			t.Errorf("%s: incomplete or retired", z.zone)
		}
		if name, err := normalZone(z.zone); err != nil || name != z.zone {
			t.Errorf("%s: %v", z.zone, err)
		}
		for _, m := range z.meanings {
			if !m.codes.meets(usableFilters[0]) || m.codes.Matches(netip.MustParseAddr("127.255.255.254")) || m.text == "" {
				t.Errorf("%s: meaning %q", z.zone, m.text)
			}
		}
		zone := z.zone
		if z.keyed {
			zone = "{KEY}." + zone
		}
		weight := "*1"
		if !z.hasSense(Block) {
			weight = "*-1"
		}
		if _, err := Parse(z.kind, []string{zone + weight}); err != nil {
			t.Error(err)
		}
	}
	for _, z := range retiredZones {
		if z.since == "" || z.reason == "" || z.source == "" {
			t.Errorf("%s: incomplete", z.zone)
		}
		for _, kind := range []Kind{Addresses, Domains} {
			if _, err := Parse(kind, []string{z.zone}); err == nil {
				t.Errorf("%s is accepted", z.zone)
			}
		}
	}
}

// Each code of a few well-known lists, and what is around them.
func TestMeanings(t *testing.T) {
	tests := []struct {
		zone, ip string
		sense    Sense
		ok       bool
	}{
		{"zen.spamhaus.org", "127.0.0.2", Block, true},
		{"zen.spamhaus.org", "127.0.0.11", Block, true},
		{"zen.spamhaus.org", "127.0.0.30", Block, true},
		{"zen.spamhaus.org", "127.0.0.12", 0, false},
		{"zen.spamhaus.org", "127.0.0.1", 0, false},
		{"zen.spamhaus.org", "127.255.255.252", 0, false},
		{"dbl.spamhaus.org", "127.0.1.2", Block, true},
		{"dbl.spamhaus.org", "127.0.1.102", Neutral, true},
		{"dbl.spamhaus.org", "127.0.1.255", 0, false},
		{"{K}.zrd.dq.spamhaus.net", "127.0.2.24", Block, true},
		{"{K}.zrd.dq.spamhaus.net", "127.0.2.255", 0, false},
		{"list.dnswl.org", "127.0.5.3", Allow, true},
		{"list.dnswl.org", "127.0.10.3", Neutral, true},
		{"list.dnswl.org", "127.0.0.255", 0, false},
		{"list.dnswl.org", "127.0.5.4", 0, false},
		{"multi.surbl.org", "127.0.0.1", 0, false},
		{"multi.surbl.org", "127.0.0.64", Block, true},
		{"multi.surbl.org", "127.0.0.72", Block, true},
		{"multi.surbl.org", "127.0.0.65", 0, false},
		{"multi.uribl.com", "127.0.0.4", Neutral, true},
		{"multi.uribl.com", "127.0.0.6", Block, true},
		{"multi.uribl.com", "127.0.0.1", 0, false},
		{"multi.uribl.com", "127.0.0.16", 0, false},
		{"rep.mailspike.net", "127.0.0.10", Block, true},
		{"rep.mailspike.net", "127.0.0.20", Allow, true},
		{"hostkarma.junkemailfilter.com", "127.0.0.1", Allow, true},
		{"bl.score.senderscore.com", "127.255.255.255", 0, false},
		{"bl.unknown.example", "127.0.0.77", 0, true},
		{"bl.unknown.example", "127.0.0.1", 0, false},
		{"bl.unknown.example", "10.0.0.1", 0, false},
	}
	for _, tt := range tests {
		z := knownZone(tt.zone)
		if z == nil != (tt.zone == "bl.unknown.example") {
			t.Fatalf("%s: in the table %v", tt.zone, z != nil)
		}
		c, err := z.explain(netip.MustParseAddr(tt.ip), false)
		if (err == nil) != tt.ok || tt.ok && c.Sense != tt.sense {
			t.Errorf("%s %s: %v, %v; want %v, %v", tt.zone, tt.ip, c.Sense, err, tt.sense, tt.ok)
		}
	}
}

func TestDomainKeys(t *testing.T) {
	long := strings.Repeat("a", 63) + "."
	for in, want := range map[string]string{
		"Sender.Example.":                     "sender.example",
		"bücher.example":                      "xn--bcher-kva.example",
		"_spf.sender.example":                 "_spf.sender.example",
		long + long + long + "example":        long + long + long + "example",
		"localhost":                           "",
		"":                                    "",
		"[192.0.2.1]":                         "",
		"192.0.2.1":                           "",
		"2001:db8::1":                         "",
		"a..example":                          "",
		"a b.example":                         "",
		strings.Repeat("a", 64) + ".example":  "",
		long + long + long + long + "example": "",
		"\xff\xfe.example":                    "",
		"a.example/../x":                      "",
	} {
		got, err := DomainKey(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
}
