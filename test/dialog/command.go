package dialog

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"mailweir/test/testbed"
)

// command is one run-time command of a "command" section.
type command struct {
	line  int
	words []string
	shows []string // texts that its output must have
	code  int      // its exit code
}

// commands reads the body of a "command" section: a command a line, after it what must stand in its
// output, behind "> ", and its exit code, behind "? ", unless that is 0.
func (s *Section) commands() ([]command, error) {
	var list []command
	for _, line := range s.lines() {
		text, shown := strings.CutPrefix(line.Text, "> ")
		code, exits := strings.CutPrefix(line.Text, "? ")
		switch {
		case exits && len(list) > 0:
			var err error
			if list[len(list)-1].code, err = strconv.Atoi(code); err != nil {
				return nil, fmt.Errorf("%d: %q is no exit code", line.Number, code)
			}
		case !shown && !exits:
			list = append(list, command{line: line.Number, words: strings.Fields(text)})
		case len(list) == 0:
			return nil, fmt.Errorf("%d: output before any command", line.Number)
		default:
			last := &list[len(list)-1]
			last.shows = append(last.shows, text)
		}
	}
	return list, nil
}

// controlSocket is where mailweir takes run-time commands, if the dialog has any.
func (r *run) controlSocket() string { return "--control=unix:" + filepath.Join(r.dir, "control") }

// hasCommands tells whether the dialog has run-time commands.
func (s *Script) hasCommands() bool {
	for i := range s.Sections {
		manages := func(step Step) bool { return step.Kind == Manage }
		if s.Sections[i].Kind == "command" || slices.ContainsFunc(s.Sections[i].Steps, manages) {
			return true
		}
	}
	return false
}

// commands runs the run-time commands of a section.
func (r *run) commands(tb testbed.TB, s *Section) error {
	list, err := s.commands()
	if err != nil {
		return err
	}
	r.start(tb)
	for _, c := range list {
		if err := r.command(c); err != nil {
			return fmt.Errorf("line %d: %w", c.line, err)
		}
	}
	return nil
}

// command runs one run-time command.
func (r *run) command(c command) error {
	ctx, cancel := context.WithTimeout(context.Background(), testbed.Patience)
	defer cancel()
	var words []string
	for _, word := range c.words {
		words = append(words, r.withIDs(r.vars.Replace(word)))
	}
	run := exec.CommandContext(ctx, r.binary, append(words, r.controlSocket(), r.recordFlag())...)
	run.Dir, run.Env = r.dir, testbed.Environment()
	out, err := run.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) || run.ProcessState.ExitCode() != c.code {
		return fmt.Errorf("%s: %w, want exit code %d\n%s", strings.Join(words, " "), err, c.code, out)
	}
	for _, want := range c.shows {
		if !strings.Contains(string(out), r.withIDs(r.vars.Replace(want))) {
			return fmt.Errorf("%s: the output is without %q:\n%s", strings.Join(words, " "), want, out)
		}
	}
	return nil
}
