// Package mta runs the programs of a mail server, to read how it is set up. What their output means
// is known to mta/postfix and mta/sendmail.
package mta

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Output is what a program has written.
type Output struct {
	Stdout string
	// Stderr has its warnings, if it has succeeded.
	Stderr string
}

// Run runs a program with its arguments and a standard input, and returns what it has written. The
// error is a [ProgramError], or [exec.ErrNotFound] where there is no such program.
type Run func(ctx context.Context, stdin string, argv ...string) (Output, error)

// Path is where programs are looked for, whatever the caller's own path is: those of mail servers
// are not on that of every user.
const Path = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"

// mostOutput bounds what is kept of a program's output, in octets.
const mostOutput = 16 << 20

// ProgramError is that of a program that could not be run, has failed, or took too long.
type ProgramError struct {
	Argv []string
	// Said is what it has written to standard error.
	Said string
	Err  error
}

func (e *ProgramError) Error() string {
	text := strings.Join(e.Argv, " ") + ": " + e.Err.Error()
	if said := strings.TrimSpace(e.Said); said != "" {
		text += ": " + said
	}
	return text
}

func (e *ProgramError) Unwrap() error { return e.Err }

// Programs returns a Run that gives each program so long, then kills it. env is added to an
// environment that has nothing but [Path] and the C locale, so that messages are in English.
func Programs(deadline time.Duration, env ...string) Run {
	env = append([]string{"PATH=" + Path, "LC_ALL=C"}, env...)
	return func(ctx context.Context, stdin string, argv ...string) (Output, error) {
		ctx, cancel := context.WithTimeout(ctx, deadline)
		defer cancel()
		program, err := find(argv[0])
		if err != nil {
			return Output{}, &ProgramError{Argv: argv, Err: err}
		}
		cmd := exec.CommandContext(ctx, program, argv[1:]...)
		cmd.Env = env
		cmd.Stdin = strings.NewReader(stdin)
		// A child of the program may keep its output open after it was killed.
		cmd.WaitDelay = time.Second
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = bounded{&stdout}, bounded{&stderr}
		err = cmd.Run()
		if ctx.Err() != nil {
			err = fmt.Errorf("does not end: %w", context.Cause(ctx))
		}
		if err != nil {
			return Output{}, &ProgramError{Argv: argv, Said: stderr.String(), Err: err}
		}
		return Output{Stdout: stdout.String(), Stderr: stderr.String()}, nil
	}
}

// find looks for a program in [Path].
func find(name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, dir := range filepath.SplitList(Path) {
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found, nil
		}
	}
	return "", exec.ErrNotFound
}

// errTooMuch ends a program whose output has no end.
var errTooMuch = errors.New("its output has no end")

// bounded is a buffer that takes so much and no more.
type bounded struct{ *bytes.Buffer }

func (b bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > mostOutput {
		return 0, errTooMuch
	}
	return b.Buffer.Write(p)
}

// ReadFrom would take all of it.
func (b bounded) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{b}, r)
}
