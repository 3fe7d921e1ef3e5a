package test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"mailweir/internal/dns"
	"mailweir/internal/mailauth"
	"mailweir/internal/mailauth/dkimtest"
	"mailweir/internal/policy"
	"mailweir/test/testbed"
)

// allDKIMCases returns the cases by the selector of their signatures, and a DNS for them.
func allDKIMCases(t *testing.T) (map[string]dkimCase, testbed.DNSConfig) {
	t.Helper()
	k := dkimKeys{rsa: dkimtest.RSA(t, 1024), other: dkimtest.RSA(t, 1024), ed: dkimtest.Ed25519(t)}
	cases, one, two := map[string]dkimCase{}, zoneHead, zoneHead
	add := func(selector string, c dkimCase) {
		cases[selector] = c
		name := selector + "._domainkey"
		for _, record := range c.records {
			record = " TXT " + txtStrings(record) + "\n"
			if c.alias {
				one += name + " CNAME " + selector + ".two.example.\n"
				two += selector + record
			} else {
				one += name + record
			}
		}
	}
	for i, c := range dkimSpecial(t, k) {
		add(fmt.Sprintf("s%d", i), c)
	}
	for i, c := range dkimGenerated(t, k, 200) {
		add(fmt.Sprintf("g%d", i), c)
	}
	return cases, testbed.DNSConfig{Zones: []testbed.Zone{
		{Name: "one.example", Type: testbed.ZoneFile, Data: one}, {Name: "two.example", Type: testbed.ZoneFile, Data: two},
	}}
}

const zoneHead = "$TTL 60\n@ SOA ns hostmaster 1 60 60 60 60\n@ NS ns\nns A 127.0.0.1\n"

// txtStrings is a record as a zone file has it, of strings of 255 octets at most.
func txtStrings(record string) string {
	var parts []string
	for ; len(record) > 255; record = record[255:] {
		parts = append(parts, `"`+record[:255]+`"`)
	}
	return strings.Join(append(parts, `"`+record+`"`), " ")
}

// DKIM is what it is to OpenDKIM and dkimpy; where it is not, the case says why.
func TestDKIMPeers(t *testing.T) {
	testbed.Require(t, "dkim")
	cases, config := allDKIMCases(t)
	resolver := resolverFor(t, config)
	messages := map[string]string{}
	for selector, c := range cases {
		messages[selector] = c.text
		got, err := mailauth.VerifyDKIM(t.Context(), resolver, strings.NewReader(c.text))
		if err != nil || (got == "one.example") != c.valid {
			t.Errorf("%s: signed by %q, %v; want %t", c.name, got, err, c.valid)
		}
	}
	for selector, v := range testbed.VerifyDKIM(t, config, messages) {
		c := cases[selector]
		for _, peer := range []struct{ name, verdict, why string }{{"OpenDKIM", v.OpenDKIM, c.openDKIM}, {"dkimpy", v.Dkimpy, c.dkimpy}} {
			differs := (peer.verdict == "") != c.valid
			if differs != (peer.why != "") && !strings.HasPrefix(peer.why, "any:") {
				t.Errorf("%s: valid %t, to %s %q, explained %q", c.name, c.valid, peer.name, peer.verdict, peer.why)
			}
		}
	}
}

// Through real MTAs each message is what it is by itself.
func TestDKIMThroughMTAs(t *testing.T) {
	testbed.Require(t, "dns")
	cases, config := allDKIMCases(t)
	resolver := resolverFor(t, config)
	var mu sync.Mutex
	var verdict string
	verify := func(*policy.Reply) policy.Hooks {
		return policy.Hooks{
			Headers: func(m *policy.Message) (policy.Verdict, error) {
				m.Keep()
				return policy.Pass, nil
			},
			Message: func(m *policy.Message) (policy.Verdict, error) {
				message := m.Open()
				return policy.Asks(policy.Network{}).Later(func(ctx context.Context) (policy.Verdict, error) {
					domain, err := mailauth.VerifyDKIM(ctx, resolver, message)
					mu.Lock()
					defer mu.Unlock()
					verdict = fmt.Sprint(domain, err)
					return policy.Pass, nil
				}), nil
			},
		}
	}
	onEachWire(t, verify, func(b *wireBed) {
		for _, c := range cases {
			b.send("250", strings.ReplaceAll(strings.TrimSuffix(c.text, "\r\n"), "\r\n.", "\r\n.."), "bob@example.org")
			mu.Lock()
			want := map[bool]string{true: "one.example<nil>", false: "<nil>"}[c.valid]
			if verdict != want {
				b.Errorf("%s: %s, want %s", c.name, verdict, want)
			}
			mu.Unlock()
		}
	})
}

func resolverFor(t *testing.T, config testbed.DNSConfig) *dns.Resolver {
	t.Helper()
	r, err := dns.NewResolver(dns.ResolverOptions{Servers: []string{testbed.StartDNS(t, config).Address}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}
