package main

import (
	"encoding/json"
	"time"

	"github.com/spf13/cobra"

	"mailweir/internal/record/report"
)

func newReport() *cobra.Command {
	var since, until *momentFlag
	var top int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Add up what was accepted and refused, by what, and for whom",
		Long: `Goes through the record once and adds up accepted messages and decisions: by day, check, reply, net of the client (/24 or /64), domain of
the sender and of the recipient, login, and sender of outbound and internal mail. Decisions that the log tells of as one are counted each; how many
of those were about which of several clients, senders or recipients is not known: (various).

Of each kind the most frequent names are shown. There is room for 5,000 at once, so whoever has more than a 5,000th of all is there.

Exit code 0: all was added up. 64: wrong use. 69: the record cannot be read. 78: the configuration is wrong.`,
		Example: `  mailweir report --since=7d
  mailweir report --since=2026-11-01 --until=2026-11-30 --top=100 --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if top <= 0 {
				return fail(exUsage, "--top: %d rows are none", top)
			}
			now := time.Now()
			o := report.Options{Since: since.at(now), Until: until.at(now), Top: top}
			if err := spanIsOne(since, until, now); err != nil {
				return err
			}
			reader, done, err := openRecord(cmd)
			if err != nil {
				return err
			}
			defer done()
			r, err := report.Look(cmd.Context(), reader, o)
			if err != nil {
				return &exitError{exUnavailable, recordError{err}}
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
			}
			return r.Write(cmd.OutOrStdout())
		},
	}
	addSettings(cmd)
	shows(cmd, findsRecord)
	flags := cmd.Flags()
	since = addMoment(flags, "since", "30d", "from when: so long ago, a day or a time")
	until = addUntil(flags, "until", "", "up to when; a day counts whole")
	flags.IntVar(&top, "top", 20, "how many `N` rows of each kind are shown")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// spanIsOne refuses a span of time that ends before it begins.
func spanIsOne(since, until *momentFlag, now time.Time) error {
	from, to := since.at(now), until.at(now)
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		return fail(exUsage, "--since=%s is not before --until=%s", since, until)
	}
	return nil
}
