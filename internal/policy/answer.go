package policy

import (
	"context"
	"slices"
)

func (s *Session) resolver(at Stage) *resolver {
	rs := &resolver{runner: s.runner, words: s.words, conn: s.conn, msg: s.msg, at: at}
	if s.msg != nil {
		rs.recipients = s.msg.Recipients
	}
	return rs
}

// explainNothing tells explain that a check ran and has nothing against it.
func (s *Session) explainNothing(b *bound, stage Stage, r *Recipient) {
	if s.explaining() {
		s.resolver(stage).explain(&pending{check: b, stage: stage}, r, Word{Says: SaysNothing})
	}
}

// deadline is the context of one answer.
func (s *Session) deadline(at Stage) (context.Context, context.CancelFunc) {
	limit := s.runner.limits.Stage
	if at == StageEnd {
		limit = s.runner.limits.End
	}
	return context.WithTimeout(s.runner.ctx, limit)
}

// answerConnection answers HELO and MAIL: what is said about the client and the sender.
func (s *Session) answerConnection(at Stage) Answer {
	rs := s.resolver(at)
	scopes := []*scope{&s.conn.scope}
	if at == StageMail {
		scopes = append(scopes, &s.msg.scope)
	}
	list := rs.collect(scopes...)
	if len(list) == 0 {
		return Answer{}
	}
	ctx, cancel := s.deadline(at)
	defer cancel()
	first, late := rs.decide(ctx, list, nil)
	s.recordLater(rs, late, nil)
	if first == nil {
		return Answer{}
	}
	e := rs.record(*first, nil)
	if s.msg != nil {
		s.msg.fate = e.outcome()
	}
	return Answer{Line: e.Line}
}

// answerRecipient runs the checks of RCPT and answers for this recipient.
func (s *Session) answerRecipient(r *Recipient) Answer {
	m := s.msg
	m.Recipients = append(m.Recipients, r) // so that checks see it as one of the message's
	rs := s.resolver(StageRcpt)
	s.runRcpt(rs, r)
	list := rs.collect(&s.conn.scope, &m.scope, &r.scope)
	if len(list) == 0 {
		return Answer{}
	}
	ctx, cancel := s.deadline(StageRcpt)
	defer cancel()
	first, late := rs.decide(ctx, list, r)
	s.recordLater(rs, late, r)
	if first == nil {
		return Answer{}
	}
	e := rs.record(*first, r)
	r.fate = e.outcome()
	if !s.explaining() {
		m.Recipients = m.Recipients[:len(m.Recipients)-1]
		s.settleRecipient(r)
	}
	return Answer{Line: e.Line}
}

// runRcpt runs the hooks of RCPT in order. Once a refusal is certain, later checks do not run.
func (s *Session) runRcpt(rs *resolver, r *Recipient) {
	for _, b := range s.policy().hooks.rcpt {
		if !s.applies(b) || s.spared(b, r) {
			continue
		}
		p := judge(s, b, StageRcpt, b.hooks.Rcpt, r, r)
		if p == nil || s.conn.Local {
			continue
		}
		ctx, cancel := s.deadline(StageRcpt)
		certain := rs.certain(ctx, p, r)
		cancel()
		if certain {
			return
		}
	}
}

// spared keeps a check from work for a recipient whom it gives way to anyway.
func (s *Session) spared(b *bound, r *Recipient) bool {
	return !s.explaining() && b.Bypass&BypassAlwaysAccept != 0 && s.policy().alwaysAccepts(r)
}

// refusalCertain reports whether the header section has already decided the message, so that its body need
// not be examined.
func (s *Session) refusalCertain() bool {
	m := s.msg
	if s.explaining() || s.conn.Local || len(m.Recipients) == 0 || len(m.pending) == 0 {
		return false
	}
	rs := s.resolver(StageEnd)
	ctx, cancel := s.deadline(StageHeaders)
	defer cancel()
	return slices.ContainsFunc(m.pending, func(p *pending) bool {
		if p.stage != StageHeaders || p.check.Bypass != 0 {
			return false
		}
		return !slices.ContainsFunc(m.Recipients, func(r *Recipient) bool { return !rs.certain(ctx, p, r) })
	})
}
