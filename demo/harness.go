package main

import (
	"fmt"
	"net"
	"os"
)

// harness lets an ordinary program use the testbed, which is written for tests:
// what a test would report goes to standard error, and a failure ends the
// program after its clean-up.
type harness struct{ cleanups []func() }

func (h *harness) Helper()      {}
func (h *harness) Name() string { return "demo" }

func (h *harness) Logf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}

func (h *harness) Errorf(format string, args ...any) { h.Logf(format, args...) }

func (h *harness) Fatalf(format string, args ...any) {
	h.Logf(format, args...)
	h.close()
	os.Exit(1)
}

// Skipf ends the program too: without a peer there is nothing to show.
func (h *harness) Skipf(format string, args ...any) { h.Fatalf(format, args...) }

func (h *harness) Cleanup(f func()) { h.cleanups = append(h.cleanups, f) }

// close undoes what was done, last things first.
func (h *harness) close() {
	for len(h.cleanups) > 0 {
		last := len(h.cleanups) - 1
		f := h.cleanups[last]
		h.cleanups = h.cleanups[:last]
		f()
	}
}

// freeAddress is an address of loopback with a port that nobody has just now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
