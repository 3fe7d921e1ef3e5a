package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestHelpIsShort holds that the help of a command shows none of the policy's flags but those that
// it uses itself, and that none is left out of both its help and help flags.
func TestHelpIsShort(t *testing.T) {
	inGroup := make(map[string]string)
	for _, g := range flagGroups() {
		for _, f := range g.flags {
			if other, twice := inGroup[f.Name]; twice {
				t.Errorf("--%s is in the groups %s and %s", f.Name, other, g.name)
			}
			inGroup[f.Name] = g.name
		}
	}
	everyCommand(newRoot(""), func(cmd *cobra.Command) {
		shown := splitFlags(cmd)
		for _, f := range allOf(cmd.Flags()) {
			if shown.own.Lookup(f.Name) == nil && shown.find.Lookup(f.Name) == nil && inGroup[f.Name] == "" {
				t.Errorf("%s: neither its help nor help flags has --%s", cmd.CommandPath(), f.Name)
			}
		}
		var out bytes.Buffer
		cmd.SetOut(&out)
		if err := cmd.Help(); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(out.String(), "\n"); n > 65 {
			t.Errorf("the help of %s has %d lines", cmd.CommandPath(), n)
		}
	})
}
