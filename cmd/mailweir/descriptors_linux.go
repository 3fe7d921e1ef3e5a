package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// descriptors is how many files and connections may be open in this process, and how many are.
func descriptors() (limit, open uint64) {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return 0, 0
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return r.Cur, 0
	}
	return r.Cur, uint64(len(entries))
}
