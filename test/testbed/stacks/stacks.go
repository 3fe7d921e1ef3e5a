// Package stacks lets a test see what the goroutines of a running program are doing. The testbed
// builds it into the mailweir that it tests, by main.txt beside the files of cmd/mailweir; the
// program that is installed does not have it.
package stacks

import (
	"net"
	"os"
	"runtime/pprof"
)

// Socket is the variable of the environment that names the unix socket to listen on.
const Socket = "TESTBED_STACKS"

// Serve writes the stacks of all goroutines to whoever connects to the socket, for as long as the
// process lives. It reports whether it does.
func Serve() bool {
	path := os.Getenv(Socket)
	if path == "" {
		return false
	}
	_ = os.Remove(path) // of the process before, where one hands over to another
	listener, err := net.Listen("unix", path)
	if err != nil {
		return false
	}
	go tell(listener)
	return true
}

func tell(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_ = pprof.Lookup("goroutine").WriteTo(conn, 2) // as in a panic; who asked may have gone
		_ = conn.Close()
	}
}
