package events

import (
	"net/netip"
	"strings"

	"github.com/sirupsen/logrus"

	"mailweir/internal/policy"
	"mailweir/internal/trace"
)

// logEvent writes the line of one decision. Its field names are fixed; a field without a value is left out. What strangers chose
// stands in field values only, and the formatter quotes those.
func (r *Recorder) logEvent(e *policy.Event) {
	level := logrus.InfoLevel
	switch {
	case e.Check == "fault" || e.Stack != "":
		level = logrus.ErrorLevel
	case e.Err != "":
		level = logrus.WarnLevel
	}
	r.log.WithFields(eventFields(e)).Log(level, e.Action.String())
}

func eventFields(e *policy.Event) logrus.Fields {
	fields := logrus.Fields{
		"event": e.ID, "check": e.Check, "mode": e.Mode.String(), "stage": e.Stage.String(), "session": e.Session,
		"service": string(e.Service),
	}
	switch e.Action {
	case policy.ActionError, policy.ActionChanged, policy.ActionNotRetried, policy.ActionIncomplete, policy.ActionUnexamined: // nobody has read a reply
	default:
		fields["reply"] = e.Reply
		fields["code"] = e.Line.Code()
		fields["enhanced"] = e.Line.Enhanced()
		fields["text"] = e.Line.Text()
	}
	put(fields, "change", e.Change.String())
	put(fields, "cause", e.Cause)
	put(fields, "error", e.Err)
	put(fields, "stack", e.Stack)
	put(fields, "client", clientText(e.Client))
	put(fields, "client_name", e.ClientName)
	put(fields, "helo", e.Helo)
	put(fields, "login", e.Login)
	put(fields, "direction", e.Direction)
	put(fields, "queue_id", e.QueueID)
	if e.HasSender {
		fields["sender"] = "<" + e.Sender + ">"
	}
	if e.Count > 0 {
		fields["recipient"] = "<" + strings.Join(e.Recipients, ">,<") + ">"
	}
	if e.Count > 1 {
		fields["recipients"] = e.Count
	}
	put(fields, "asked", asked(e.Trace))
	return fields
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
		fields[name] = value
	}
}

func clientText(a netip.Addr) string {
	if !a.IsValid() {
		return "unknown"
	}
	return a.String()
}

// logFold says how many events shared an id.
func (r *Recorder) logFold(f *fold) {
	if f.first == nil {
		return
	}
	fields := eventFields(f.first)
	fields["times"] = f.folded()
	if len(f.causes) > 1 {
		fields["cause"] = strings.Join(f.causes, "; ")
	}
	r.log.WithFields(fields).Infof("%s ×%d", f.first.Action, f.folded())
}

// logOutcome writes what became of a message, at the level debug: the MTA's log has it too.
func (r *Recorder) logOutcome(m *policy.Message, o policy.Outcome) {
	if !r.log.IsLevelEnabled(logrus.DebugLevel) {
		return
	}
	fields := logrus.Fields{
		"fate": o.Fate.String(), "session": m.Conn.ID, "client": clientText(m.Conn.Client),
		"sender": "<" + m.MailFacts.Sender + ">", "recipients": len(m.Recipients), "octets": m.Octets,
	}
	put(fields, "queue_id", m.QueueID)
	put(fields, "check", o.Check)
	put(fields, "event", o.Event)
	put(fields, "would", strings.Join(o.Would, ","))
	r.log.WithFields(fields).Debug("message " + o.Fate.String())
}
