package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/terminal"
)

// printer is the form that the flags ask for.
func (f *eventsFlags) printer(out io.Writer) printer {
	switch {
	case f.asJSON:
		return jsonEvents{json.NewEncoder(out)}
	case f.asCSV:
		return &csvEvents{terminal.NewCSV(out, eventColumns[:]...)}
	}
	return textEvents{out}
}

// jsonEvents print one object a line: that of policy.Event or policy.Transaction, and its kind.
type jsonEvents struct{ out *json.Encoder }

func (p jsonEvents) flush() error { return nil }

func (p jsonEvents) print(e record.Entry) error {
	if e.Event != nil {
		return p.out.Encode(struct {
			Kind string `json:"kind"`
			*policy.Event
		}{"decision", e.Event})
	}
	return p.out.Encode(struct {
		Kind string `json:"kind"`
		*policy.Transaction
	}{"message", e.Message})
}

// eventColumns are the columns of CSV under policy.EventVersion. Others may be added at the end; one
// that goes or changes its meaning makes another version.
var eventColumns = [...]string{
	"version", "time", "kind", "id", "action", "check", "mode", "stage", "code", "enhanced", "text", "cause", "client", "client_name",
	"helo", "login", "sender", "recipients", "recipient_count", "direction", "service", "queue_id", "message_id", "from", "subject",
	"octets", "session", "transaction", "host", "times",
}

type csvEvents struct{ out *terminal.CSV }

func (p *csvEvents) flush() error { return p.out.Flush() }

func (p *csvEvents) print(entry record.Entry) error {
	if e := entry.Event; e != nil {
		p.out.Row(e.Version, eventStamp(e.Time), "decision", e.ID, e.Action, e.Check, e.Mode, e.Stage, eventCode(e.Line), e.Line.Enhanced(), e.Line.Text(), e.Cause,
			eventClient(e), e.ClientName, e.Helo, e.Login, eventSender(e.Sender, e.HasSender), strings.Join(e.Recipients, " "), max(e.Count, len(e.Recipients)),
			e.Direction, e.Service, e.QueueID, e.MessageID, e.From, e.Subject, e.Octets, e.Session, e.Transaction, e.Host, eventTimes(e))
		return nil
	}
	m := entry.Message
	address := ""
	if m.Client.IsValid() {
		address = m.Client.String()
	}
	p.out.Row(m.Version, eventStamp(m.Ended), "message", m.Event, m.Fate, m.Check, "", "", "", "", "", "",
		address, m.ClientName, m.Helo, m.Login, eventSender(m.Sender, true), strings.Join(recipientsNamed(m), " "), m.RecipientCount,
		messageDirection(m), m.Service, m.QueueID, m.MessageID, m.From, m.Subject, m.Octets, m.Session, m.Number, m.Host, "")
	return nil
}

func eventStamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func eventCode(l policy.Line) string {
	if l.Code() == 0 {
		return ""
	}
	return strconv.Itoa(l.Code())
}

func eventClient(e *policy.Event) string {
	if !e.Client.IsValid() {
		return ""
	}
	return e.Client.String()
}

func eventSender(address string, has bool) string {
	if address == "" && has {
		return "<>"
	}
	return address
}

func eventTimes(e *policy.Event) int {
	if e.Dedup == nil {
		return 1
	}
	return e.Dedup.Times
}

func recipientsNamed(m *policy.Transaction) (list []string) {
	for _, r := range m.Recipients {
		list = append(list, r.Recipient)
	}
	return list
}

func messageDirection(m *policy.Transaction) string {
	if len(m.Recipients) == 0 {
		return ""
	}
	return m.Recipients[0].Direction
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
