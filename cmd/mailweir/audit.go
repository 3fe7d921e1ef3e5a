package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/terminal"
)

func newAudit() *cobra.Command {
	var since, until *momentFlag
	var q record.ChangeQuery
	var limit int
	var asJSON, asCSV bool
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show who has changed what at run time",
		Long: `Prints what people have changed, or tried to, by commands and in the console, the oldest first: when, who, from where, what, why, until when,
with what was before and after; of a policy that came into force which checks judge by other settings than before. It stands in the record as long as decisions do (--record-for), and in the log.

With --json one object a line, with --csv one row, times as of RFC 3339 in UTC.

Exit code 0: all was searched, whether or not anything was found. 64: wrong use. 69: the record cannot be read. 78: the configuration is wrong.`,
		Example: `  mailweir audit --since=7d --by=root
  mailweir audit --operation=managed --csv >managed.csv`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			now := time.Now()
			q.Since, q.Until = since.at(now), until.at(now)
			switch {
			case asJSON && asCSV:
				return fail(exUsage, "give one of --json and --csv")
			case limit < 0:
				return fail(exUsage, "--limit: %d rows are none", limit)
			}
			if err := spanIsOne(since, until, now); err != nil {
				return err
			}
			q.Operation = strings.Trim(strings.Join(strings.Fields(q.Operation), "/"), "/")
			reader, done, err := openRecord(cmd)
			if err != nil {
				return err
			}
			defer done()
			changes, err := readChanges(cmd.Context(), reader, q, limit)
			if err != nil {
				return &exitError{exUnavailable, recordError{err}}
			}
			return writeChanges(cmd.OutOrStdout(), changes, asJSON, asCSV)
		},
	}
	addSettings(cmd)
	shows(cmd, findsRecord)
	flags := cmd.Flags()
	since = addMoment(flags, "since", "30d", "from when: so long ago, a day or a time")
	until = addUntil(flags, "until", "", "up to when; a day counts whole")
	flags.StringVar(&q.By, "by", "", "`USER` who did it")
	flags.StringVar(&q.Operation, "operation", "", "`COMMAND`, such as tempblock/add, or a group of them, such as tempblock")
	flags.StringVar(&q.Text, "text", "", "`TEXT` in what was done, why, or by whom")
	flags.IntVar(&limit, "limit", 10_000, "only the newest `N`, 0 for all")
	flags.BoolVar(&asJSON, "json", false, "print JSON, one object a line")
	flags.BoolVar(&asCSV, "csv", false, "print CSV")
	return cmd
}

// readChanges reads page by page what is asked for, the oldest first; limit 0 is all of it.
func readChanges(ctx context.Context, r record.Reader, q record.ChangeQuery, limit int) (changes []record.Change, err error) {
	for limit == 0 || len(changes) < limit {
		q.Limit = record.MaxLimit
		if limit > 0 {
			q.Limit = min(q.Limit, limit-len(changes))
		}
		page, err := r.Changes(ctx, q)
		if err != nil {
			return nil, err
		}
		changes = append(changes, page...)
		if len(page) < q.Limit {
			break
		}
		q.Before = page[len(page)-1].Position
	}
	slices.Reverse(changes)
	return changes, nil
}

// changeColumns are the columns of CSV. Others may be added at the end.
var changeColumns = []string{"version", "time", "operation", "by", "uid", "from", "why", "until", "changes", "error", "host"}

// changeVersion is the version of a row, in CSV and JSON.
const changeVersion = 1

func writeChanges(out io.Writer, changes []record.Change, asJSON, asCSV bool) error {
	switch {
	case asJSON:
		rows := json.NewEncoder(out)
		for _, c := range changes {
			if err := rows.Encode(struct {
				Version int `json:"version"`
				record.Change
			}{changeVersion, c}); err != nil {
				return err
			}
		}
		return nil
	case asCSV:
		rows := terminal.NewCSV(out, changeColumns...)
		for _, c := range changes {
			until := ""
			if !c.Until.IsZero() {
				until = c.Until.UTC().Format(time.RFC3339)
			}
			rows.Row(changeVersion, c.Time.UTC().Format(time.RFC3339Nano), c.Operation, c.Name, c.UID, c.From, c.Why, until, alterationTexts(c.Changes), c.Err, c.Host)
		}
		return rows.Flush()
	}
	table := terminal.NewTable(out, "TIME", "WHO", "FROM", "WHAT", "CHANGED", "WHY", "UNTIL")
	for _, c := range changes {
		what := c.Operation
		if c.Err != "" {
			what += " (failed: " + c.Err + ")"
		}
		until := ""
		if !c.Until.IsZero() {
			until = terminal.Time(c.Until)
		}
		table.Row(terminal.Time(c.Time), personText(c.Person), c.From, what, changedText(c), c.Why, until)
	}
	return table.Flush()
}

// personText is a name, and the number of a user of the host.
func personText(p policy.Person) string {
	if p.UID < 0 { // a login of the console, or mailweir itself
		return p.Name
	}
	return fmt.Sprintf("%s (%d)", p.Name, p.UID)
}

// widestChange bounds a cell of the table in octets.
const widestChange = 240

// clipped is a text of the table; --json and --csv have all of it.
func clipped(text string) string {
	if len(text) <= widestChange {
		return text
	}
	end := strings.LastIndex(text[:widestChange], "; ")
	if end < 0 {
		return text
	}
	left := strings.Count(text[end+2:], "; ") + 1
	return fmt.Sprintf("%s; and %d more (--json)", text[:end], left)
}

// changedText is what a person reads of a change: a policy has a digest for every check, which are
// for programs.
func changedText(c record.Change) string {
	if text, ok := c.Loaded(); ok {
		return text
	}
	return clipped(alterationTexts(c.Changes))
}

// alterationTexts says in one line what was changed.
func alterationTexts(list []policy.Alteration) string {
	texts := make([]string, len(list))
	for i, a := range list {
		texts[i] = a.What + ": " + orWord(a.Before, "none") + " → " + orWord(a.After, "none")
	}
	return strings.Join(texts, "; ")
}

func orWord(s, word string) string {
	if s == "" {
		return word
	}
	return s
}
