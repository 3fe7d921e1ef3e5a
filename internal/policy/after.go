package policy

import (
	"context"
	"sync"
)

// afterwork runs a session's work that must not delay an answer, one piece after the other.
type afterwork struct {
	runner *Runner
	mu     sync.Mutex
	queue  []func()
	busy   bool
}

// maxAfterwork is how many pieces may wait; beyond it the session itself waits, so that memory stays bounded.
const maxAfterwork = 256

func newAfterwork(rn *Runner) *afterwork { return &afterwork{runner: rn} }

// do queues one piece of work.
func (a *afterwork) do(work func()) {
	a.mu.Lock()
	if len(a.queue) >= maxAfterwork {
		a.mu.Unlock()
		a.guarded(work)
		return
	}
	a.queue = append(a.queue, work)
	start := !a.busy
	a.busy = true
	a.mu.Unlock()
	if start {
		a.runner.working.Add(1)
		go a.run()
	}
}

func (a *afterwork) run() {
	defer a.runner.working.Done()
	for {
		a.mu.Lock()
		if len(a.queue) == 0 {
			a.busy, a.queue = false, nil
			a.mu.Unlock()
			return
		}
		work := a.queue[0]
		a.queue = a.queue[1:]
		a.mu.Unlock()
		a.guarded(work)
	}
}

// guarded keeps a panic in a Settle hook from ending the daemon; the observer is told.
func (a *afterwork) guarded(work func()) {
	w := call(func(struct{}) (Verdict, error) { work(); return Pass, nil }, struct{}{})
	if w.err != nil {
		a.runner.observer.Defect(w.err)
	}
}

// recordLater records monitored words when they come, off the way of the answer.
func (s *Session) recordLater(rs *resolver, late []*pending, r *Recipient) {
	if len(late) == 0 {
		return
	}
	var open []*pending
	for _, p := range late {
		about := r
		if about == nil {
			about = p.rcpt
		}
		if rs.standing(p.check, about) == "" {
			p.keep()
			open = append(open, p)
		}
	}
	s.after.do(func() {
		ctx, cancel := context.WithTimeout(s.runner.ctx, s.runner.limits.End)
		defer cancel()
		for _, p := range open {
			about := r
			if about == nil {
				about = p.rcpt
			}
			if ru := rs.lateRule(ctx, p, about); ru.objects() {
				ru.mode = Monitor
				rs.record(ru, about)
			}
		}
	})
}

// lateRule is rule without the standing, which was looked at when the session still stood still.
func (rs *resolver) lateRule(ctx context.Context, p *pending, r *Recipient) ruling {
	w := p.wait(ctx)
	if w.err == nil && w.verdict.reply == nil {
		return ruling{}
	}
	ru := rs.objection(p, w, r)
	if !ru.objects() || rs.msg == nil {
		return ru
	}
	if by, err := rs.msg.permits(ctx, p.check, r); by != "" && err == nil {
		return ruling{}
	}
	return ru
}

// settleRecipient lets the checks learn what became of a recipient, and drops its scope.
func (s *Session) settleRecipient(r *Recipient) {
	hooks, outcome := s.policy().hooks.settleRcpt, r.fate
	if len(hooks) == 0 {
		r.release()
		return
	}
	s.after.do(func() {
		outcome.Would = r.monitored()
		for _, b := range hooks {
			s.after.guarded(func() { b.hooks.SettleRecipient(r, outcome) })
		}
		r.release()
	})
}

// endMessage settles the transaction, if there is one: fate is what became of it unless a check decided otherwise.
func (s *Session) endMessage(fate Fate) {
	m := s.msg
	if m == nil {
		return
	}
	s.msg = nil
	if s.exempt() {
		return
	}
	if m.fate.Check == "" {
		m.fate.Fate = fate
	}
	for _, r := range m.Recipients {
		r.fate = m.fate
		s.settleRecipient(r)
	}
	hooks, outcome := s.policy().hooks.settleMsg, m.fate
	if len(hooks) == 0 && len(m.pending) == 0 {
		s.runner.observer.Settled(m, outcome)
		m.release()
		return
	}
	s.after.do(func() {
		outcome.Would = m.monitored()
		for _, b := range hooks {
			s.after.guarded(func() { b.hooks.SettleMessage(m, outcome) })
		}
		s.runner.observer.Settled(m, outcome)
		m.release()
	})
}

// endConnection settles the connection scope and tells the observer.
func (s *Session) endConnection() {
	if s.conn == nil {
		return
	}
	c := s.conn
	s.closeScope(c)
	s.conn = nil
	s.after.do(func() { s.runner.observer.Closed(c) })
}

// closeScope settles a connection scope; a session that moves to another policy has several, one after the other.
func (s *Session) closeScope(c *Connection) {
	hooks := c.policy.hooks.settleCon
	exempt := s.exempt()
	s.after.do(func() {
		if !exempt {
			for _, b := range hooks {
				s.after.guarded(func() { b.hooks.SettleConnection(c) })
			}
		}
		c.release()
		c.policy.release()
	})
}
