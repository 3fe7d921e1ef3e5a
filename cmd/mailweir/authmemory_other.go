//go:build !linux

package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// hideMemory keeps what the process knows out of core dumps. Who else may look into a process of
// the same user is the system's business here.
func hideMemory() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("setrlimit(RLIMIT_CORE): %w", err)
	}
	return nil
}
