package events

import (
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"mailweir/internal/policy"
	"mailweir/internal/trace"
)

// logSink writes one line for each event, and one for the sum of those that share an id. Field
// names are fixed; a field without a value is left out. What clients and senders chose stands in
// field values only, and the formatter quotes those.
type logSink struct {
	log *logrus.Logger
	// accepted says that messages that were accepted have their line at the level info.
	accepted atomic.Bool
}

// Event writes the line of one decision.
func (s *logSink) Event(e *policy.Event) {
	if e.Repeated {
		return
	}
	entry := s.log.WithFields(eventFields(e))
	if e.Dedup != nil {
		entry.Logf(levelOf(e), "%s ×%d", e.Action, e.Dedup.Times)
		return
	}
	entry.Log(levelOf(e), e.Action.String())
}

func levelOf(e *policy.Event) logrus.Level {
	switch {
	case e.Fault:
		return logrus.ErrorLevel
	case e.Err != "":
		return logrus.WarnLevel
	}
	return logrus.InfoLevel
}

func eventFields(e *policy.Event) logrus.Fields {
	fields := logrus.Fields{
		"event": e.ID, "check": e.Check, "mode": e.Mode.String(), "stage": e.Stage.String(), "session": e.Session,
		"service": string(e.Service), "client": clientText(e.Client),
	}
	if e.Action.Answers() {
		fields["reply"] = e.Reply
		fields["code"] = e.Line.Code()
		fields["enhanced"] = e.Line.Enhanced()
		fields["text"] = e.Line.Text()
	}
	put(fields, "change", policy.EditText(e.Edits))
	put(fields, "cause", e.Cause)
	put(fields, "by_hand", e.ByHand)
	put(fields, "error", e.Err)
	if e.Stack != "" {
		fields["stack"] = cut(e.Stack, lineOctets)
	}
	put(fields, "client_name", e.ClientName)
	put(fields, "helo", e.Helo)
	put(fields, "login", e.Login)
	put(fields, "direction", e.Direction)
	put(fields, "queue_id", e.QueueID)
	if e.HasSender {
		fields["sender"] = bracketed(e.Sender)
	}
	if len(e.Recipients) > 0 {
		fields["recipient"] = named(e.Recipients, bracketed)
	}
	if e.Count > 1 {
		fields["recipients"] = e.Count
	}
	put(fields, "asked", asked(e.Trace))
	if e.Dedup != nil {
		fields["times"] = e.Dedup.Times
		fields["alike"] = alikeText(e.Dedup.Alike)
		if e.Dedup.SenderCount > 1 {
			fields["sender"] = named(e.Dedup.Senders, bracketed)
			fields["senders"] = e.Dedup.SenderCount
		}
		if e.Dedup.ClientCount > 1 {
			fields["client"] = named(e.Dedup.Clients, clientText)
			fields["clients"] = e.Dedup.ClientCount
		}
	}
	return fields
}

// A line names the first of several, as far as both allow: journald cuts a line at 48 KiB (LineMax=
// in journald.conf(5)).
const (
	lineNames   = 100
	lineOctets  = 12 << 10
	fieldOctets = 4 << 10 // of a text that a client or an answer from outside has part in
)

// named joins the first of a list with commas.
func named[T any](list []T, text func(T) string) string {
	var b strings.Builder
	for i, one := range list[:min(len(list), lineNames)] {
		name := text(one)
		if i > 0 && b.Len()+len(name) > lineOctets {
			break
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(name)
	}
	return b.String()
}

// alikeText says what the events of a sum have in common, besides check, reply and action.
func alikeText(a policy.Alike) string {
	switch a {
	case policy.AlikeDomain:
		return "client and sender domain"
	case policy.AlikeClient:
		return "client"
	}
	return fmt.Sprintf("check, above %d lines a second", checkLines)
}

func asked(list []trace.Query) string {
	var b strings.Builder
	for i, q := range list {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(q.Question + " → " + q.Answer)
	}
	return b.String()
}

func put(fields logrus.Fields, name, value string) {
	if value != "" {
		fields[name] = cut(value, fieldOctets)
	}
}

// cut shortens a text that is longer than so many octets, and shows it.
func cut(text string, octets int) string {
	if len(text) <= octets {
		return text
	}
	return strings.ToValidUTF8(text[:octets], "") + "…"
}

func bracketed(address string) string { return "<" + cut(address, fieldOctets) + ">" }

func clientText(a netip.Addr) string {
	if !a.IsValid() {
		return "unknown"
	}
	return a.String()
}

// Transaction writes what became of a message, at the level debug: the MTA's log has it too. One
// that was accepted is of level info where that is wanted.
func (s *logSink) Transaction(t *policy.Transaction) {
	level := logrus.DebugLevel
	if t.Fate == policy.Accepted && s.accepted.Load() {
		level = logrus.InfoLevel
	}
	if !s.log.IsLevelEnabled(level) {
		return
	}
	fields := logrus.Fields{
		"fate": t.Fate.String(), "client": clientText(t.Client), "sender": bracketed(t.Sender), "recipients": remaining(t), "octets": t.Octets,
		"service": string(t.Service), "session": t.Session, "transaction": t.Number,
		"took": t.Ended.Sub(t.Begun).Round(time.Millisecond).String(),
	}
	put(fields, "check", t.Check)
	put(fields, "event", t.Event)
	put(fields, "client_name", t.ClientName)
	put(fields, "helo", t.Helo)
	put(fields, "login", t.Login)
	put(fields, "spf", string(t.SPF))
	put(fields, "dkim", strings.Join(t.DKIM, ","))
	put(fields, "would", strings.Join(t.Would, ","))
	put(fields, "queue_id", t.QueueID)
	s.log.WithFields(fields).Log(level, "message "+t.Fate.String())
}

// remaining counts the recipients whom the outcome of the message is about. Of more than
// [policy.MaxEventRecipients] it is what there were at most.
func remaining(t *policy.Transaction) int {
	return t.RecipientCount - (len(t.Recipients) - len(t.Remaining()))
}
