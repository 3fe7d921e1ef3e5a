// Package installed starts whole Debian machines for tests: a bare Debian 12 with an MTA and
// nothing of ours, whose systemd runs as process 1 in namespaces of its own. What a test
// installs, edits or breaks there is gone with the machine.
//
// A machine has loopback alone. The networks of RFC 5737 (192.0.2.0/24, 198.51.100.0/24,
// 203.0.113.0/24) are its own, too, so that a client can come from any address of theirs.
package installed

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"mailweir/test/testbed"
)

// Machine is a running machine.
type Machine struct {
	systemd int       // its process 1, as it is numbered outside
	parent  *exec.Cmd // of systemd
	ended   chan struct{}
	cgroup  string // the directory of all its processes
	console *testbed.Log
}

// boot makes the mounts and becomes systemd.
//
//go:embed boot.sh
var boot string

// Boot starts a machine with the MTA of that name, "postfix" (as Debian has it, its smtpd in a
// chroot) or "sendmail", and returns when systemd says that everything is running. It ends with the
// test. The first machine of each kind takes half a minute more: its root is made, and kept.
func Boot(tb testbed.TB, mta string) *Machine {
	tb.Helper()
	testbed.Require(tb, "machine")
	cgroups, err := namespaces()
	if err != nil {
		testbed.Missing(tb, "no machine can run here: "+err.Error())
	}
	m, err := start(cgroups, root(tb, mta), testbed.TempDir(tb))
	if err != nil {
		tb.Fatalf("machine with %s: %v", mta, err)
	}
	tb.Cleanup(func() {
		if err := m.end(); err != nil {
			tb.Errorf("machine with %s: %v\n%s", mta, err, m.console)
		}
	})
	if err := m.awaitRunning(); err != nil {
		tb.Fatalf("machine with %s: %v\n%s", mta, err, m.console)
	}
	return m
}

// root is the directory of a bare Debian with that MTA.
func root(tb testbed.TB, mta string) string {
	tb.Helper()
	cmd := exec.Command(filepath.Join(testbed.ModuleRoot(tb), "test/installed/root.sh"), mta)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	dir, err := cmd.Output()
	if err != nil {
		tb.Fatalf("%s: %v\n%s", cmd, err, &complaints)
	}
	return strings.TrimSpace(string(dir))
}

// namespaces tells where cgroups of version 2 are, and whether root may make namespaces here.
func namespaces() (cgroups string, err error) {
	out, err := exec.Command("unshare", "--pid", "--fork", "--mount", "--uts", "--ipc", "--net", "--cgroup", "true").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("unshare: %w: %s", err, out)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 3 && f[2] == "cgroup2" && !strings.HasPrefix(f[3], "ro,") {
			return f[1], nil
		}
	}
	return "", errors.New("no cgroup2 is mounted")
}

// start starts systemd on an overlay over the directory lower. It is mounted at dir, where nobody
// but the machine sees it.
func start(cgroups, lower, dir string) (*Machine, error) {
	m := &Machine{ended: make(chan struct{}), console: new(testbed.Log)}
	var err error
	if m.cgroup, err = makeCgroup(cgroups); err != nil {
		return nil, err
	}
	m.parent = exec.Command("unshare", "--pid", "--mount", "--uts", "--ipc", "--net", "--cgroup", "--fork", "--kill-child",
		"--propagation", "private", "bash", "-ec", boot, dir, lower)
	m.parent.Stdout, m.parent.Stderr = m.console, m.console
	if err := startIn(m.cgroup, m.parent); err != nil {
		return nil, errors.Join(err, removeCgroup(m.cgroup))
	}
	go func() {
		_ = m.parent.Wait() // systemd is killed in the end
		close(m.ended)
	}()
	return m, nil
}

// awaitRunning waits until systemd has started what it is to start.
func (m *Machine) awaitRunning() error {
	var state string
	err := testbed.Until(func() error {
		select {
		case <-m.ended:
			return nil
		default:
		}
		if err := m.findSystemd(); err != nil {
			return err
		}
		answer, err := m.run("systemctl", "is-system-running", "--wait")
		state = strings.TrimSpace(answer.Stdout)
		if err == nil && (state == "" || state == "offline") {
			err = fmt.Errorf("systemd does not answer: %s", answer)
		}
		return err
	})
	select {
	case <-m.ended:
		return errors.New("ended before it was up")
	default:
	}
	if err == nil && state != "running" {
		failed, _ := m.run("sh", "-c", "systemctl --failed --no-pager; journalctl -b --no-pager -n 60")
		err = fmt.Errorf("systemd says %q\n%s", state, failed.Stdout)
	}
	return err
}

// findSystemd finds the one child of unshare, as soon as it has become systemd. Before that it
// may still have the root of the host.
func (m *Machine) findSystemd() error {
	parent := m.parent.Process.Pid
	children, err := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", parent))
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(children)))
	if err != nil {
		return fmt.Errorf("children of %d: %w", parent, err)
	}
	program, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return err
	}
	if filepath.Base(program) != "systemd" {
		return fmt.Errorf("process 1 is still %s", program)
	}
	m.systemd = pid
	return nil
}

// end ends the machine at once, as systemctl halt would, and removes what it has left.
func (m *Machine) end() error {
	const halt = syscall.Signal(34 + 4) // SIGRTMIN+4, see systemd(1)
	if m.systemd != 0 {
		_ = syscall.Kill(m.systemd, halt) // it may be gone
	} else {
		_ = m.parent.Process.Kill()
	}
	deadline := time.NewTimer(testbed.Patience)
	defer deadline.Stop()
	var late error
	select {
	case <-m.ended:
	case <-deadline.C:
		late = fmt.Errorf("did not end within %v", testbed.Patience)
		_ = m.parent.Process.Kill() // and its child with it
		<-m.ended
	}
	return errors.Join(late, removeCgroup(m.cgroup))
}
