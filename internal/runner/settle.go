package runner

import (
	"slices"

	"mailweir/internal/policy"
)

// maxGone bounds the refused recipients of one message that wait for its end.
const maxGone = 1000

// outcome is what the event makes of the recipient or message that it refuses with this reply.
func outcome(e *policy.Event, reply *policy.Reply) policy.Outcome {
	fate := policy.Refused
	if e.Action == policy.ActionDeferred {
		fate = policy.Deferred
	}
	return policy.Outcome{Fate: fate, Check: e.Check, Reply: e.Reply, Offence: reply.Shown(fate), Event: e.ID}
}

// dismiss ends a recipient before its message: what its scope holds is given back at once, and it is settled with the
// message, which then stands still. Who sends more bad recipients than are kept waits for the settling.
func (s *Session) dismiss(r *recipient, outcome policy.Outcome) {
	r.release(outcome)
	s.msg.left.add(r)
	if len(s.msg.gone) < maxGone {
		s.msg.gone = append(s.msg.gone, r)
		return
	}
	s.settleRecipient(s.policy(), r, nil)
}

func (s *Session) settleRecipient(p *Policy, r *recipient, would []string) {
	outcome := r.fate
	outcome.Would = slices.Concat(would, r.monitored())
	for _, b := range p.hooks.settleRcpt {
		s.background.guarded(func() { b.hooks.SettleRecipient(&r.Recipient, outcome) })
	}
}

// endMessage settles the transaction, if there is one: fate is what became of it unless a check decided otherwise. What its
// scopes hold is given back at once.
func (s *Session) endMessage(fate policy.Fate) {
	m := s.msg
	if m == nil {
		return
	}
	s.msg = nil
	if !s.explaining() {
		// A connection may stay open for long.
		s.conn.findings = slices.DeleteFunc(s.conn.findings, func(f *finding) bool {
			w, known := f.known()
			return known && w.idle()
		})
	}
	if m.decided.Check == "" {
		m.decided.Fate = fate
	}
	for _, r := range m.recipients {
		r.release(m.decided)
	}
	m.release(m.decided)
	if s.exempt() {
		return
	}
	p := s.policy()
	if len(p.hooks.settleRcpt) == 0 && len(p.hooks.settleMsg) == 0 && s.background.idle() {
		s.settleMessage(p, m)
		return
	}
	s.background.do(func() { s.settleMessage(p, m) })
}

// settleMessage lets the checks learn what became of a message and its recipients.
func (s *Session) settleMessage(p *Policy, m *message) {
	outcome, would := m.decided, m.monitored()
	if len(p.hooks.settleRcpt) > 0 {
		for _, r := range slices.Concat(m.gone, m.recipients) {
			s.settleRecipient(p, r, would)
		}
	}
	for _, r := range m.recipients {
		would = append(would, r.monitored()...)
	}
	slices.Sort(would)
	outcome.Would = slices.Compact(would)
	for _, b := range p.hooks.settleMsg {
		s.background.guarded(func() { b.hooks.SettleMessage(&m.Message, outcome) })
	}
	s.runner.observer.Settled(newTransaction(m, outcome))
}

// endConnection settles the connection scope and tells the observer.
func (s *Session) endConnection() {
	if s.conn == nil {
		return
	}
	c, settle := s.conn, s.closeScope(s.conn)
	end := func() {
		settle()
		s.runner.observer.Closed(&c.Connection)
	}
	if len(c.policy.hooks.settleCon) == 0 && s.background.idle() {
		end()
	} else {
		s.background.do(end)
	}
	s.conn, s.faulted = nil, nil
}

// closeScope gives back what a connection scope holds, and returns what settles it. A session that moves to another policy
// has several scopes, one after the other.
func (s *Session) closeScope(c *connection) (settle func()) {
	exempt := s.exempt()
	c.release(policy.Outcome{})
	return func() {
		if !exempt {
			for _, b := range c.policy.hooks.settleCon {
				s.background.guarded(func() { b.hooks.SettleConnection(&c.Connection) })
			}
		}
		s.runner.leave(c.policy)
	}
}
