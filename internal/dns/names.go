package dns

import (
	"net/netip"
	"strconv"
	"strings"

	miekg "github.com/miekg/dns"
)

// AppendReversed appends an address as it stands left of a zone in the DNS: octets reversed for
// IPv4 (RFC 5782 section 2.1), 32 nibbles reversed for IPv6 (section 2.4). A v4-mapped address must
// have been unmapped.
func AppendReversed(b []byte, ip netip.Addr) []byte {
	if ip.Is4() {
		o := ip.As4()
		for i := 3; i >= 0; i-- {
			b = strconv.AppendUint(b, uint64(o[i]), 10)
			if i > 0 {
				b = append(b, '.')
			}
		}
		return b
	}
	const digits = "0123456789abcdef"
	o := ip.As16()
	for i := 15; i >= 0; i-- {
		b = append(b, digits[o[i]&15], '.', digits[o[i]>>4])
		if i > 0 {
			b = append(b, '.')
		}
	}
	return b
}

// MaxName is the longest name in its text form without the trailing dot (RFC 1035 section 2.3.4:
// 255 octets on the wire).
const MaxName = 253

// maxLabel is the longest label in octets (RFC 1035 section 2.3.4).
const maxLabel = 63

// IsName reports whether s can be a name: labels of 1 to 63 octets of whatever kind with dots
// between them, at most [MaxName] in all; a dot at the end is allowed (RFC 1035 section 2.3.4, RFC
// 2181 section 11).
func IsName(s string) bool {
	s = strings.TrimSuffix(s, ".")
	if len(s) > MaxName {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > maxLabel {
			return false
		}
	}
	return true
}

// presented is a name as miekg/dns writes it, where ;, @, quotes, blanks and what is not ASCII are
// escaped. That library says itself how, so that a name in an answer is the same text.
func presented(name string) string {
	if !needsEscapes(name) || !IsName(name) {
		return miekg.Fqdn(name)
	}
	packet := make([]byte, 0, len(name)+2)
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		packet = append(append(packet, byte(len(label))), label...)
	}
	text, _, err := miekg.UnpackDomainName(append(packet, 0), 0)
	if err != nil {
		return miekg.Fqdn(name)
	}
	return text
}

// needsEscapes reports whether a name has anything besides letters, digits, hyphens, underscores
// and the dots between labels.
func needsEscapes(name string) bool {
	return strings.ContainsFunc(name, func(r rune) bool {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_', r == '.':
			return false
		}
		return true
	})
}

// plainName undoes [presented] for a name of an answer; like that it ends in a dot. There is no
// plain form of a name that has a dot within a label.
func plainName(presented string) (name string, ok bool) {
	if !strings.Contains(presented, `\`) {
		return presented, true
	}
	packet := make([]byte, MaxName+2)
	if _, err := miekg.PackDomainName(presented, packet, 0, nil, false); err != nil {
		return "", false
	}
	var labels []string
	for packet[0] != 0 {
		label := string(packet[1 : 1+packet[0]])
		if strings.Contains(label, ".") {
			return "", false
		}
		labels, packet = append(labels, label), packet[1+packet[0]:]
	}
	return strings.Join(labels, ".") + ".", true
}

// lowerASCII folds case as the DNS does, octet by octet and ASCII only (RFC 4343).
func lowerASCII(s string) string {
	i := strings.IndexFunc(s, func(r rune) bool { return 'A' <= r && r <= 'Z' })
	if i < 0 {
		return s
	}
	b := []byte(s)
	for ; i < len(b); i++ {
		if 'A' <= b[i] && b[i] <= 'Z' {
			b[i] += 'a' - 'A'
		}
	}
	return string(b)
}
