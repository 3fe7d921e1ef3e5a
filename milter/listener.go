package milter

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"strconv"
	"strings"
)

// ListenOptions are for unix sockets.
type ListenOptions struct {
	// Mode of the socket; zero means DefaultSocketMode. Connecting takes permission to write.
	Mode fs.FileMode
	// Group is the group of the socket, by name or number; "" leaves it to the kernel.
	Group string
}

// DefaultSocketMode lets the socket's owner and group connect.
const DefaultSocketMode fs.FileMode = 0o660

// addressForms is the hint of every error about an address.
const addressForms = "write inet:HOST:PORT, inet:PORT@HOST, inet6:PORT@HOST, HOST:PORT, unix:/PATH or local:/PATH"

// Listen opens a listener at an address as Postfix and Sendmail write it. A socket that an ended
// program has left behind is replaced; one that is answered, or of which that cannot be told, is an
// error.
func Listen(spec string, opts ListenOptions) (net.Listener, error) {
	network, address, err := ParseAddress(spec)
	if err != nil {
		return nil, err
	}
	if network == "unix" {
		return listenUnix(address, opts)
	}
	l, err := net.Listen(network, address)
	if err != nil {
		return nil, fmt.Errorf("listen at %q: %w", spec, err)
	}
	return l, nil
}

// CheckAddress reports what Listen would find wrong with an address and its options, without
// opening anything.
func CheckAddress(spec string, opts ListenOptions) error {
	network, address, err := ParseAddress(spec)
	if err != nil || network != "unix" {
		return err
	}
	if len(address) > maxSocketPath {
		return pathTooLong(address)
	}
	_, err = groupID(opts.Group)
	return err
}

// ParseAddress reads an address as Postfix and Sendmail write it, and returns network and address
// as package net takes them.
func ParseAddress(spec string) (network, address string, err error) {
	kind, rest, found := strings.Cut(spec, ":")
	if !found {
		return "", "", fmt.Errorf("address %q: %s", spec, addressForms)
	}
	switch kind {
	case "unix", "local":
		if !filepath.IsAbs(rest) {
			return "", "", fmt.Errorf("address %q: the path of a socket begins with a slash", spec)
		}
		return "unix", rest, nil
	case "inet":
		network = "tcp"
	case "inet6":
		network = "tcp6"
	default:
		network, rest = "tcp", spec
	}
	address, err = hostPort(rest)
	if err != nil {
		return "", "", fmt.Errorf("address %q: %w", spec, err)
	}
	return network, address, nil
}

// hostPort reads HOST:PORT, Postfix's form, or PORT@HOST, Sendmail's.
func hostPort(s string) (string, error) {
	host, port := "", ""
	if before, after, found := strings.Cut(s, "@"); found {
		port, host = before, strings.TrimSuffix(strings.TrimPrefix(after, "["), "]")
	} else {
		var err error
		if host, port, err = net.SplitHostPort(s); err != nil {
			return "", errors.New(addressForms)
		}
	}
	if host == "" {
		return "", errors.New("no host; to listen on every address write 0.0.0.0 or [::]")
	}
	if strings.ContainsAny(host, "/ ") {
		return "", fmt.Errorf("%q is not a host; %s", host, addressForms)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", errors.New("its port is not a number") // not quoted: it may be a piece of something else
	}
	return net.JoinHostPort(host, port), nil
}
