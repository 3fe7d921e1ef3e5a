package attach

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"mailweir/internal/mta/postfix"
	"mailweir/internal/textfile"
)

// nets are the networks that a mail server trusts.
type nets struct {
	trusted, except []netip.Prefix
	proposal        *Proposal
}

// add takes in the value of mynetworks.
func (n *nets) add(parameter, value string) { n.addWithin(parameter, value, 0) }

func (n *nets) addWithin(parameter, value string, depth int) {
	for _, t := range postfix.ParseTables(value) {
		text, exception := strings.CutPrefix(t.Text, "!")
		if prefix, ok := parseNet(text); ok {
			n.take(parameter, prefix, exception)
			continue
		}
		var entries []string
		switch {
		case exception || depth == deepestFile:
		case t.Type == "cidr" || slices.Contains(textTypes, t.Type) || t.Type == "" && strings.HasPrefix(t.Name, "/"):
			data, err := textfile.ReadText(t.Name)
			if err != nil {
				n.proposal.remark("%s: %v: its networks are not among trusted-nets", parameter, err)
				continue
			}
			if entries = strings.Fields(withoutComments(string(data))); t.Type != "" {
				entries = tableKeys(string(data))
			}
		}
		if entries == nil {
			n.proposal.remark("%s has %s, which mailweir cannot read as a list of networks: it is not among trusted-nets", parameter, t.Text)
			continue
		}
		for _, entry := range entries {
			n.addWithin(parameter+", "+t.Name, entry, depth+1)
		}
	}
}

func (n *nets) take(parameter string, prefix netip.Prefix, exception bool) {
	switch {
	case exception:
		n.except = append(n.except, prefix)
		return
	case prefix.Bits() < leastBits(prefix):
		n.proposal.remark("%s has %s: that is nearly everybody, and is not among trusted-nets. Is the mail server an open relay?", parameter, prefix)
		return
	case !private(prefix):
		n.proposal.remark("%s has %s, which is no private network: whoever is there is trusted", parameter, prefix)
	}
	for _, e := range n.except { // the first entry counts
		if e.Contains(prefix.Addr()) && e.Bits() <= prefix.Bits() {
			return
		}
		if prefix.Overlaps(e) {
			n.proposal.remark("%s has %s but for %s, which trusted-nets cannot say: it is left out", parameter, prefix, e)
			return
		}
	}
	if !slices.Contains(n.trusted, prefix) {
		n.trusted = append(n.trusted, prefix)
	}
}

// leastBits is how long a prefix must be, or it is a great part of the Internet.
func leastBits(p netip.Prefix) int {
	if p.Addr().Is4() {
		return 8
	}
	return 7
}

// private reports whether nobody outside has such an address.
func private(p netip.Prefix) bool {
	for _, within := range []string{"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "::1/128", "fc00::/7", "fe80::/10"} {
		if w := netip.MustParsePrefix(within); w.Contains(p.Addr()) && w.Bits() <= p.Bits() {
			return true
		}
	}
	return false
}

// parseNet reads 192.0.2.0/24, 192.0.2.1, [::1]/128, [::ffff:127.0.0.0]/104.
func parseNet(text string) (netip.Prefix, bool) {
	host, bits, masked := strings.Cut(text, "/")
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Zone() != "" {
		return netip.Prefix{}, false
	}
	prefix := netip.PrefixFrom(addr, addr.BitLen())
	if masked {
		if prefix, err = netip.ParsePrefix(fmt.Sprintf("%s/%s", addr, bits)); err != nil {
			return netip.Prefix{}, false
		}
	}
	if addr.Is4In6() {
		if prefix.Bits() < 96 {
			return netip.Prefix{}, false
		}
		prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96)
	}
	return prefix.Masked(), true
}

func (n *nets) propose(parameter string) {
	if len(n.trusted) == 0 {
		n.proposal.remark("%s names no network that can be taken over; trusted-nets stays as it is", parameter)
		return
	}
	words := make([]string, len(n.trusted))
	for i, p := range n.trusted {
		words[i] = p.String()
	}
	n.proposal.line("trusted-nets", strings.Join(words, ","), parameter)
}
