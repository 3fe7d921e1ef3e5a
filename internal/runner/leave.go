package runner

import (
	"context"

	"mailweir/internal/policy"
)

// dismiss ends a recipient before its message: what its scope holds is given back at once, and it
// is settled at once. The end of the message may be long in coming, and the next attempt sooner:
// Postfix tells of RSET only with the next command.
func (s *Session) dismiss(r *recipient, outcome policy.Outcome) {
	m, p := s.msg, s.policy()
	r.leave(outcome, s.background.guarded)
	m.left.add(r)
	switch {
	case s.explaining():
		m.gone = append(m.gone, r)
	case len(p.hooks.settleRcpt) > 0:
		s.background.offer(func() {
			s.learn(func(ctx context.Context) {
				would := m.monitored()
				for _, b := range p.hooks.settleRcpt {
					s.settleRecipient(ctx, b, r, would)
				}
			})
		}, func() {})
	}
}

// outcome is what the event makes of the recipient or message that it refuses.
func outcome(e *policy.Event) policy.Outcome {
	fate := policy.Refused
	if e.Action == policy.ActionDeferred {
		fate = policy.Deferred
	}
	return policy.Outcome{Fate: fate, Check: e.Check, Reply: e.Reply, Offence: e.Offence, Event: e.ID, At: e.Time}
}

// release ends the scope: it gives back what is held and stops the work that nobody waits for any
// more. A panic of one who gives back, which guarded takes, costs nobody else what is his.
func (s *scope) release(fate policy.Fate, guarded func(func())) {
	s.mu.Lock()
	held := s.held
	s.held, s.ended, s.fate = nil, true, fate
	s.mu.Unlock()
	for _, giveBack := range held {
		guarded(func() { giveBack(fate) })
	}
	for _, f := range s.findings {
		if f.later != nil {
			f.later.abandon()
		}
	}
}

// leave ends the recipient's scope.
func (r *recipient) leave(o policy.Outcome, guarded func(func())) {
	r.end = o
	r.release(o.Fate, guarded)
}

// monitored lists the monitored checks that objected in this scope.
func (s *scope) monitored() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.would...)
}

// departures are what became of the recipients who left a message before its end, the first of
// them.
type departures struct {
	list  []policy.RecipientOutcome
	count int
}

func (d *departures) add(r *recipient) {
	d.count++
	if len(d.list) < policy.MaxEventRecipients {
		d.list = append(d.list, r.outcome(r.end))
	}
}

func (r *recipient) outcome(o policy.Outcome) policy.RecipientOutcome {
	o.Would = r.monitored()
	return policy.RecipientOutcome{Recipient: r.RcptFacts.Recipient, Direction: r.Direction.String(), Number: r.number, Outcome: o}
}
