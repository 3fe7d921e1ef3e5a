package main

import (
	"fmt"
	"io"
	"strings"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/terminal"
)

// printer is the form that the flags ask for.
func (f *eventsFlags) printer(out io.Writer) printer {
	switch {
	case f.asJSON:
		return jsonEvents{out}
	case f.asCSV:
		return &csvEvents{terminal.NewCSV(out, record.Columns()...)}
	}
	return textEvents{out}
}

// jsonEvents print one object a line, as the console's export does.
type jsonEvents struct{ out io.Writer }

func (p jsonEvents) flush() error { return nil }

func (p jsonEvents) print(e record.Entry) error {
	line, err := record.AppendJSON(nil, e)
	if err != nil {
		return err
	}
	_, err = p.out.Write(line)
	return err
}

// csvEvents print one row each, as the console's export does.
type csvEvents struct{ out *terminal.CSV }

func (p *csvEvents) flush() error { return p.out.Flush() }

func (p *csvEvents) print(e record.Entry) error {
	p.out.Row(e.Cells()...)
	return nil
}

func eventClient(e *policy.Event) string {
	if !e.Client.IsValid() {
		return ""
	}
	return e.Client.String()
}

func recipientsNamed(m *policy.Transaction) (list []string) {
	for _, r := range m.Recipients {
		list = append(list, r.Recipient)
	}
	return list
}

// textEvents print a line for each, for people.
type textEvents struct{ out io.Writer }

func (p textEvents) flush() error { return nil }

func (p textEvents) print(entry record.Entry) error {
	var head [5]string
	var rest string
	if e := entry.Event; e != nil {
		head = [...]string{terminal.Time(e.Time), e.ID, e.Action.String(), e.Check, eventClient(e)}
		rest = envelopeText(e.Sender, e.HasSender, e.Recipients, e.Count)
		if e.Dedup != nil {
			head[2] += fmt.Sprintf(" ×%d", e.Dedup.Times)
		}
		what := e.Line.String()
		if what == "" {
			what = strings.TrimSpace(e.Err + " " + e.Cause)
		}
		rest = strings.TrimSpace(rest + "  " + what)
	} else {
		m := entry.Message
		head = [...]string{terminal.Time(m.Ended), "-", m.Fate.String(), "-", ""}
		if m.Client.IsValid() {
			head[4] = m.Client.String()
		}
		rest = envelopeText(m.Sender, true, recipientsNamed(m), m.RecipientCount)
		if m.QueueID != "" {
			rest += "  queue id " + m.QueueID
		}
	}
	for i := range head {
		head[i] = terminal.Text(head[i])
	}
	_, err := fmt.Fprintf(p.out, "%-20s  %-11s  %-12s  %-14s  %-15s  %s\n", head[0], head[1], head[2], head[3], head[4], terminal.Text(rest))
	return err
}

// people is an envelope: <a> → <b> +3.
func envelopeText(from string, has bool, to []string, count int) string {
	text := ""
	if has {
		text = "<" + strings.Trim(from, "<>") + ">"
	}
	if len(to) == 0 {
		return text
	}
	text += " → <" + to[0] + ">"
	if more := max(count, len(to)) - 1; more > 0 {
		text += fmt.Sprintf(" +%d", more)
	}
	return text
}
