package runner

import (
	"context"
	"slices"
	"time"

	"mailweir/internal/policy"
)

// learnTime bounds what all checks together may take to learn from a message, or from a recipient
// who was refused.
const learnTime = 20 * time.Second

// learn gives learning its time, which does not end with the daemon's: what was found out is not to
// be lost.
func (s *Session) learn(work func(context.Context)) {
	ctx, cancel := context.WithTimeout(context.Background(), learnTime)
	defer cancel()
	work(ctx)
}

func (s *Session) settleRecipient(ctx context.Context, b *bound, r *recipient, would []string) {
	outcome := r.end
	outcome.Would = slices.Concat(would, r.monitored())
	s.background.guarded(func() { b.hooks.SettleRecipient(ctx, &r.Recipient, outcome) })
}

// endMessage settles the transaction, if there is one: fate is what became of it unless a check
// decided otherwise. What its scopes hold is given back at once.
func (s *Session) endMessage(fate policy.Fate) {
	m := s.msg
	if m == nil {
		return
	}
	s.msg = nil
	s.carrier.To(nil) // what was asked about the message would keep all of it
	if !s.explaining() {
		// A connection may stay open for long.
		s.conn.findings = slices.DeleteFunc(s.conn.findings, func(f *finding) bool {
			w, known := f.known()
			return known && w.idle()
		})
	}
	if m.decided.Check == "" {
		m.decided.Fate, m.decided.At = fate, s.now()
	}
	for _, r := range m.recipients {
		r.leave(m.decided, s.background.guarded)
	}
	m.release(m.decided.Fate, s.background.guarded)
	if s.exempt() || s.past != nil {
		return
	}
	p := s.policy()
	if len(p.hooks.settleRcpt)+len(p.hooks.settleMsg)+len(m.late.groups) == 0 && s.background.idle() {
		s.settleMessage(p, m)
		return
	}
	s.background.offer(func() { s.settleMessage(p, m) }, func() {
		m.late.drop()
		s.settled(m)
	})
}

// settleMessage lets the checks learn what became of a message and its recipients, and then records
// what is known late. A check whose own finding is late learns when it is known.
func (s *Session) settleMessage(p *Policy, m *message) {
	m.late.start(s.runner)
	if len(p.hooks.settleRcpt)+len(p.hooks.settleMsg) > 0 {
		s.learn(func(ctx context.Context) { s.settleScopes(ctx, p, m) })
	}
	m.late.record(nil)
	s.settled(m)
}

func (s *Session) settled(m *message) { s.runner.observer.Settled(newTransaction(m, m.outcome())) }

func (s *Session) settleScopes(ctx context.Context, p *Policy, m *message) {
	would := m.monitored()
	for _, b := range p.hooks.settleRcpt {
		if m.late.record(b) {
			would = m.monitored()
		}
		for _, r := range m.gone {
			s.settleRecipient(ctx, b, r, would)
		}
		for _, r := range m.recipients {
			s.settleRecipient(ctx, b, r, would)
		}
	}
	outcome := m.outcome()
	for _, b := range p.hooks.settleMsg {
		if m.late.record(b) {
			outcome = m.outcome()
		}
		s.background.guarded(func() { b.hooks.SettleMessage(ctx, &m.Message, outcome) })
	}
}

// outcome is what became of the message, with what has been monitored of it and of those who
// remain.
func (m *message) outcome() policy.Outcome {
	outcome, would := m.decided, m.monitored()
	for _, r := range m.recipients {
		would = append(would, r.monitored()...)
	}
	slices.Sort(would)
	outcome.Would = slices.Compact(would)
	return outcome
}

// endConnection ends the connection scope and tells the observer.
func (s *Session) endConnection() {
	if s.conn == nil {
		return
	}
	c, leave := s.conn, s.closeScope(s.conn)
	end := func() {
		leave()
		s.runner.observer.Closed(&c.Connection)
	}
	if s.background.idle() {
		end()
	} else {
		s.background.do(end)
	}
	s.conn, s.faulted = nil, nil
}

// closeScope gives back what a connection scope holds, and returns what ends its use of the policy.
// A session that moves to another policy has several scopes, one after the other.
func (s *Session) closeScope(c *connection) (leave func()) {
	c.release(policy.Accepted, s.background.guarded)
	return func() { s.runner.leave(c.policy) }
}
