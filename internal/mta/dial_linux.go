//go:build linux && (amd64 || arm64)

package mta

import (
	"context"
	"net"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// dialUnixAs connects in a thread that has the account's rights and ends with it.
func dialUnixAs(ctx context.Context, a Account, path string) (net.Conn, error) {
	if os.Geteuid() != 0 {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		r.err = As(a, func() (err error) {
			r.conn, err = connect(path)
			return err
		})
		done <- r
	}()
	select {
	case r := <-done:
		return r.conn, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// As calls f with the account's rights to files and sockets, in a thread that ends with it. Access
// control lists count as well. Only root can take on others' rights. Elsewhere than on Linux, f is
// called with the rights that the process has.
func As(a Account, f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: nobody else may come to run with these rights
		err := become(a)
		if err == nil {
			err = f()
		}
		done <- err
	}()
	return <-done
}

func become(a Account) error {
	groups := []uint32{uint32(a.GID)}
	for _, g := range a.Groups {
		groups = append(groups, uint32(g))
	}
	// The functions of package syscall would change every thread of the process.
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SETGROUPS, uintptr(len(groups)), uintptr(unsafe.Pointer(&groups[0])), 0); errno != 0 {
		return errno
	}
	_, _, _ = syscall.RawSyscall(syscall.SYS_SETFSGID, uintptr(a.GID), 0, 0)
	_, _, _ = syscall.RawSyscall(syscall.SYS_SETFSUID, uintptr(a.UID), 0, 0)
	return nil
}

func connect(path string) (net.Conn, error) {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	// To the kernel a connection stands as soon as it is queued; a full queue is EAGAIN where
	// nobody waits.
	_ = syscall.SetNonblock(fd, true)
	if err := syscall.Connect(fd, &syscall.SockaddrUnix{Name: path}); err != nil {
		_ = syscall.Close(fd)
		return nil, &net.OpError{Op: "dial", Net: "unix", Addr: &net.UnixAddr{Name: path, Net: "unix"}, Err: os.NewSyscallError("connect", err)}
	}
	file := os.NewFile(uintptr(fd), path)
	defer file.Close()
	return net.FileConn(file)
}
