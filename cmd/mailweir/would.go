package main

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mailweir/checks"
	"mailweir/internal/record/would"
)

func newWould() *cobra.Command {
	var names []string
	var asJSON bool
	var since *momentFlag
	cmd := &cobra.Command{
		Use:   "would",
		Short: "Tell what monitor mode would have refused, and how much of it was good",
		Long: `Weighs, with what the record shows, every mail that a check in monitor mode would have refused, deferred or changed. Each is counted under the
first of these that holds:

  kept out     it was refused anyway, for another reason
  likely good  a permit for the sender exists, which did not count; somebody permitted the sender by hand; a user wrote to the sender; it was
               deferred for another reason, tried again and accepted; later mail of that sender to that recipient was accepted, and no check
               objected. None of this holds where SPF fails for the sender.
  kept out     it was deferred for another reason, and did not come back; other checks refused mail of the client, and none of it was accepted
               without objection; other monitored checks objected, too
  not known    nothing speaks for or against it

It ends in one line a check: safe to enforce (over 7 days or more, of 200 would-be refusals or more, at most one in a thousand and one a day are
likely good), not yet (more are; ten examples stand above), or cannot tell yet. What is likely good is a hint, and so is what is not: look at the
examples with mailweir why. For greylisting, likely good mail would have come later, not never, where its server tries again.

Exit code 0: every check is safe to enforce. 1: one is not yet. 2: one cannot be told of yet, and none is not yet. 64: wrong use. 69: the record
cannot be read. 78: the configuration is wrong.`,
		Example: `  mailweir would
  mailweir would --since=14d --check=greylist`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := knownChecks(names); err != nil {
				return err
			}
			reader, done, err := openRecord(cmd)
			if err != nil {
				return err
			}
			defer done()
			now := time.Now()
			options := would.Options{Since: since.at(now), Until: now, Checks: names}
			if !options.Since.Before(now) {
				return fail(exUsage, "--since=%s is not in the past", since)
			}
			report, err := would.Look(cmd.Context(), reader, options)
			if err != nil {
				return &exitError{exUnavailable, recordError{err}}
			}
			return printWould(cmd.OutOrStdout(), report, asJSON)
		},
	}
	addSettings(cmd)
	shows(cmd, findsDaemon)
	since = addMoment(cmd.Flags(), "since", "7d", "from when on: so long ago, a day or a time")
	cmd.Flags().StringSliceVar(&names, "check", nil, "`CHECK` to tell of; may be given several times (default all that objected)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// knownChecks refuses a check that there is none of.
func knownChecks(names []string) error {
	var known []string
	for _, c := range checks.Registry().Checks {
		known = append(known, c.Name)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return fail(exUsage, "--check: there is no check %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

// printWould prints the report, and ends with its exit code.
func printWould(out io.Writer, report *would.Report, asJSON bool) error {
	write := report.Write
	if asJSON {
		write = func(out io.Writer) error {
			encoder := json.NewEncoder(out)
			encoder.SetIndent("", "  ")
			return encoder.Encode(report)
		}
	}
	if err := write(out); err != nil {
		return err
	}
	if code := report.ExitCode(); code != 0 {
		return &exitError{code: code}
	}
	return nil
}
