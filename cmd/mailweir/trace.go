package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"mailweir/internal/record"
)

func newTrace() *cobra.Command {
	var from, to string
	var asJSON bool
	var since, until *momentFlag
	cmd := &cobra.Command{
		Use:   "trace --to ADDRESS",
		Short: "Tell every attempt to reach a recipient, or of a sender",
		Long: `Tells every attempt that is in the record, the oldest first: what was accepted, refused, deferred and came again, and what the MTA itself
refused. Accepted means that mailweir let it pass; what happened to it afterwards stands in the mail log, and the last line says how to look there.

Exit code 0: all was searched, whether or not anything was found. 64: wrong use. 69: the record cannot be read. 78: the configuration is wrong.`,
		Example: `  mailweir trace --to=bob@example.org --since=2d
  mailweir trace --from=@example.net --to=bob@example.org`,
		Args: noArguments,
	}
	addSettings(cmd)
	shows(cmd, findsRecord)
	flags := cmd.Flags()
	flags.StringVar(&to, "to", "", "`ADDRESS` of the recipient, or @domain")
	flags.StringVar(&from, "from", "", "`ADDRESS` of the envelope sender, @domain or <>")
	since = addMoment(flags, "since", "2d", "from when: so long ago, a day or a time")
	until = addUntil(flags, "until", "", "up to when; a day counts whole")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		now := time.Now()
		q := record.Query{Sender: queryAddress(from), Recipient: queryAddress(to), Since: since.at(now), Until: until.at(now)}
		switch {
		case from == "" && to == "":
			return fail(exUsage, "give --to or --from, such as --to=bob@example.org")
		case !q.Until.IsZero() && !q.Since.Before(q.Until):
			return fail(exUsage, "--since=%s is not before --until=%s", since, until)
		}
		t, s, done, err := openTeller(cmd)
		if err != nil {
			return err
		}
		defer done()
		told, err := t.Trace(cmd.Context(), q, mailLog())
		if err != nil {
			return readFailed(err)
		}
		if s.daemon.record.accepted != record.AcceptedAll {
			told.Unseen = append(slices.Clone(told.Unseen), fmt.Sprintf("messages that were accepted, as far as --record-accepted=%s keeps none", s.daemon.record.accepted))
		}
		if asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(told)
		}
		return told.Write(cmd.OutOrStdout())
	}
	return cmd
}

// mailLog is where the MTA logs on this host, as far as that is a file.
func mailLog() string {
	for _, path := range [...]string{"/var/log/mail.log", "/var/log/maillog", "/var/log/mail/mail.log"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return "/var/log/mail.log"
}
