package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// stateRun is one process that makes decisions on the embedded store.
type stateRun struct {
	Name  string
	Dir   string
	Rows  int
	Flags []string // of the policy; without any it is the store alone
	Rate  int      // decisions a second
	For   time.Duration
	Tell  bool // prints what a kill is not to lose
}

// stateWorkers is how many sessions there are at once.
const stateWorkers = 16

// state measures decisions of greylisting on the embedded store, with that many triplets in it.
// Each run is a process of its own, so that its heap, its writing and its start are its own.
func (b *bench) state() error {
	dir, err := b.copiedState()
	if err != nil {
		return err
	}
	b.stateDir = dir
	fmt.Printf("Decisions of greylisting on the embedded store, %d triplets in it, 30 of 100 decisions about new ones, %d sessions at once:\n\n",
		b.stateRows, stateWorkers)
	row("decision", "ready after", "decisions/s", "p50", "p99", "p99.9", "longest", "begun late", "MB/s written", "heap", "CPU µs", "undecided")
	row("---", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:")
	const steady, burst = 5000, 50_000
	for _, r := range []stateRun{
		{Name: "the store alone", Rate: steady, For: b.stateFor},
		{Name: "greylisting, all other checks off", Flags: greylistingAlone(), Rate: steady, For: b.stateFor},
		{Name: "whole default policy", Flags: greylisting, Rate: steady, For: b.stateFor},
		{Name: "burst: the store alone", Rate: burst, For: 2 * time.Second},
		{Name: "burst: greylisting, all other checks off", Flags: greylistingAlone(), Rate: burst, For: 2 * time.Second},
		{Name: "burst: whole default policy", Flags: greylisting, Rate: burst, For: 2 * time.Second},
	} {
		if err := b.stateRow(r); err != nil {
			return err
		}
	}
	if strace, err := exec.LookPath("strace"); err != nil {
		fmt.Print("\nstrace is not installed, so a slow disk is left out (test/install.sh bench).\n")
	} else {
		// Only these system calls stop for strace; each returns five milliseconds late.
		slow := []string{strace, "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:delay_exit=5000"}
		r := stateRun{Name: "whole default policy, fsync 5 ms slower", Flags: greylisting, Rate: steady, For: b.stateFor}
		if err := b.stateRow(r, slow...); err != nil {
			return err
		}
	}
	fmt.Println()
	return b.kills()
}

// copiedState returns the directory of a store with the triplets, which may be changed: what a run
// leaves behind would be swept in the next one.
func (b *bench) copiedState() (string, error) {
	full, dir := filepath.Join(b.stateDir, "full"), filepath.Join(b.stateDir, "run")
	if err := fillState(full, b.stateRows); err != nil {
		return "", err
	}
	return dir, copyState(full, dir)
}

// stateRow runs one and prints it. under is what it runs under.
func (b *bench) stateRow(r stateRun, under ...string) error {
	r.Dir, r.Rows = b.stateDir, b.stateRows
	f, err := r.figures(under...)
	if err != nil {
		return err
	}
	row(r.Name, f.Ready.Round(time.Millisecond), fmt.Sprintf("%.0f", f.PerSecond), f.P50, f.P99, f.P999, f.Longest, f.Late,
		fmt.Sprintf("%.1f", f.WrittenPerSecond/1e6), mib(int(f.Heap>>10)), fmt.Sprintf("%.0f", f.CPU), f.Undecided)
	return nil
}

// figures are what it prints, in a process of its own.
func (r stateRun) figures(under ...string) (f stateFigures, err error) {
	cmd, err := r.command(under...)
	if err != nil {
		return f, err
	}
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &f)
	}
	if err != nil {
		return f, fmt.Errorf("%s: %w: %s", r.Name, err, out)
	}
	return f, nil
}

// command is this very program as that run.
func (r stateRun) command(under ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	task, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	words := append(under, self, "-state-run", string(task))
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // it holds the store
	return cmd, nil
}

// beStateRun does what command asks for.
func beStateRun(task string) {
	var r stateRun
	err := json.Unmarshal([]byte(task), &r)
	if err == nil {
		err = r.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
