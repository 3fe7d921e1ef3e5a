package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"

	"mailweir/internal/config"
	"mailweir/internal/policy"
	"mailweir/internal/runner"
	"mailweir/internal/terminal"
)

func newCheck() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Validate a configuration, and say what is off and why",
		Long: `Builds the policy as serve would and changes nothing. Errors name file and line, or the flag; the exit code
is then 78 (EX_CONFIG). What mail would be asked about outside, such as directories and scanners, is asked once whether it
answers; that it does not is a note, and no error.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return check(cmd.OutOrStdout(), resolveAll(originOf(cmd)))
		},
	}
	addSettings(cmd)
	return cmd
}

// checked is a configuration that the milter would start with, and what there is to say of it.
type checked struct {
	backends *policy.Backends
	policy   *runner.Policy
	// remarks are those about logins and the console; files are what the console reads.
	remarks, files []string
}

// newChecked builds the policy as the daemon would.
func newChecked(s *settings) (*checked, error) {
	process := s.daemon.validate()
	backends, err := emptyBackends(s.daemon)
	if err != nil {
		return nil, errors.Join(process, err)
	}
	p, err := s.draft.Build(backends, nil)
	if process != nil && err == nil {
		p.Close()
	}
	if err := errors.Join(process, err); err != nil {
		_ = closeBackends(backends) // they remember nothing
		return nil, err
	}
	return &checked{backends: backends, policy: p}, nil
}

func (c *checked) close() {
	c.policy.Close()
	_ = closeBackends(c.backends) // they remember nothing
}

// others finds what mailweir auth and the console would not start with.
func (c *checked) others(s *settings) error {
	auth, wrong := checkAuth(s)
	console, files, err := checkConsole(s, c.backends)
	c.remarks, c.files = slices.Concat(auth, console), files
	return errors.Join(wrong, err)
}

// lookAtPolicy finds what is wrong with what the milter is started with.
func lookAtPolicy(s *settings) error {
	c, err := newChecked(s)
	if err == nil {
		c.close()
	}
	return err
}

// lookAtAll finds what is wrong with a configuration.
func lookAtAll(s *settings) error {
	c, err := newChecked(s)
	if err != nil {
		return err
	}
	defer c.close()
	return c.others(s)
}

func check(out io.Writer, s *settings) error {
	s.findCredentials()
	if len(s.found.Wrong) > 0 {
		return &exitError{exConfig, s.mistakes(nil, lookAtAll)}
	}
	c, err := newChecked(s)
	if err != nil {
		return &exitError{exConfig, s.mistakes(err, lookAtAll)}
	}
	defer c.close()
	if err := c.others(s); err != nil {
		return &exitError{exConfig, s.mistakes(err, lookAtAll)}
	}
	ctx, cancel := context.WithTimeout(context.Background(), inspectWithin)
	defer cancel()
	if s.onlyAuth() {
		if err := writeInspected(out, inspectAuth(ctx, s)); err != nil {
			return err
		}
		return writeRemarks(out, s, append(s.daemon.auth.remarks(), c.remarks...), nil)
	}
	table := terminal.NewTable(out, "CHECK", "MODE", "ON ERROR", "")
	for _, state := range c.policy.Checks() {
		table.Row(state.Check.Name, stateMode(state), stateOnError(state), offText(state.Off))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if err := writeInspected(out, slices.Concat(c.policy.Inspect(ctx), inspectAuth(ctx, s), inspectConsole(ctx, s), inspectRecord(ctx, s.daemon))); err != nil {
		return err
	}
	return writeRemarks(out, s, slices.Concat(c.policy.Remarks(), s.ownRemarks(), s.orderRemarks(ctx), c.remarks), slices.Concat(c.policy.Files(), c.files))
}

func stateMode(c runner.CheckState) string {
	if c.Off != "" {
		return policy.Off.String()
	}
	return c.Mode.String()
}

func stateOnError(c runner.CheckState) string {
	if c.OnError == policy.Fails || c.Off != "" {
		return "-"
	}
	return c.OnError.String()
}

func offText(why string) string {
	if why == "" {
		return ""
	}
	return "off: " + why
}

// ownRemarks are those about the process.
func (s *settings) ownRemarks() (remarks []string) {
	if remark := s.daemon.forgets(); remark != "" {
		remarks = append(remarks, remark)
	}
	return slices.Concat(remarks, s.daemon.openRemarks(), s.recordRemarks(), s.daemon.placeRemarks())
}

// writeRemarks says what is allowed and yet likely not to be what the administrator expects. files
// are those that the service reads beside those of flags.
func writeRemarks(out io.Writer, s *settings, remarks, files []string) error {
	remarks = slices.Concat(remarks, s.rights(files), s.sourceRemarks())
	for _, r := range remarks {
		if _, err := fmt.Fprintln(out, "note:", config.Masked(r)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "%s\nThe configuration is valid.\n", strings.Join(s.read(), "\n"))
	return err
}

// read says what the flags have been read from besides the command line.
func (s *settings) read() (lines []string) {
	for _, name := range s.found.Files {
		lines = append(lines, "read: "+name)
	}
	if len(s.found.Variables) > 0 {
		lines = append(lines, "read: the variables "+strings.Join(s.found.Variables, ", "))
	}
	if len(s.found.Files) == 0 {
		none := "no file of flags was read"
		if s.found.File != "" {
			none += ": there is no " + s.found.File
		}
		lines = append(lines, none)
	}
	return lines
}

// quietLog is for commands that are not the daemon: only errors, on standard error.
func quietLog() *logrus.Logger {
	log := logrus.New()
	log.SetOutput(terminal.NewWriter(os.Stderr))
	log.SetLevel(logrus.ErrorLevel)
	return log
}
