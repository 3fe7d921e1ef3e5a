package installed

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"mailweir/test/testbed"
)

// Cgroups of machines are called prefix, the process that made it, and a number.
const prefix = "mailweir-test."

// commands is the cgroup of what the test runs in a machine, below the machine's own: systemd
// keeps that one empty.
const commands = "commands"

// makeCgroup makes the cgroup of a machine. It removes those of runs that were killed.
func makeCgroup(in string) (string, error) {
	old, err := filepath.Glob(filepath.Join(in, prefix+"*"))
	if err != nil {
		return "", err
	}
	for _, dir := range old {
		owner, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), prefix), ".")
		pid, err := strconv.Atoi(owner)
		if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = removeAll(dir) // another run may do so, too
		}
	}
	dir, err := os.MkdirTemp(in, fmt.Sprintf("%s%d.", prefix, os.Getpid()))
	if err != nil {
		return "", err
	}
	return dir, os.Mkdir(filepath.Join(dir, commands), 0o755)
}

// removeCgroup removes the cgroup of a machine once the kernel has forgotten its processes.
func removeCgroup(dir string) error {
	return testbed.Until(func() error { return removeAll(dir) })
}

// removeAll removes a cgroup and those below it. Their files are the kernel's.
func removeAll(dir string) error {
	var dirs []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			dirs = append(dirs, path)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, path := range slices.Backward(dirs) {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

// startIn starts a command within a cgroup. It dies with the test.
func startIn(cgroup string, cmd *exec.Cmd) error {
	dir, err := os.Open(cgroup)
	if err != nil {
		return err
	}
	defer dir.Close()
	cmd.SysProcAttr = &syscall.SysProcAttr{
		UseCgroupFD: true, CgroupFD: int(dir.Fd()), Setpgid: true, Pdeathsig: syscall.SIGKILL,
	}
	return cmd.Start()
}
