package installed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"mailweir/test/testbed"
)

// Patience is the longest that a command may take in a machine. Installing packages is among them.
const Patience = 2 * time.Minute

// Result is what a command said and how it ended.
type Result struct {
	Stdout, Stderr string
	Exit           int
}

// String is all of it, for failed tests.
func (r Result) String() string { return fmt.Sprintf("%s%sexit status %d", r.Stdout, r.Stderr, r.Exit) }

// Run runs a command as root and returns what came of it, whatever that is.
func (m *Machine) Run(tb testbed.TB, command string, args ...string) Result {
	tb.Helper()
	result, err := m.run(command, args...)
	if err != nil {
		tb.Fatalf("%s %s: %v\n%s", command, strings.Join(args, " "), err, result)
	}
	return result
}

// Sh runs a script of sh(1) as Run does.
func (m *Machine) Sh(tb testbed.TB, script string) Result {
	tb.Helper()
	return m.Run(tb, "sh", "-c", script)
}

// Must runs a script of sh(1) that has to succeed, and returns its output.
func (m *Machine) Must(tb testbed.TB, script string) string {
	tb.Helper()
	result := m.Sh(tb, script)
	if result.Exit != 0 {
		tb.Fatalf("%s: %s", script, result)
	}
	return result.Stdout
}

// Write writes a file, and makes the directories above it.
func (m *Machine) Write(tb testbed.TB, name, text string, mode os.FileMode) {
	tb.Helper()
	m.write(tb, name, strings.NewReader(text), mode)
}

// Copy copies a file of the host into the machine.
func (m *Machine) Copy(tb testbed.TB, from, to string, mode os.FileMode) {
	tb.Helper()
	f, err := os.Open(from)
	if err != nil {
		tb.Fatalf("%v", err)
	}
	defer f.Close()
	m.write(tb, to, f, mode)
}

func (m *Machine) write(tb testbed.TB, name string, from io.Reader, mode os.FileMode) {
	tb.Helper()
	const script = `mkdir -p "$1" && cat >"$2.new" && chmod "$3" "$2.new" && mv "$2.new" "$2"`
	result, err := m.feed(from, "sh", "-c", script, "write", filepath.Dir(name), name, fmt.Sprintf("%o", mode.Perm()))
	if err != nil || result.Exit != 0 {
		tb.Fatalf("write %s: %v\n%s", name, err, result)
	}
}

// Read returns what is in a file.
func (m *Machine) Read(tb testbed.TB, name string) string {
	tb.Helper()
	result := m.Run(tb, "cat", name)
	if result.Exit != 0 {
		tb.Fatalf("%s", result)
	}
	return result.Stdout
}

// Journal returns the lines that a unit has written, or everybody, if it is "".
func (m *Machine) Journal(tb testbed.TB, unit string) string {
	tb.Helper()
	if unit == "" {
		return m.Must(tb, "journalctl --sync; journalctl --no-pager")
	}
	return m.Must(tb, "journalctl --sync; journalctl --no-pager --output=cat --unit="+unit)
}

// AwaitJournal waits until a unit writes a line that contains text, and returns the first one.
func (m *Machine) AwaitJournal(tb testbed.TB, unit, text string) string {
	tb.Helper()
	var found string
	err := testbed.Until(func() error {
		for line := range strings.Lines(m.Journal(tb, unit)) {
			if strings.Contains(line, text) {
				found = strings.TrimSpace(line)
				return nil
			}
		}
		return fmt.Errorf("the journal of %s has no %q", unit, text)
	})
	if err != nil {
		tb.Fatalf("%v\n%s", err, m.Journal(tb, unit))
	}
	return found
}

func (m *Machine) run(command string, args ...string) (Result, error) {
	return m.feed(nil, command, args...)
}

// feed runs a command with that standard input.
func (m *Machine) feed(stdin io.Reader, command string, args ...string) (Result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	enter := []string{"--target", fmt.Sprint(m.systemd), "--all", "--wdns=/", command}
	cmd := exec.CommandContext(ctx, "nsenter", append(enter, args...)...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"}
	cmd.WaitDelay = time.Second // what it has started may keep its output open
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	err := startIn(filepath.Join(m.cgroup, commands), cmd)
	if err == nil {
		err = cmd.Wait()
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("not done within %v", Patience)
	}
	result := Result{Stdout: stdout.String(), Stderr: stderr.String()}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		result.Exit, err = exit.ExitCode(), nil
	}
	return result, err
}
