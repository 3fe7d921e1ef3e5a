package policy

import "errors"

// record makes and writes the event of a ruling; its id is already part of the line.
func (rs *resolver) record(ru ruling, r *Recipient) *Event {
	e := rs.event(ru, r)
	switch line := rs.line(ru, ""); {
	case !ru.mode.Refuses():
		e.Action = ActionWould
	case line.code/100 == 4:
		e.Action = ActionDeferred
	default:
		e.Action = ActionRefused
	}
	rs.publish(e, ru)
	if e.Action == ActionWould {
		rs.noteWould(e.Check, r)
	}
	return e
}

// recordRemoval writes the event of a recipient that is taken off the message.
func (rs *resolver) recordRemoval(ru ruling, r *Recipient) *Event {
	e := rs.event(ru, r)
	e.Action = ActionRemoved
	rs.publish(e, ru)
	return e
}

// recordChange writes the event of a change of the message.
func (rs *resolver) recordChange(ru ruling) {
	e := rs.event(ru, nil)
	e.Action, e.Change = ActionChanged, ru.verdict.change
	rs.publish(e, ru)
}

// recordFailure writes, once for each piece of work, that a check could not tell and that the mail goes on.
func (rs *resolver) recordFailure(ru ruling, r *Recipient) {
	if !ru.p.reported.CompareAndSwap(false, true) {
		return
	}
	e := rs.event(ru, r)
	e.Action = ActionError
	rs.publish(e, ru)
}

func (rs *resolver) publish(e *Event, ru ruling) {
	e.ID = rs.runner.observer.Identify(e)
	e.Line = rs.line(ru, e.ID)
	rs.runner.observer.Record(e)
}

// event fills in what is known about the case.
func (rs *resolver) event(ru ruling, r *Recipient) *Event {
	c := rs.conn
	e := &Event{
		Time: rs.policy().world.Clock(), Check: ru.p.check.Name, Mode: ru.mode, Stage: ru.p.stage, AnsweredAt: rs.at,
		Reply: ru.verdict.reply.ID, Row: ru.verdict.reply.Row, Cause: ru.verdict.cause,
		Session: c.ID, Client: c.Client, ClientName: c.ConnectFacts.Name, Helo: rs.helo, Service: c.Service,
		Trace: ru.queries(),
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
		concerned = []*Recipient{r}
	}
	e.Count = len(concerned)
	for _, one := range concerned[:min(len(concerned), MaxEventRecipients)] {
		e.Recipients = append(e.Recipients, one.RcptFacts.Recipient)
	}
	if len(concerned) > 0 {
		e.Direction = concerned[0].Direction.String()
	}
	return e
}

// noteWould remembers, for the outcome, that a monitored check objected.
func (rs *resolver) noteWould(check string, r *Recipient) {
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

func (s *scope) monitored() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.would...)
}

// outcome is what the event makes of the recipient or message that it refuses with this reply.
func (e *Event) outcome(reply *Reply) Outcome {
	fate := Refused
	if e.Action == ActionDeferred {
		fate = Deferred
	}
	return Outcome{Fate: fate, Check: e.Check, Reply: e.Reply, Offence: reply.shown(fate), Event: e.ID}
}
