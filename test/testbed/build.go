package testbed

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	// noConfig keeps mailweir from reading the configuration of this machine.
	noConfig = "MAILWEIR_CONFIG="
	// endsAtOnce takes from each program that the race detector watches the second that it would
	// sleep at its end. Tests start thousands.
	endsAtOnce = "GORACE=atexit_sleep_ms=10"
)

// Environment is a clean one for a mailweir, with what is given besides.
func Environment(more ...string) []string {
	return append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C", noConfig, endsAtOnce}, more...)
}

// BuildMailweir builds the mailweir of this source tree, with the race detector
// if the test has it, and returns the path of the program. Where it is started
// with the environment of the test, it has all of [Environment].
func BuildMailweir(tb TB) string {
	tb.Helper()
	for _, variable := range []string{noConfig, endsAtOnce} {
		name, value, _ := strings.Cut(variable, "=")
		if err := os.Setenv(name, value); err != nil {
			tb.Fatalf("%v", err)
		}
	}
	dir, program := filepath.Join(ModuleRoot(tb), "cmd/mailweir"), filepath.Join(TempDir(tb), "mailweir")
	more := map[string]string{filepath.Join(dir, "stacks_testbed.go"): filepath.Join(ModuleRoot(tb), "test/testbed/stacks/main.txt")}
	text, err := json.Marshal(map[string]any{"Replace": more})
	if err == nil {
		err = os.WriteFile(overlay(program), text, 0o644)
	}
	if err != nil {
		tb.Fatalf("testbed: %v", err)
	}
	buildGo(tb, dir, program, "-overlay="+overlay(program))
	return program
}

// overlay names the file that has a program built with one file more, by which it tells of its
// goroutines (package stacks).
func overlay(program string) string { return program + ".overlay" }

// BuildGo builds the Go command in the directory dir and returns the path of
// the program.
func BuildGo(tb TB, dir string) string {
	tb.Helper()
	program := filepath.Join(TempDir(tb), filepath.Base(dir))
	buildGo(tb, dir, program)
	return program
}

// buildGo links a program once for all tests of this tree, below bin, and again only when its
// source has changed: with the race detector that takes long. A test has it
// under a name of its own, whatever is linked meanwhile.
func buildGo(tb TB, dir, program string, flags ...string) {
	tb.Helper()
	kind := "testbed"
	if raceEnabled {
		kind, flags = "testbed-race", append(flags, "-race")
	}
	shared := filepath.Join(ModuleRoot(tb), "bin", kind, filepath.Base(dir))
	if err := os.MkdirAll(filepath.Dir(shared), 0o755); err != nil {
		tb.Fatalf("testbed: %v", err)
	}
	defer lockFile(tb, shared+".lock")()
	cmd := exec.Command("go", append(append([]string{"build"}, flags...), "-o", shared, ".")...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("go build %s: %v\n%s", dir, err, out)
	}
	if os.Link(shared, program) == nil {
		return
	}
	// The temporary directory is on another file system.
	if out, err := exec.Command("cp", shared, program).CombinedOutput(); err != nil {
		tb.Fatalf("testbed: %v\n%s", err, out)
	}
}

// lockFile waits until no other process has the file locked, and returns how to unlock it.
func lockFile(tb TB, name string) (unlock func()) {
	tb.Helper()
	lock, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		tb.Fatalf("testbed: %v", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		tb.Fatalf("testbed: %v", err)
	}
	return func() { _ = lock.Close() }
}

// BuildNoop compiles the libmilter filter that does nothing, the yardstick of
// the bench, and returns the path of the program.
func BuildNoop(tb TB) string {
	tb.Helper()
	Require(tb, "cc")
	program := filepath.Join(TempDir(tb), "noop")
	cmd := exec.Command("gcc", "-O2", "-Wall", "-o", program,
		filepath.Join(ModuleRoot(tb), "bench/noop/noop.c"), "-lmilter", "-lpthread")
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return program
}

// StartNoop starts the program of BuildNoop at the path of a unix socket, or at a HOST:PORT.
// With the argument "end" it asks for nothing but the end of each message.
func StartNoop(tb TB, program, at string, args ...string) *Process {
	tb.Helper()
	spec := "unix:" + at
	host, port, err := net.SplitHostPort(at)
	if err == nil {
		spec = "inet:" + port + "@" + host
	}
	p := start(tb, exec.Command(program, append([]string{spec}, args...)...))
	if err := untilOr(p.done, func() error { return Negotiate(at) }); err != nil {
		tb.Fatalf("noop: %v\n%s", err, p.Log)
	}
	if err == nil {
		return p
	}
	// libmilter makes its socket for its own user alone.
	if err := os.Chmod(at, 0o660); err != nil {
		tb.Fatalf("noop: %v", err)
	}
	return p
}

// ModuleRoot is the directory of go.mod, above the current directory.
func ModuleRoot(tb TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatalf("testbed: %v", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			tb.Fatalf("testbed: no go.mod above the current directory")
		}
		dir = parent
	}
}
