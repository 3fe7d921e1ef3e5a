package main

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mailweir/checks"
	"mailweir/internal/policy"
	"mailweir/internal/record"
)

func newEvents() *cobra.Command {
	f := &eventsFlags{}
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Search the record of decisions",
		Long: `Prints recorded decisions, the oldest first: refused, deferred and changed mail, and what monitored checks would have done. --accepted
adds the messages that were accepted. All conditions must hold; of one that is given several times, one must.

An address is user@example.org, or a domain: @example.org; <> is the null sender. With --json one object a line, with --csv one row: times are
RFC 3339 in UTC, and names and order of the columns stay the same within one version, which each row names.

--follow goes on with what is decided from now on, by the control socket of the daemon, and waits for a daemon that restarts.

Exit code 0: all was searched, whether or not anything was found. 64: wrong use. 69: the record cannot be read. 78: the configuration is wrong.`,
		Example: `  mailweir events --since=2d --to=bob@example.org
  mailweir events --check=greylist --code=4xx --csv >greylisted.csv
  mailweir events --follow --check='!rbl'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runEvents(cmd, f) },
	}
	addSettings(cmd)
	shows(cmd, findsRecord)
	f.register(cmd)
	return cmd
}

// eventsFlags are what is searched for.
type eventsFlags struct {
	since, until                      *momentFlag
	client, from, to, code, login     string
	messageID, queueID, session, host string
	text                              string
	checks, ids, actions              []string
	accepted, follow, asJSON, asCSV   bool
	limit                             int
}

func (f *eventsFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	f.since = addMoment(flags, "since", "", "from when: so long ago, a day or a time (default 24h, with --id, --message-id, --queue-id or --session everything)")
	f.until = addUntil(flags, "until", "", "up to when; a day counts whole")
	flags.StringVar(&f.client, "client", "", "`NET` or address of the client")
	flags.StringVar(&f.from, "from", "", "`ADDRESS` of the envelope sender, @domain or <>")
	flags.StringVar(&f.to, "to", "", "`ADDRESS` of a recipient, or @domain")
	flags.StringSliceVar(&f.checks, "check", nil, "`CHECK` that decided; !CHECK for any other")
	flags.StringSliceVar(&f.actions, "action", nil, "`ACTION`: "+strings.Join(actionNames(), ", "))
	flags.StringVar(&f.code, "code", "", "reply `CODE`, or a class such as 5xx")
	flags.StringSliceVar(&f.ids, "id", nil, "`ID` of the event")
	flags.StringVar(&f.login, "login", "", "`USER` that authenticated")
	flags.StringVar(&f.messageID, "message-id", "", "Message-`ID` of the message")
	flags.StringVar(&f.queueID, "queue-id", "", "queue `ID` that the MTA gave the message")
	flags.StringVar(&f.session, "session", "", "`ID` of one connection")
	flags.StringVar(&f.host, "host", "", "`HOST` of mailweir")
	flags.StringVar(&f.text, "text", "", "`TEXT` in addresses, names, cause, reply, subject or names of attachments")
	flags.BoolVar(&f.accepted, "accepted", false, "accepted messages, too")
	flags.BoolVar(&f.follow, "follow", false, "go on with what is decided from now on")
	flags.IntVar(&f.limit, "limit", 0, "only the newest `N`, 0 for all")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON, one object a line")
	flags.BoolVar(&f.asCSV, "csv", false, "print CSV")
}

// actionNames are the actions of decisions.
func actionNames() (names []string) {
	for a := policy.ActionRefused; a <= policy.ActionNoted; a++ {
		names = append(names, a.String())
	}
	return names
}

// eventsPage is how many entries are in memory at once.
const eventsPage = 1000

// query is what the flags ask for.
func (f *eventsFlags) query(now time.Time) (record.Query, error) {
	q := record.Query{
		Since: f.since.at(now), Until: f.until.at(now), Sender: queryAddress(f.from), Recipient: queryAddress(f.to), Login: f.login,
		MessageID: f.messageID, QueueID: f.queueID, Session: f.session, Host: f.host, Text: f.text, IDs: f.ids, Code: strings.ToLower(f.code), Kind: record.Decisions,
		Limit: eventsPage,
	}
	named := len(f.ids) > 0 || f.messageID != "" || f.queueID != "" || f.session != ""
	if q.Since.IsZero() && !named {
		q.Since = now.Add(-24 * time.Hour).UTC()
	}
	switch {
	case f.asJSON && f.asCSV:
		return q, fail(exUsage, "give one of --json and --csv")
	case f.limit < 0:
		return q, fail(exUsage, "--limit: %d rows are none", f.limit)
	case !q.Until.IsZero() && !q.Since.Before(q.Until):
		return q, fail(exUsage, "--since=%s is not before --until=%s", f.since, f.until)
	case f.follow && !q.Until.IsZero():
		return q, fail(exUsage, "--follow has no end, so it goes without --until")
	case q.Code != "" && !validCode(q.Code):
		return q, fail(exUsage, "--code: %q is neither a reply code such as 550 nor a class such as 5xx", f.code)
	}
	var err error
	if q.Client, err = clientNet(f.client); err != nil {
		return q, err
	}
	if q.Checks, q.NotChecks, err = checkNames(f.checks); err != nil {
		return q, err
	}
	if q.Actions, err = readActions(f.actions); err != nil {
		return q, err
	}
	if f.accepted {
		q.Kind, q.Fates = record.AnyKind, []policy.Fate{policy.Accepted}
		if len(q.Actions) == 0 {
			q.Actions, _ = readActions(actionNames())
		}
	}
	return q, nil
}

// envelope is an address as a query has it: a domain alone gets its @.
func queryAddress(text string) string {
	if text == "" || text == "<>" || strings.Contains(text, "@") || !strings.Contains(text, ".") {
		return text
	}
	return "@" + text
}

func validCode(code string) bool {
	if len(code) != 3 || code[0] < '2' || code[0] > '5' {
		return false
	}
	return code[1:] == "xx" || strings.Trim(code, "0123456789") == ""
}

func clientNet(text string) (netip.Prefix, error) {
	if text == "" {
		return netip.Prefix{}, nil
	}
	if a, err := netip.ParseAddr(text); err == nil {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	net, err := netip.ParsePrefix(text)
	if err != nil {
		return net, fail(exUsage, "--client: %q is neither an address nor a net such as 192.0.2.0/24", text)
	}
	return net.Masked(), nil
}

// checkNames tells the checks that are wanted from those that are not, and knows each.
func checkNames(list []string) (wanted, unwanted []string, err error) {
	known := func(name string) bool {
		return slices.ContainsFunc(checks.Registry().Checks, func(c *policy.Check) bool { return c.Name == name })
	}
	for _, name := range list {
		bare, not := strings.CutPrefix(name, "!")
		switch {
		case !known(bare):
			return nil, nil, fail(exUsage, "--check: there is no check %q; mailweir replies lists them", bare)
		case not:
			unwanted = append(unwanted, bare)
		default:
			wanted = append(wanted, bare)
		}
	}
	return wanted, unwanted, nil
}

func readActions(names []string) (list []policy.Action, err error) {
	for _, name := range names {
		var a policy.Action
		if a.UnmarshalText([]byte(strings.ReplaceAll(name, "-", "_"))) != nil {
			return nil, fail(exUsage, "--action: %q is none of %s", name, strings.Join(actionNames(), ", "))
		}
		list = append(list, a)
	}
	return list, nil
}

func runEvents(cmd *cobra.Command, f *eventsFlags) error {
	q, err := f.query(time.Now())
	if err != nil {
		return err
	}
	out := f.printer(cmd.OutOrStdout())
	if f.follow {
		return followEvents(cmd, f, q, out)
	}
	reader, done, err := openRecord(cmd)
	if err != nil {
		return err
	}
	defer done()
	if _, err := printEvents(cmd.Context(), reader, q, f.limit, out); err != nil {
		return err
	}
	return out.flush()
}

// printEvents prints what a query finds, the oldest first, and returns the position of the last
// entry. It keeps one page in memory, of as many entries as the query says.
func printEvents(ctx context.Context, reader record.Reader, q record.Query, limit int, out printer) (record.Position, error) {
	var last record.Position
	if limit > 0 {
		before, err := newest(ctx, reader, q, limit)
		if err != nil || before == 0 {
			return 0, err
		}
		q.After = before - 1
	}
	q.Forward = true
	for {
		page, err := reader.Search(ctx, q)
		if err != nil {
			return last, readFailed(err)
		}
		for _, entry := range page.Entries {
			last = entry.Position
			if err := out.print(entry); err != nil {
				return last, err
			}
		}
		if err := out.flush(); err != nil || !page.More {
			return last, err
		}
		if !further(&q, page) {
			return last, fail(exUnavailable, "the record gave up the search at %s; take a shorter time", page.Reached.UTC().Format(time.RFC3339))
		}
	}
}

// further moves a query behind a page, and reports whether that gets it any further.
func further(q *record.Query, page record.Page) bool {
	moved := false
	if n := len(page.Entries); n > 0 {
		q.After, moved = page.Entries[n-1].Position, true
	}
	if reached := record.PositionAt(page.Reached) - 1; !page.Reached.IsZero() && reached > q.After { // it had no more time
		q.After, moved = reached, true
	}
	return moved
}

// newest is the position of the oldest of so many entries, 0 where there is none.
func newest(ctx context.Context, reader record.Reader, q record.Query, limit int) (oldest record.Position, err error) {
	most := q.Limit
	for limit > 0 {
		q.Limit = min(limit, most)
		page, err := reader.Search(ctx, q)
		if err != nil {
			return 0, readFailed(err)
		}
		moved := false
		if n := len(page.Entries); n > 0 {
			oldest = page.Entries[n-1].Position
			q.Before, limit, moved = oldest, limit-n, true
		}
		if reached := record.PositionAt(page.Reached); !page.Reached.IsZero() && (q.Before == 0 || reached < q.Before) {
			q.Before, moved = reached, true
		}
		if !page.More || !moved {
			break
		}
	}
	return oldest, nil
}

// printer prints entries in one of the forms.
type printer interface {
	print(record.Entry) error
	flush() error
}
