// Command mailweir is a policy milter for Postfix and Sendmail.
package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"mailweir/internal/config"
	"mailweir/internal/terminal"
)

// version is set by the build.
var version = "dev"

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr, usualConfig))
}

// usualConfig is the file that is read where it exists and no other one is named.
const usualConfig = "/etc/mailweir/mailweir.conf"

// run carries a command out and returns its exit code. Nothing is printed that a terminal would
// obey. usual is the file of flags where no other one is named, "" for none.
func run(args []string, stdout, stderr io.Writer, usual string) int {
	out, errs := terminal.NewWriter(stdout), terminal.NewWriter(stderr)
	root := newRoot(usual)
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errs)
	err := errors.Join(root.Execute(), out.Close(), errs.Close())
	if err == nil {
		return 0
	}
	exit := asExit(err)
	switch {
	case exit.err == nil:
	case exit.code == exConfig: // it begins with FILE:LINE where there is one, as editors look for it
		fmt.Fprintln(errs, config.Masked(exit.err.Error()))
	default:
		fmt.Fprintf(errs, "mailweir: %s\n", config.Masked(exit.err.Error()))
	}
	return exit.code
}

// asExit gives an error without an exit code one: what could not be written, else wrong usage,
// which is how cobra says it.
func asExit(err error) *exitError {
	var exit *exitError
	var output *fs.PathError
	switch {
	case errors.As(err, &exit):
		return exit
	case errors.As(err, &output):
		return &exitError{exIOErr, err}
	}
	return &exitError{exUsage, err}
}

// Exit codes of sysexits(3).
const (
	exUsage       = 64 // the command was used wrongly
	exDataErr     = 65 // an input file is malformed
	exNoInput     = 66 // an input file cannot be read
	exUnavailable = 69 // something that is needed is not there
	exSoftware    = 70 // a defect
	exIOErr       = 74 // what is to be printed cannot be written
	exTempFail    = 75 // trying again later may do
	exNoPerm      = 77 // this user may not do that
	exConfig      = 78 // the configuration is wrong
)

// exitError is an error with the code to exit with; without err nothing more is said.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// fail returns err with an exit code.
func fail(code int, format string, args ...any) error {
	return &exitError{code, fmt.Errorf(format, args...)}
}
