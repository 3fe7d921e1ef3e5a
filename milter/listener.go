package milter

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
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
	network, address, err := parseAddress(spec)
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
	network, address, err := parseAddress(spec)
	if err != nil || network != "unix" {
		return err
	}
	if len(address) > maxSocketPath {
		return pathTooLong(address)
	}
	_, err = groupID(opts.Group)
	return err
}

// parseAddress returns network and address as package net takes them.
func parseAddress(spec string) (network, address string, err error) {
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
		return "", fmt.Errorf("%q is not a port number", port)
	}
	return net.JoinHostPort(host, port), nil
}

// maxSocketPath is what fits a sockaddr_un on Linux, its NUL left out.
const maxSocketPath = 107

func pathTooLong(path string) error {
	return fmt.Errorf("socket %s: the path has %d octets, %d are possible", path, len(path), maxSocketPath)
}

func listenUnix(path string, opts ListenOptions) (net.Listener, error) {
	if len(path) > maxSocketPath {
		return nil, pathTooLong(path)
	}
	gid, err := groupID(opts.Group)
	if err != nil {
		return nil, fmt.Errorf("socket %s: %w", path, err)
	}
	if err := removeStale(path); err != nil {
		return nil, fmt.Errorf("socket %s: %w", path, err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("socket %s: %w", path, err)
	}
	if err := permit(path, gid, opts.Mode); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("socket %s: %w", path, err)
	}
	return ownSocket(l.(*net.UnixListener), path)
}

// ownListener removes its socket when it closes, unless another program has put its own there
// meanwhile.
type ownListener struct {
	*net.UnixListener
	path string
	own  fs.FileInfo
}

func ownSocket(l *net.UnixListener, path string) (net.Listener, error) {
	info, err := os.Lstat(path)
	if err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("socket %s: %w", path, err)
	}
	l.SetUnlinkOnClose(false)
	return &ownListener{l, path, info}, nil
}

// Close ends accepting and removes the socket.
func (l *ownListener) Close() error {
	if now, err := os.Lstat(l.path); err == nil && os.SameFile(l.own, now) {
		_ = os.Remove(l.path) // before closing: afterwards it might be a successor's
	}
	return l.UnixListener.Close()
}

// permit sets the group before the mode, so that no other group ever has the mode's permissions.
func permit(path string, gid int, mode fs.FileMode) error {
	if gid >= 0 {
		if err := os.Chown(path, -1, gid); err != nil {
			return err
		}
	}
	if mode == 0 {
		mode = DefaultSocketMode
	}
	return os.Chmod(path, mode)
}

// groupID returns the number of a group, -1 for none.
func groupID(name string) (int, error) {
	if name == "" {
		return -1, nil
	}
	if gid, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(gid), nil
	}
	group, err := user.LookupGroup(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(group.Gid)
}

// removeStale removes a socket on which nobody listens any more.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errors.New("the file exists and is no socket; remove it or choose another path")
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		_ = conn.Close()
		return errors.New("another program answers there; stop it or choose another path")
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("cannot tell whether another program uses it: %w", err)
	}
	return os.Remove(path)
}
