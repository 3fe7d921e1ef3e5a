package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mailweir/internal/config"
)

// finding is what a command needs to find by flags of serve.
type finding string

const (
	findsConfig finding = "the configuration"
	findsDaemon finding = "the daemon and the state"
	findsRecord finding = "the record"
)

// flags are those by which it is found.
func (f finding) flags() []string {
	switch f {
	case findsDaemon:
		return findFlags
	case findsRecord:
		return append([]string{"record"}, findFlags...)
	default:
		return []string{config.FileFlag, config.DirFlag}
	}
}

// Annotations of a command: what it finds, and the flags of serve that are its own business.
const (
	findsWhat = "finds"
	usesFlags = "uses"
)

// shows says which of the flags of serve that a command takes its help shows: those by which it
// finds something, and those that it uses itself. Without it, they are those that find the
// configuration.
func shows(cmd *cobra.Command, finds finding, uses ...string) {
	annotate(cmd, findsWhat, string(finds))
	annotate(cmd, usesFlags, strings.Join(uses, " "))
}

// shownFlags are the flags of a command as its help shows them.
type shownFlags struct {
	own, find *pflag.FlagSet
	finds     finding
	others    bool // it takes flags of serve that are not shown
}

func splitFlags(cmd *cobra.Command) shownFlags {
	s := shownFlags{
		own: pflag.NewFlagSet("own", pflag.ContinueOnError), find: pflag.NewFlagSet("find", pflag.ContinueOnError),
		finds: findsConfig,
	}
	if what := cmd.Annotations[findsWhat]; what != "" {
		s.finds = finding(what)
	}
	find, uses := s.finds.flags(), strings.Fields(cmd.Annotations[usesFlags])
	serves := pflag.NewFlagSet("mailweir", pflag.ContinueOnError)
	register(serves)
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		served := serves.Lookup(f.Name)
		switch {
		case served == nil, served.Usage != f.Usage, slices.Contains(uses, f.Name):
			s.own.AddFlag(f)
		case slices.Contains(find, f.Name):
			s.find.AddFlag(f)
		default:
			s.others = true
		}
	})
	return s
}

// writeUsage writes how a command is used: its own flags first, then those by which it finds what
// it works on. All others are left to mailweir help flags.
func writeUsage(cmd *cobra.Command) error {
	out := cmd.OutOrStderr()
	writeSynopsis(out, cmd)
	s := splitFlags(cmd)
	if s.own.HasAvailableFlags() {
		fmt.Fprintf(out, "\nFlags:\n%s", s.own.FlagUsages())
	}
	if s.find.HasAvailableFlags() {
		fmt.Fprintf(out, "\nFlags that find %s:\n%s", s.finds, s.find.FlagUsages())
	}
	switch {
	case s.others:
		fmt.Fprint(out, "\nIt takes all other flags of the configuration, too; mailweir help flags lists them.\n")
	case cmd.HasAvailableSubCommands():
		fmt.Fprintf(out, "\n%s COMMAND --help tells more about a command.\n", cmd.CommandPath())
	}
	return nil
}

// writeSynopsis writes the forms of a command, examples, and the commands below it.
func writeSynopsis(out io.Writer, cmd *cobra.Command) {
	fmt.Fprintln(out, "Usage:")
	below := cmd.HasAvailableSubCommands()
	if !below || cmd.Flags().Lookup(config.FileFlag) != nil {
		fmt.Fprintf(out, "  %s\n", cmd.UseLine())
	}
	if below {
		fmt.Fprintf(out, "  %s COMMAND\n", cmd.CommandPath())
	}
	if cmd.HasExample() {
		fmt.Fprintf(out, "\nExamples:\n%s\n", strings.TrimRight(cmd.Example, "\n"))
	}
	if !below {
		return
	}
	fmt.Fprint(out, "\nAvailable Commands:\n")
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() || c.Name() == "help" {
			fmt.Fprintf(out, "  %-*s %s\n", c.NamePadding(), c.Name(), c.Short)
		}
	}
}
