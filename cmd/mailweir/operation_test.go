package main

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"mailweir/internal/admin"
	"mailweir/internal/policy"
)

// Every operation that is declared is a command with words of its own, or is for another program.
func TestOperations(t *testing.T) {
	_, draft := register(pflag.NewFlagSet("mailweir", pflag.ContinueOnError))
	root := newRoot("")
	seen := map[string]bool{}
	for _, g := range append(ownOperations(ownParts{}), draft.Operations()...) {
		for _, op := range g.Operations {
			path := admin.Path(g, op)
			if seen[path] {
				t.Errorf("%s is declared twice", path)
			}
			seen[path] = true
			cmd, rest, err := root.Find(strings.Split(path, "/"))
			found := err == nil && len(rest) == 0 && cmd != root
			if found == op.Hidden {
				t.Errorf("%s: hidden %t, and a command %t", path, op.Hidden, found)
				continue
			}
			if op.Hidden {
				continue
			}
			if op.Title == "" || strings.HasSuffix(op.Title, ".") || cmd.Short != op.Title {
				t.Errorf("%s has the title %q", path, op.Title)
			}
			for flag, want := range map[string]bool{"note": op.Effect != policy.Looks, "for": op.Effect == policy.Enters, "control": true} {
				if got := cmd.Flags().Lookup(flag) != nil; got != want {
					t.Errorf("%s: --%s is there: %t, want %t", path, flag, got, want)
				}
			}
		}
	}
	for _, path := range []string{"tempblock/add", "reload", "state/stats", admin.StateRead} {
		if !seen[path] {
			t.Errorf("%s is not declared", path)
		}
	}
}
