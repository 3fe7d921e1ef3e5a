package imported

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

// dnsConfig reads the file "dns" of a configuration: sections "[zone NAME TYPE]" with the lines of
// rbldnsd, and "[records]". The domains of the pool have their records by themselves, but those
// that have "nodns" in their name.
func dnsConfig(t *testing.T, b *bed) testbed.DNSConfig {
	t.Helper()
	text, err := os.ReadFile(b.testdata("dns"))
	if err != nil {
		t.Fatal(err)
	}
	config := testbed.DNSConfig{Address: b.local + ":53", Records: []string{`example. 300 IN TXT "all that is below is known"`}}
	var zone *testbed.Zone
	seen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line == "[records]":
			zone = nil
		case line[0] == '[':
			words := strings.Fields(strings.Trim(line, "[]"))
			config.Zones = append(config.Zones, testbed.Zone{Name: words[1], Type: words[2]})
			zone = &config.Zones[len(config.Zones)-1]
		case zone != nil:
			zone.Data += line + "\n"
		default:
			config.Records = append(config.Records, line)
			seen[strings.TrimSuffix(strings.Fields(line)[0], ".")] = true
		}
	}
	for _, domain := range b.pool.domains() {
		if !seen[domain] {
			config.Records = append(config.Records, fmt.Sprintf("%s. 300 IN A 192.0.2.250", domain), fmt.Sprintf("%s. 300 IN MX 10 %s.", domain, domain))
		}
	}
	return config
}

// domains are those that the pool names.
func (p *pool) domains() (all []string) {
	seen := map[string]bool{}
	add := func(text string) {
		domain := strings.ToLower(strings.Trim(text[strings.LastIndexByte(text, '@')+1:], "<>\" "))
		_, err := netip.ParseAddr(strings.Trim(domain, "[]"))
		if err != nil && strings.Contains(domain, ".") && !strings.ContainsAny(domain, " []=") && !strings.Contains(domain, "..") && !strings.Contains(domain, "nodns") && !seen[domain] {
			seen[domain] = true
			all = append(all, domain)
		}
	}
	for _, kind := range []string{"helo", "sender", "recipient", "from"} {
		for _, v := range p.values[kind] {
			add(v.text)
		}
	}
	for _, v := range append(p.logins, p.mails...) {
		for _, word := range strings.Fields(v.text) {
			add(word[strings.IndexByte(word, '=')+1:])
		}
	}
	return all
}
