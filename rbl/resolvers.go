package rbl

import "net/netip"

// publicResolvers are networks of resolvers that everybody may use, by their own documentation.
// Lists refuse what comes through them, or answer that nobody is listed.
func publicResolvers() map[string]string {
	return map[string]string{
		"8.8.8.8/32": "Google", "8.8.4.4/32": "Google", "2001:4860:4860::/48": "Google",
		"1.1.1.0/24": "Cloudflare", "1.0.0.0/24": "Cloudflare", "2606:4700:4700::/48": "Cloudflare",
		"9.9.9.0/24": "Quad9", "149.112.112.0/24": "Quad9", "2620:fe::/48": "Quad9",
		"208.67.222.0/24": "OpenDNS", "208.67.220.0/24": "OpenDNS", "2620:119:35::/48": "OpenDNS", "2620:119:53::/48": "OpenDNS",
		"94.140.14.0/24": "AdGuard", "94.140.15.0/24": "AdGuard", "185.228.168.0/23": "CleanBrowsing",
		"76.76.2.0/24": "Control D", "4.2.2.0/29": "Level 3", "64.6.64.0/23": "Verisign", "84.200.69.80/32": "DNS.WATCH", "84.200.70.40/32": "DNS.WATCH",
	}
}

// PublicResolver names whose public resolver an address is, with or without a port; "" where none
// is known.
func PublicResolver(server string) string {
	if at, err := netip.ParseAddrPort(server); err == nil {
		server = at.Addr().String()
	}
	addr, err := netip.ParseAddr(server)
	if err != nil {
		return ""
	}
	for net, whose := range publicResolvers() {
		if netip.MustParsePrefix(net).Contains(addr.Unmap()) {
			return whose
		}
	}
	return ""
}
