package dns

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
)

// ParseServers reads a list of DNS servers separated by commas or spaces: `127.0.0.1`,
// `127.0.0.1:5353`, `::1`, `[::1]:53`. The port is 53 unless given. Names are refused: finding them
// would need a resolver.
func ParseServers(s string) ([]string, error) {
	var servers []string
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
		if ap, err := netip.ParseAddrPort(word); err == nil && ap.Port() != 0 {
			servers = append(servers, ap.String())
			continue
		}
		ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(word, "["), "]"))
		if err != nil {
			return nil, fmt.Errorf("DNS server %q: write an address, with a port if it is not 53: 127.0.0.1, 127.0.0.1:5353 or [::1]:53", word)
		}
		servers = append(servers, netip.AddrPortFrom(ip, 53).String())
	}
	if len(servers) == 0 {
		return nil, errors.New("no DNS server given: write at least one address")
	}
	return servers, nil
}

// SystemServers reads the nameserver lines of a resolv.conf(5) file. Without any it is 127.0.0.1,
// as the manual says.
func SystemServers(file string) ([]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("%w: name the DNS servers with --dns", err)
	}
	defer f.Close()
	var servers []string
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) < 2 || words[0] != "nameserver" {
			continue
		}
		ip, err := netip.ParseAddr(words[1])
		if err != nil {
			return nil, fmt.Errorf("%s:%d: nameserver %q is not an address", file, n, words[1])
		}
		servers = append(servers, net.JoinHostPort(ip.String(), "53"))
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(servers) == 0 {
		servers = []string{"127.0.0.1:53"}
	}
	return servers, nil
}
