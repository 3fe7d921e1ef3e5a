package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

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
			s, err := readSettings(cmd)
			if err != nil {
				return err
			}
			return check(cmd.OutOrStdout(), s)
		},
	}
	addSettings(cmd)
	return cmd
}

func check(out io.Writer, s *settings) error {
	if err := s.daemon.validate(); err != nil {
		return &exitError{exConfig, err}
	}
	backends, err := emptyBackends(s.daemon)
	if err != nil {
		return &exitError{exConfig, err}
	}
	defer closeBackends(backends)
	p, err := s.draft.Build(backends, nil)
	if err != nil {
		return &exitError{exConfig, err}
	}
	defer p.Close()
	authRemarks, err := checkAuth(s)
	if err != nil {
		return &exitError{exConfig, err}
	}
	consoleRemarks, consoleFiles, err := checkConsole(s, backends)
	if err != nil {
		return &exitError{exConfig, err}
	}
	ctx, cancel := context.WithTimeout(context.Background(), inspectWithin)
	defer cancel()
	if s.onlyAuth() {
		if err := writeInspected(out, inspectAuth(ctx, s)); err != nil {
			return err
		}
		return writeRemarks(out, s, append(s.daemon.auth.remarks(), authRemarks...), nil)
	}
	table := terminal.NewTable(out, "CHECK", "MODE", "ON ERROR", "")
	for _, c := range p.Checks() {
		table.Row(c.Check.Name, stateMode(c), stateOnError(c), offText(c.Off))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if err := writeInspected(out, slices.Concat(p.Inspect(ctx), inspectAuth(ctx, s), inspectConsole(ctx, s), inspectRecord(ctx, s.daemon))); err != nil {
		return err
	}
	return writeRemarks(out, s, slices.Concat(p.Remarks(), s.ownRemarks(), authRemarks, consoleRemarks), slices.Concat(p.Files(), consoleFiles))
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
	if *s.daemon.state == autoState && stateSpec(autoState) == "memory:" {
		ends := "what is remembered ends with the process"
		if recordSpec(s.daemon) == noRecord {
			ends += ", and decisions are not recorded"
		}
		remarks = append(remarks, ends+": name --state=file:DIR")
	}
	return slices.Concat(remarks, s.recordRemarks(), s.daemon.placeRemarks())
}

// writeRemarks says what is allowed and yet likely not to be what the administrator expects. files
// are those that the service reads beside those of flags.
func writeRemarks(out io.Writer, s *settings, remarks, files []string) error {
	remarks = slices.Concat(remarks, s.unreadable(files), s.sourceRemarks())
	for _, r := range remarks {
		if _, err := fmt.Fprintln(out, "note:", config.Masked(r)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(out, "The configuration is valid.")
	return err
}

// quietLog is for commands that are not the daemon: only errors, on standard error.
func quietLog() *logrus.Logger {
	log := logrus.New()
	log.SetOutput(terminal.NewWriter(os.Stderr))
	log.SetLevel(logrus.ErrorLevel)
	return log
}
