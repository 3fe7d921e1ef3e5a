package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// limitDescriptors is "descriptors N": the daemon may open N more files than it has open, and no
// others.
func limitDescriptors(ts *testscript.TestScript, _ bool, args []string) {
	more, err := strconv.ParseUint(args[0], 10, 16)
	ts.Check(err)
	pid := (*theDaemon(ts)).command.Process.Pid
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	ts.Check(err)
	limit := unix.Rlimit{Cur: uint64(len(open)) + more, Max: uint64(len(open)) + more}
	ts.Check(unix.Prlimit(pid, unix.RLIMIT_NOFILE, &limit, nil))
}
