package testbed

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// noConfig keeps mailweir from reading the configuration of this machine.
const noConfig = "MAILWEIR_CONFIG="

// RaceOptions is the variable that takes from each program that the race detector watches the
// second that it would sleep at its end: tests start thousands. Whoever runs the tests may have set
// it to something else.
func RaceOptions() string {
	return "GORACE=" + cmp.Or(os.Getenv("GORACE"), "atexit_sleep_ms=10")
}

// Environment is a clean one for a mailweir, with what is given besides.
func Environment(more ...string) []string {
	return append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C", noConfig, RaceOptions()}, more...)
}

// BuildMailweir builds the mailweir of this source tree, with the race detector
// if the test has it, and returns the path of the program. Where it is started
// with the environment of the test, it has all of [Environment].
func BuildMailweir(tb TB) string {
	tb.Helper()
	for _, variable := range []string{noConfig, RaceOptions()} {
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
// source has changed: with the race detector that takes long. A test has it under a name of its
// own, whatever is linked meanwhile. In a tree that is somebody else's, it links its own.
func buildGo(tb TB, dir, program string, flags ...string) {
	tb.Helper()
	kind := "testbed"
	if raceEnabled {
		kind, flags = "testbed-race", append(flags, "-race")
	}
	root := ModuleRoot(tb)
	name, err := filepath.Rel(root, dir)
	if err != nil {
		tb.Fatalf("testbed: %v", err)
	}
	shared := filepath.Join(root, "bin", kind, name, "program")
	if linkShared(dir, shared, program, flags) == nil {
		return
	}
	if err := link(dir, program, flags); err != nil {
		tb.Fatalf("%v", err)
	}
}

// linkShared links the shared program and gives it another name, while nobody else does.
func linkShared(dir, shared, program string, flags []string) error {
	if err := os.MkdirAll(filepath.Dir(shared), 0o755); err != nil {
		return err
	}
	source, err := os.Open(dir) // whoever can read it can lock it, and nobody removes it
	if err != nil {
		return err
	}
	defer source.Close()
	if err := syscall.Flock(int(source.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	if err := link(dir, shared, flags); err != nil {
		return err
	}
	if os.Link(shared, program) == nil {
		return nil
	}
	// The temporary directory is on another file system.
	return exec.Command("cp", shared, program).Run()
}

func link(dir, program string, flags []string) error {
	cmd := exec.Command("go", append(append([]string{"build"}, flags...), "-o", program, ".")...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", dir, err, out)
	}
	return nil
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
