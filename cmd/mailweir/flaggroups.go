package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"mailweir/checks"
	"mailweir/checks/auth"
	"mailweir/internal/policy"
	"mailweir/internal/runner"
)

// flagGroup are the flags of serve about one thing.
type flagGroup struct {
	// name is what mailweir help flags calls it: a part of the program, or a check.
	name, title string
	// check is nil for what belongs to none.
	check *policy.Check
	flags []*pflag.Flag
}

// flagGroups are all flags of serve, each in one group: the process, its record and console, what
// all checks share, and the checks in the order in which they are declared. The flags of mailweir
// auth stand with its check.
func flagGroups() []flagGroup {
	record, console := pflag.NewFlagSet("record", pflag.ContinueOnError), pflag.NewFlagSet("console", pflag.ContinueOnError)
	registerRecord(policy.NewFlags(record, ""))
	registerConsole(policy.NewFlags(console, ""))
	registry := checks.Registry()
	draft := runner.NewDraft(registry, pflag.NewFlagSet("mailweir", pflag.ContinueOnError))
	groups := []flagGroup{
		{name: "process", title: "where it listens, remembers and logs", flags: without(serveFlags(), allOf(record), allOf(console))},
		{name: "record", title: "the record of decisions", flags: allOf(record)},
		{name: "console", title: "the console", flags: allOf(console)},
		{name: "policy", title: "what all checks share", flags: draft.Flags("")},
	}
	for _, c := range registry.Checks {
		own := draft.Flags(c.Name)
		if c == auth.Check {
			own = slices.Concat(own, loginFlags())
		}
		groups = append(groups, flagGroup{name: c.Name, title: c.Title, check: c, flags: own})
	}
	return groups
}

// loginFlags are those of mailweir auth.
func loginFlags() []*pflag.Flag {
	set := pflag.NewFlagSet("auth", pflag.ContinueOnError)
	registerAuth(policy.NewFlags(set, ""))
	return allOf(set)
}

// serveFlags are those of the process that mailweir serve is, its record and its console; not
// those of mailweir auth.
func serveFlags() []*pflag.Flag {
	set := pflag.NewFlagSet("process", pflag.ContinueOnError)
	registerDaemon(set)
	return without(allOf(set), loginFlags())
}

// allOf are the flags of a set, by name.
func allOf(set *pflag.FlagSet) []*pflag.Flag {
	var flags []*pflag.Flag
	set.VisitAll(func(f *pflag.Flag) { flags = append(flags, f) })
	return flags
}

func flagNames(flags []*pflag.Flag) []string {
	names := make([]string, len(flags))
	for i, f := range flags {
		names[i] = f.Name
	}
	return names
}

// without are flags that are in none of the others, by name.
func without(flags []*pflag.Flag, others ...[]*pflag.Flag) []*pflag.Flag {
	apart := flagNames(slices.Concat(others...))
	return slices.DeleteFunc(flags, func(f *pflag.Flag) bool { return slices.Contains(apart, f.Name) })
}

// set is the group as a set, which knows how flags are written in a help text.
func (g flagGroup) set() *pflag.FlagSet {
	set := pflag.NewFlagSet(g.name, pflag.ContinueOnError)
	set.SortFlags = false
	for _, f := range g.flags {
		set.AddFlag(f)
	}
	return set
}

// helpFlags writes the flags of serve, of the groups that are named or of all of them.
func helpFlags(out io.Writer, names []string) error {
	groups := flagGroups()
	known := make([]string, len(groups))
	for i, g := range groups {
		known[i] = g.name
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return fail(exUsage, "there are no flags of %q; there are those of %s", name, strings.Join(known, ", "))
		}
	}
	if len(names) == 0 {
		fmt.Fprintln(out, "The flags of mailweir serve. Every command that goes by them takes them, too. mailweir help flags NAME shows one part.")
		names = known
		fmt.Fprintln(out)
	}
	for i, name := range names {
		if i > 0 {
			fmt.Fprintln(out)
		}
		g := groups[slices.Index(known, name)]
		fmt.Fprintf(out, "%s (%s)\n%s", g.name, g.title, g.set().FlagUsages())
	}
	return nil
}
