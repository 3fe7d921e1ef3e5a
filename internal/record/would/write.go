package would

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"mailweir/internal/terminal"
)

// Write writes the report for people: what is known of each check, then the notes, and at last one
// line a check that says whether to enforce it.
func (r *Report) Write(out io.Writer) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "would have been refused from %s to %s\n", terminal.Time(r.Since), terminal.Time(r.Until))
	for _, c := range r.Checks {
		if c.Total > 0 {
			fmt.Fprintln(w)
			if err := c.write(w); err != nil {
				return err
			}
		}
	}
	if len(r.Notes) > 0 {
		fmt.Fprintln(w)
	}
	for _, note := range r.Notes {
		fmt.Fprintln(w, "note:", note)
	}
	fmt.Fprintln(w)
	for _, c := range r.Checks {
		fmt.Fprintln(w, terminal.Text(c.Line()))
	}
	if len(r.Checks) == 0 {
		fmt.Fprintln(w, "cannot tell yet: no check in monitor mode objected to anything in this time")
	}
	return w.Flush()
}

// Line is the decision about the check in one line.
func (c *Check) Line() string {
	if c.Decision == NotYet {
		return fmt.Sprintf("%s: not yet, because %s", c.Name, c.Because)
	}
	return fmt.Sprintf("%s: %s: %s", c.Name, c.Decision, c.Because)
}

// write tells of one check.
func (c *Check) write(out io.Writer) error {
	fmt.Fprintf(out, "%s: %s in %s\n", terminal.Text(c.Name), c.kinds(), spanWords(c.Ended.Sub(c.Begun)))
	table := terminal.NewTable(out)
	for _, one := range []struct {
		title string
		Tally
	}{{"likely good", c.Good}, {"kept out", c.KeptOut}, {"not known", c.Unknown}} {
		table.Row("  "+one.title, group(one.N), "")
		for _, reason := range one.Reasons {
			table.Row("", group(reason.N), reason.Why)
		}
	}
	if err := table.Flush(); err != nil || len(c.Examples) == 0 {
		return err
	}
	fmt.Fprintln(out, "  likely good, for example (mailweir why ID tells more):")
	table = terminal.NewTable(out, "  ID", "TIME", "CLIENT", "SENDER", "RECIPIENT", "WHY")
	for _, x := range c.Examples {
		table.Row("  "+x.ID, terminal.Time(x.Time), x.Client, "<"+strings.Trim(x.Sender, "<>")+">", x.Recipient, x.Why)
	}
	return table.Flush()
}

// kinds says how many would-be refusals there were, and of what kind.
func (c *Check) kinds() string {
	var kinds []string
	for _, one := range []struct {
		n    int
		what string
	}{{c.Refuse, "refused"}, {c.Defer, "deferred"}, {c.Change, "changed"}} {
		if one.n > 0 {
			kinds = append(kinds, one.what+" "+group(one.n))
		}
	}
	return "would have " + strings.Join(kinds, ", ")
}
