package runner

import (
	"errors"
	"slices"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/trace"
)

// record makes and writes the event of a ruling about a recipient or, with nil, about those that
// remain; its id is part of the line.
func (rs *resolver) record(ru *ruling, r *recipient) *policy.Event {
	e := rs.event(ru, r)
	switch {
	case ru.edits():
		e.Action, e.Edits = policy.ActionWouldChange, ru.verdict.Edits()
		rs.noteWould(e.Check, r)
	case !ru.mode.Refuses():
		e.Action = policy.ActionWould
		rs.noteWould(e.Check, r)
	case ru.temporary():
		e.Action = policy.ActionDeferred
	default:
		e.Action = policy.ActionRefused
	}
	return rs.publish(e, ru)
}

// recordWatched records what only would have been refused.
func (rs *resolver) recordWatched(sum aggregated) {
	for _, one := range sum.watched {
		if one.mode > policy.Monitor {
			one.mode = policy.Monitor
			if one.verdict.Reply() != nil {
				one.line = rs.line(one.ruling)
			}
		}
		rs.record(one.ruling, one.about)
	}
}

// recordRemoval writes the event of a recipient that is taken off the message.
func (rs *resolver) recordRemoval(ru *ruling) *policy.Event {
	e := rs.event(ru, ru.r)
	e.Action = policy.ActionRemoved
	return rs.publish(e, ru)
}

// recordEdits writes the event of edits, about a recipient or the message.
func (rs *resolver) recordEdits(ru *ruling, r *recipient, action policy.Action, edits []policy.Edit) *policy.Event {
	e := rs.event(ru, r)
	e.Action, e.Edits = action, edits
	return rs.publish(e, ru)
}

// recordFailure writes, once for each piece of work, that a check failed and that the mail goes on.
func (rs *resolver) recordFailure(ru *ruling) {
	if !ru.f.reported.CompareAndSwap(false, true) {
		return
	}
	e := rs.event(ru, ru.r)
	e.Action = policy.ActionError
	rs.publish(e, ru)
}

// recordNoted writes, once, that a check has nothing against a message, and why that may surprise.
func (rs *resolver) recordNoted(ru *ruling) {
	if !ru.f.reported.CompareAndSwap(false, true) {
		return
	}
	e := rs.event(ru, ru.f.rcpt)
	e.Action = policy.ActionNoted
	rs.publish(e, ru)
}

// publish gives the event its id and the line that the client reads.
func (rs *resolver) publish(e *policy.Event, ru *ruling) *policy.Event {
	e.ID = rs.runner.observer.Identify(e)
	switch e.Action {
	case policy.ActionRefused:
		e.Offence = ru.verdict.Reply().Shown(policy.Refused)
	case policy.ActionDeferred:
		e.Offence = ru.verdict.Reply().Shown(policy.Deferred)
	}
	e.Line = ru.line.Ending(rs.conn.policy.Settings.HelpURL, e.ID)
	rs.runner.observer.Record(e)
	return e
}

// event fills in what is known about the case.
func (rs *resolver) event(ru *ruling, r *recipient) *policy.Event {
	c := rs.conn
	e := &policy.Event{
		Time: rs.conn.policy.backends.Clock(), Check: ru.f.check.Name, Mode: ru.mode, Stage: ru.f.stage, AnsweredAt: rs.at,
		Cause:   ru.verdict.Cause(),
		Session: c.ID, Client: c.Client, ClientName: c.ConnectFacts.Name, Service: c.Service,
		Policy: c.policy.digest, Took: time.Since(rs.began), Trace: ru.queries(),
	}
	if ru.mode == policy.Monitor {
		e.ByHand = rs.byHand(ru.f.check)
	}
	if rs.helo != nil {
		e.Helo, e.TLS = rs.helo.Name, rs.helo.TLS
	}
	if reply := ru.verdict.Reply(); reply != nil {
		e.Reply, e.Row = reply.ID, reply.Row
	}
	if ru.failure != nil {
		e.Err = ru.failure.Error()
		var defect *fault
		if errors.As(ru.failure, &defect) {
			e.Fault, e.Stack = true, string(defect.stack)
		}
	}
	m := rs.msg
	if m == nil {
		return e
	}
	e.Transaction = m.Number
	e.Sender, e.HasSender, e.Login, e.QueueID = m.MailFacts.Sender, true, m.Login, rs.queueID
	concerned := rs.recipients
	if r != nil {
		concerned = []*recipient{r}
	}
	e.Count = len(concerned)
	for _, one := range concerned[:min(len(concerned), policy.MaxEventRecipients)] {
		e.Recipients = append(e.Recipients, one.RcptFacts.Recipient)
	}
	if len(concerned) > 0 {
		e.Direction = concerned[0].Direction.String()
	}
	if rs.at == policy.StageEnd {
		rs.describe(e)
	}
	return e
}

// describe fills in what is known of the message, which has come to its end.
func (rs *resolver) describe(e *policy.Event) {
	m := rs.msg
	h := keptOf(m.Fields)
	e.MessageID, e.From, e.Subject, e.Octets, e.Attachments = h.messageID, h.from, h.subject, m.Octets, m.Attachments
	e.SPF, e.DKIM, e.DMARC = m.authenticated()
}

// queries are what the check asked of the world outside, and then what was asked for permits.
func (ru *ruling) queries() []trace.Query {
	list := slices.Clip(ru.f.queries) // the events of other recipients have them, too
	if ru.f.later != nil {
		list = ru.f.later.trace.Queries() // those of questions before it as well
	}
	if ru.permit == nil {
		return list
	}
	for _, q := range ru.permit.trace.Queries() {
		if !slices.Contains(list, q) {
			list = append(list, q)
		}
	}
	return list
}

// noteWould remembers, for the outcome, that a monitored check objected.
func (rs *resolver) noteWould(check string, r *recipient) {
	if rs.msg == nil {
		return
	}
	where := &rs.msg.scope
	if r != nil {
		where = &r.scope
	}
	where.mu.Lock()
	defer where.mu.Unlock()
	where.would = append(where.would, check)
}
