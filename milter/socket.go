package milter

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// maxSocketPath is what fits a sockaddr_un on Linux, its NUL left out.
const maxSocketPath = 107

func pathTooLong(path string) error {
	return fmt.Errorf("socket %s: the path has %d octets, %d are possible", path, len(path), maxSocketPath)
}

// listenUnix opens a socket. It comes into being closed to everybody, and gets its group and then
// its mode, so nobody connects to it who may not connect later.
func listenUnix(path string, opts ListenOptions) (net.Listener, error) {
	if len(path) > maxSocketPath {
		return nil, pathTooLong(path)
	}
	l, err := openSocket(path, opts)
	if err != nil {
		return nil, fmt.Errorf("socket %s: %w", path, err)
	}
	return l, nil
}

func openSocket(path string, opts ListenOptions) (net.Listener, error) {
	gid, err := groupID(opts.Group)
	if err != nil {
		return nil, err
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	l, err := listenClosed(path)
	if err != nil {
		return nil, err
	}
	own, err := permit(path, gid, opts.mode())
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	l.SetUnlinkOnClose(false)
	return &ownListener{UnixListener: l, path: path, own: own}, nil
}

// listenClosed opens a socket to which nobody but root may connect.
func listenClosed(path string) (*net.UnixListener, error) {
	config := net.ListenConfig{Control: func(_, _ string, socket syscall.RawConn) error { return closeToAll(socket) }}
	l, err := config.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, err
	}
	return l.(*net.UnixListener), nil
}

func (o ListenOptions) mode() fs.FileMode {
	if o.Mode == 0 {
		return DefaultSocketMode
	}
	return o.Mode
}

// Adopt goes on with a listener that another process has opened by [Listen] at that address, and
// has left. Its socket gets group and mode again, for they may have changed.
func Adopt(l net.Listener, spec string, opts ListenOptions) (net.Listener, error) {
	network, path, err := ParseAddress(spec)
	if err != nil || network != "unix" {
		return l, err
	}
	unix, is := l.(*net.UnixListener)
	if !is {
		return nil, fmt.Errorf("socket %s: it is no unix socket", path)
	}
	gid, err := groupID(opts.Group)
	if err != nil {
		return nil, fmt.Errorf("socket %s: %w", path, err)
	}
	own, err := permit(path, gid, opts.mode())
	if err != nil {
		return nil, fmt.Errorf("socket %s: %w", path, err)
	}
	unix.SetUnlinkOnClose(false)
	return &ownListener{UnixListener: unix, path: path, own: own}, nil
}

// ownListener removes its socket when it closes, unless another program has put its own there
// meanwhile.
type ownListener struct {
	*net.UnixListener
	path string
	own  fs.FileInfo
	left atomic.Bool // another process goes on with the socket
}

// Leave says whether the socket stays when the listener closes: another process goes on with it.
func (l *ownListener) Leave(stays bool) { l.left.Store(stays) }

// Close ends accepting and removes the socket.
func (l *ownListener) Close() error {
	if now, err := os.Lstat(l.path); err == nil && !l.left.Load() && os.SameFile(l.own, now) {
		_ = os.Remove(l.path) // before closing: afterwards it might be a successor's
	}
	return l.UnixListener.Close()
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
