package testbed

import (
	"fmt"
	"os"
)

// Program is the [TB] of an ordinary program, such as the bench and the demo: what a test would
// report goes to standard error, and a failure ends the program after its clean-up. Whoever makes
// one closes it.
type Program struct {
	name     string
	parent   *Program // closed after this one; nil for the whole program
	cleanups []func()
	failed   bool
}

// NewProgram returns the TB of the whole program.
func NewProgram(name string) *Program { return &Program{name: name} }

// Part returns the TB of a part of the program, which is closed before the whole.
func (p *Program) Part() *Program { return &Program{name: p.name, parent: p} }

// Helper does nothing: there is no line to report.
func (p *Program) Helper() {}

// Name is the program's.
func (p *Program) Name() string { return p.name }

// Logf writes to standard error.
func (p *Program) Logf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}

// Errorf reports what is wrong and goes on.
func (p *Program) Errorf(format string, args ...any) {
	p.Logf(format, args...)
	for ; p != nil; p = p.parent {
		p.failed = true
	}
}

// Failed tells whether anything has been reported as wrong.
func (p *Program) Failed() bool { return p.failed }

// Fatalf reports what is wrong, cleans up and ends the program.
func (p *Program) Fatalf(format string, args ...any) {
	p.Errorf(format, args...)
	for ; p != nil; p = p.parent {
		p.Close()
	}
	os.Exit(1)
}

// Skipf ends the program, too: without a peer there is nothing to show.
func (p *Program) Skipf(format string, args ...any) { p.Fatalf(format, args...) }

// Cleanup has f called by Close.
func (p *Program) Cleanup(f func()) { p.cleanups = append(p.cleanups, f) }

// Close undoes what was done, last things first.
func (p *Program) Close() {
	for len(p.cleanups) > 0 {
		last := len(p.cleanups) - 1
		f := p.cleanups[last]
		p.cleanups = p.cleanups[:last]
		f()
	}
}
