package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// commandUsage writes how a run-time command is used: its own flags first, then those that find the
// daemon and the state.
func commandUsage(cmd *cobra.Command) error {
	return writeUsage(cmd, "the daemon and the state", findFlags)
}

// recordUsage does so for a command that reads the record.
func recordUsage(cmd *cobra.Command) error {
	return writeUsage(cmd, "the record", append([]string{"record"}, findFlags...))
}

// writeUsage writes the command's own flags first, and then those that find what it works on.
func writeUsage(cmd *cobra.Command, what string, finding []string) error {
	serves := pflag.NewFlagSet("mailweir", pflag.ContinueOnError)
	register(serves)
	own, find := pflag.NewFlagSet("own", pflag.ContinueOnError), pflag.NewFlagSet("find", pflag.ContinueOnError)
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		served := serves.Lookup(f.Name)
		switch {
		case slices.Contains(finding, f.Name):
			find.AddFlag(f)
		case served == nil, served.Usage != f.Usage:
			own.AddFlag(f)
		}
	})
	out := cmd.OutOrStderr()
	fmt.Fprintf(out, "Usage:\n  %s\n", cmd.UseLine())
	if cmd.HasExample() {
		fmt.Fprintf(out, "\nExamples:\n%s\n", cmd.Example)
	}
	_, err := fmt.Fprintf(out, "\nFlags:\n%s\nFlags that find %s:\n%s\nThe other flags of mailweir serve are accepted as well; mailweir serve --help lists them.\n",
		own.FlagUsages(), what, find.FlagUsages())
	return err
}
