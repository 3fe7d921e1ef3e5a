package milter

import (
	"net"
	"syscall"
)

// acknowledgement returns a function that makes the kernel acknowledge at once what has arrived
// over TCP, and nil for other connections. Sendmail writes each packet separately, and its kernel
// holds the second small one back until the first is acknowledged (Nagle): without this every step
// of a session, and the content of a message, takes 40 ms more. The kernel forgets the setting, so
// it has to be renewed.
func acknowledgement(nc net.Conn) func() {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	set := func(fd uintptr) {
		// An error leaves the session slow, no more.
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
	}
	return func() { _ = raw.Control(set) }
}
