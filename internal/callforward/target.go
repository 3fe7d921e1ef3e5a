package callforward

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// target is where a server listens.
type target struct {
	network string // "tcp" or "unix"
	host    string // a name or an address without brackets
	port    string
	path    string
}

// String is the address as net writes it.
func (t target) String() string {
	if t.network == "unix" {
		return "unix:" + t.path
	}
	return net.JoinHostPort(t.host, t.port)
}

// longestPath is what fits into a socket address (unix(7)).
const longestPath = 107

// parseTarget reads HOST, HOST:PORT, [HOST]:PORT or unix:/PATH. Without a default port one has to
// be given.
func parseTarget(source, port string) (target, error) {
	if path, ok := strings.CutPrefix(source, "unix:"); ok {
		switch {
		case !strings.HasPrefix(path, "/"):
			return target{}, fmt.Errorf("want an absolute path after unix:, not %q", path)
		case len(path) > longestPath:
			return target{}, fmt.Errorf("the path of a socket has at most %d octets", longestPath)
		}
		return target{network: "unix", path: path}, nil
	}
	if strings.Contains(source, "@") {
		return target{}, errors.New("a user or password has no place here: nobody logs in to ask who exists; write HOST:PORT")
	}
	host, given, err := splitHost(strings.TrimPrefix(source, "inet:"))
	switch {
	case err != nil:
		return target{}, err
	case given != "":
		port = given
	case port == "":
		return target{}, errors.New("the port is missing: write HOST:PORT (24 is usual for LMTP) or unix:/PATH")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return target{}, fmt.Errorf("%q is no port: want 1 to 65535", port)
	}
	if err := validHost(host); err != nil {
		return target{}, err
	}
	return target{network: "tcp", host: host, port: port}, nil
}

func splitHost(s string) (host, port string, err error) {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		host, rest, closed := strings.Cut(inner, "]")
		port, colon := strings.CutPrefix(rest, ":")
		if !closed || rest != "" && !colon || colon && port == "" {
			return "", "", fmt.Errorf("%q: want [ADDRESS]:PORT", s)
		}
		return host, port, nil
	}
	if strings.Count(s, ":") > 1 {
		return "", "", fmt.Errorf("%q: an IPv6 address stands in brackets: [ADDRESS]:PORT", s)
	}
	host, port, colon := strings.Cut(s, ":")
	if colon && port == "" {
		return "", "", fmt.Errorf("%q: the port is missing after the colon", s)
	}
	return host, port, nil
}

func validHost(host string) error {
	if host == "" {
		return errors.New("the host is missing")
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	for _, c := range []byte(host) {
		if !isLetterDigit(c) && c != '.' && c != '-' && c != '_' {
			return fmt.Errorf("%q is no host name and no address", host)
		}
	}
	return nil
}

func isLetterDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
