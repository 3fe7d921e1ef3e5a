package clamd

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"mailweir/internal/backend"
)

// Address is where a clamd listens.
type Address struct {
	// Network and Target are as for [net.Dial].
	Network, Target string
}

// String returns the address as it is configured.
func (a Address) String() string { return "clamd:" + a.Network + ":" + a.Target }

// ParseAddress reads clamd:unix:/PATH or clamd:tcp:HOST:PORT.
func ParseAddress(s string) (Address, error) {
	const forms = "write clamd:unix:/PATH or clamd:tcp:HOST:PORT"
	if strings.Contains(s, "@") && !strings.HasPrefix(s, "clamd:unix:") {
		return Address{}, fmt.Errorf("a user or password has no place here: clamd knows none; %s", forms)
	}
	program, rest, _ := strings.Cut(s, ":")
	if program != "clamd" {
		return Address{}, fmt.Errorf("%q: the only scanner that is known is clamd; %s", s, forms)
	}
	network, target, _ := strings.Cut(rest, ":")
	switch network {
	case "unix":
		if !filepath.IsAbs(target) {
			return Address{}, fmt.Errorf("%q: the path of the socket (LocalSocket in clamd.conf) is not absolute; %s", s, forms)
		}
	case "tcp":
		host, port, err := net.SplitHostPort(target)
		if n, bad := strconv.ParseUint(port, 10, 16); err != nil || host == "" || bad != nil || n == 0 {
			return Address{}, fmt.Errorf("%q: want a host and a port, as in clamd:tcp:127.0.0.1:3310; %s", s, forms)
		}
	default:
		return Address{}, fmt.Errorf("%q: neither unix nor tcp; %s", s, forms)
	}
	return Address{network, target}, nil
}

// InClear reports whether messages go to another host, readable for whoever is between.
func (a Address) InClear() bool {
	if a.Network != "tcp" {
		return false
	}
	host, _, _ := net.SplitHostPort(a.Target)
	return !backend.Loopback(host)
}
