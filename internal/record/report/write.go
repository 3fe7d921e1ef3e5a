package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"mailweir/internal/terminal"
)

// Write prints the report for people.
func (r *Report) Write(out io.Writer) error {
	fmt.Fprintf(out, "mail %s\n\n", span(r.Since, r.Until))
	fmt.Fprintf(out, "%s accepted; %s refused, %s deferred; in monitor mode %s would have been refused; %s others\n",
		count(r.Total.Accepted, "message"), count(r.Total.Refused, "decision"), number(r.Total.Deferred), number(r.Total.Would), number(r.Total.Other))
	for _, note := range r.Notes {
		fmt.Fprintln(out, "note:", terminal.Text(note))
	}
	if err := r.writeDays(out); err != nil {
		return err
	}
	for _, list := range []struct {
		title, of string
		List
	}{
		{"BY CHECK", "CHECK", r.Checks},
		{"BY REPLY", "CODE", r.Codes},
		{"BY CLIENT", "NET", r.Clients},
		{"BY DOMAIN OF THE SENDER", "DOMAIN", r.SenderDomains},
		{"BY DOMAIN OF THE RECIPIENT", "DOMAIN", r.RecipientDomains},
		{"BY LOGIN", "LOGIN", r.Logins},
		{"BY SENDER, OF OUTBOUND AND INTERNAL MAIL", "SENDER", r.Senders},
	} {
		if err := list.write(out, list.title, list.of); err != nil {
			return err
		}
	}
	return nil
}

// span is the time of the report in words.
func span(since, until time.Time) string {
	switch {
	case since.IsZero() && until.IsZero():
		return "of the whole record"
	case until.IsZero():
		return "since " + terminal.Time(since)
	case since.IsZero():
		return "until " + terminal.Time(until)
	}
	return "from " + terminal.Time(since) + " until " + terminal.Time(until)
}

func (r *Report) writeDays(out io.Writer) error {
	if len(r.Days) == 0 {
		return nil
	}
	fmt.Fprintf(out, "\nBY DAY (UTC)\n")
	days := make([]Row, len(r.Days))
	for i, d := range r.Days {
		days[i] = Row{Name: d.Date, Tally: d.Tally}
	}
	return writeRows(out, "DAY", days)
}

func (l List) write(out io.Writer, title, of string) error {
	if len(l.Rows) == 0 {
		return nil
	}
	fmt.Fprintf(out, "\n%s\n", title)
	if err := writeRows(out, of, l.Rows); err != nil {
		return err
	}
	switch {
	case l.Full:
		fmt.Fprintf(out, "at least %s more; there were too many to count them all, a row with + may have had more\n", number(l.More))
	case l.More > 0:
		fmt.Fprintf(out, "%s more (--top)\n", number(l.More))
	}
	return nil
}

// columns are those of a tally.
var columns = [...]struct {
	title string
	of    func(Tally) int
}{
	{"ACCEPTED", func(t Tally) int { return t.Accepted }},
	{"REFUSED", func(t Tally) int { return t.Refused }},
	{"DEFERRED", func(t Tally) int { return t.Deferred }},
	{"WOULD", func(t Tally) int { return t.Would }},
	{"OTHER", func(t Tally) int { return t.Other }},
}

// writeRows prints the columns in which there is anything.
func writeRows(out io.Writer, of string, rows []Row) error {
	titles := []string{of}
	var shown []func(Tally) int
	for _, c := range columns {
		if slices.ContainsFunc(rows, func(r Row) bool { return c.of(r.Tally) != 0 }) {
			titles, shown = append(titles, c.title), append(shown, c.of)
		}
	}
	table := terminal.NewTable(out, titles...)
	for _, r := range rows {
		name := r.Name
		if r.Lacks > 0 {
			name += " +"
		}
		cells := []any{name}
		for _, of := range shown {
			cells = append(cells, cell(of(r.Tally)))
		}
		table.Row(cells...)
	}
	return table.Flush()
}

// cell is a number, or a sign that there is none.
func cell(n int) string {
	if n == 0 {
		return "-"
	}
	return number(n)
}

// count is a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return number(n) + " " + thing + "s"
}

// number has a comma after each three digits.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
