package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
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
		Long: `Prints every flag with its value and the place that gives it: FILE:LINE, the name of a variable, "flag" for the command line, or
"default". Where another place says something else of it, which does not count, that stands behind it.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := readSettings(cmd)
			if err != nil {
				return err
			}
			return writeConfig(cmd.OutOrStdout(), s)
		},
	}
	addSettings(cmd)
	return cmd
}

func writeConfig(out io.Writer, s *settings) error {
	table := terminal.NewTable(out, "FLAG", "VALUE", "FROM")
	for _, v := range s.effective() {
		from := v.From
		if len(v.Hides) > 0 {
			from += " (hides " + strings.Join(v.Hides, ", ") + ")"
		}
		table.Row(v.Flag, v.Value, from)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, note := range s.sourceRemarks() {
		if _, err := fmt.Fprintln(out, "note:", config.Masked(note)); err != nil {
			return err
		}
	}
	return nil
}

// effectiveValue is one value that is in force, as it may be seen.
type effectiveValue struct {
	Flag, Value, From string
	// Hides are the places that say something else of the flag, which does not count.
	Hides []string
}

// effective are the values of every flag.
func (s *settings) effective() (all []effectiveValue) {
	s.flags.VisitAll(func(f *pflag.Flag) {
		hidden := s.hidden(f.Name)
		for i, value := range flagValues(f) {
			v := effectiveValue{Flag: "--" + f.Name, Value: s.cameTo(f.Name, cmp.Or(shown(f.Name, value), unset(f.Name))), From: s.found.Of(f.Name, i), Hides: hidden}
			if mode, ok := s.draft.DefaultMode(f); ok {
				v.Value, v.From = mode.String(), s.found.Of("default-mode", 0)+" (--default-mode)"
			}
			all, hidden = append(all, v), nil
		}
	})
	return all
}

// cameTo is a value with what it stands for on this host.
func (s *settings) cameTo(flag, value string) string {
	came := ""
	switch {
	case flag == "state" && value == autoState:
		came = stateSpec(value)
	case flag == "record" && value == autoRecord:
		came = recordSpec(s.daemon)
	case flag == "dns" && value == defaultDNS:
		servers, err := dnsServers(nil)
		if came = strings.Join(servers, ", "); err != nil {
			came = "none there"
		}
	case flag == "config" && value == "" && s.found.File != "":
		came = "there is no " + s.found.File
	}
	if came == "" {
		return value
	}
	return strings.TrimSpace(value + " (" + shown(flag, came) + ")")
}

// hidden are the places that say something of a flag and do not count.
func (s *settings) hidden(flag string) (places []string) {
	for _, setting := range s.found.Settings(flag) {
		if !setting.Wins && setting.Value != "" {
			places = append(places, setting.String())
		}
	}
	return places
}

// sourceRemarks are about what is read and most likely not what was meant.
func (s *settings) sourceRemarks() []string {
	remarks := slices.Clone(s.found.Remarks)
	for _, u := range s.found.Unknown {
		remarks = append(remarks, u.String())
	}
	return remarks
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
