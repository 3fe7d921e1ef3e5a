package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// hideMemory keeps what the process knows in the process: no core dump, and no other process of the
// same user may look into it (prctl(2), PR_SET_DUMPABLE).
func hideMemory() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl(PR_SET_DUMPABLE): %w", err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("setrlimit(RLIMIT_CORE): %w", err)
	}
	return nil
}
