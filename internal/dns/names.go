package dns

import (
	"net/netip"
	"strconv"
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
