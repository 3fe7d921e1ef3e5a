package milter

import (
	"net"
	"syscall"
)

// hungUp reports whether the peer has closed the connection and left nothing to read. It does not
// wait, and where it cannot be told it says no.
func hungUp(nc net.Conn) (is bool) {
	socket, ok := nc.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	var one [1]byte
	_ = raw.Control(func(fd uintptr) { // an error leaves it untold
		n, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		is = err == syscall.ECONNRESET || err == nil && n == 0
	})
	return is
}
