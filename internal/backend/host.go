package backend

import (
	"net/netip"
	"strings"
)

// Loopback reports whether what is sent to a host stays on this one: localhost, an address of the
// loopback with or without brackets, the path of a socket, or nothing. Of other names nobody knows.
func Loopback(host string) bool {
	host = strings.Trim(host, "[]")
	if host == "" || strings.HasPrefix(host, "/") || strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
