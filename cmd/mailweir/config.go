package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mailweir/internal/config"
	"mailweir/internal/terminal"
)

func newConfig() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Print each effective value and where it comes from",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := readSettings(cmd)
			if err != nil {
				return err
			}
			table := terminal.NewTable(cmd.OutOrStdout(), "FLAG", "VALUE", "FROM")
			s.flags.VisitAll(func(f *pflag.Flag) {
				for i, value := range flagValues(f) {
					table.Row("--"+f.Name, cmp.Or(shown(f.Name, value), unset(f.Name)), s.sources.Of(f.Name, i))
				}
			})
			if err := table.Flush(); err != nil {
				return err
			}
			for _, u := range s.unknown {
				if _, err := fmt.Fprintln(cmd.OutOrStdout(), "note:", u); err != nil {
					return err
				}
			}
			return nil
		},
	}
	addSettings(cmd)
	return cmd
}

// shown is a value as it may be seen. A state that is not valid may have a password anywhere.
func shown(flag, value string) string {
	if flag == "state" && value != "" && validState(value) != nil {
		return "(not valid, so not shown; see mailweir check)"
	}
	if flag == "record" && (&recordFlags{where: &value}).validate() != nil {
		return "(not valid, so not shown; see mailweir check)"
	}
	if flag == "rbl-key" {
		value = config.MaskedKey(value)
	}
	return config.Masked(value)
}

// flagValues are the values of a flag, one for each time that a repeatable one is given.
func flagValues(f *pflag.Flag) []string {
	if list, ok := f.Value.(pflag.SliceValue); ok && len(list.GetSlice()) > 0 {
		return list.GetSlice()
	}
	return []string{strings.TrimSpace(f.Value.String())}
}
