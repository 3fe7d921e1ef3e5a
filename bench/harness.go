package main

import (
	"fmt"
	"os"
)

// harness lets an ordinary program use the testbed: what a test would report
// goes to standard error, and a failure ends the program after its clean-up.
type harness struct {
	parent   *harness // closed after this one; nil for the whole program
	cleanups []func()
	failed   bool
}

func (h *harness) Helper()      {}
func (h *harness) Name() string { return "bench" }

func (h *harness) Logf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}

func (h *harness) Errorf(format string, args ...any) {
	h.Logf(format, args...)
	for ; h != nil; h = h.parent {
		h.failed = true
	}
}

func (h *harness) Fatalf(format string, args ...any) {
	h.Errorf(format, args...)
	for ; h != nil; h = h.parent {
		h.close()
	}
	os.Exit(1)
}

// Skipf ends the program too: a bench with a part left out shows nothing.
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
