package backend

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"
)

// What those need who speak to a backend over connections of their own.

// Within ends reading and writing on a connection when the context ends, and not a moment before:
// who gets [os.ErrDeadlineExceeded] finds the context ended. The function that it returns takes the
// context off again: once that has returned, the context's end no longer touches the connection,
// which may be kept for somebody else.
func Within(ctx context.Context, conn net.Conn) (done func()) {
	_ = conn.SetDeadline(time.Time{}) // a connection that is closed says so soon
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = conn.SetDeadline(time.Unix(1, 0))
		close(ended)
	})
	return func() {
		if !stop() {
			<-ended
		}
	}
}

// Quiet reports whether nothing has come over a connection that was kept, nor its end. Where the
// other side has said more than it was asked, what comes next would be taken for the answer to
// another question; and where it has hung up, there would be none. The deadline that was set on it
// goes: one that is over would count as an answer. Of what is no socket it reports true.
func Quiet(conn net.Conn) bool {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := socket.SyscallConn()
	if err != nil || conn.SetDeadline(time.Time{}) != nil {
		return false
	}
	nothing := false
	err = raw.Read(func(fd uintptr) bool {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		nothing = errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR)
		return true
	})
	return err == nil && nothing
}
