package policy

import (
	"context"
	"math"
	"slices"
)

func (s *Session) resolver(at Stage) *resolver {
	rs := &resolver{runner: s.runner, words: s.words, conn: s.conn, msg: s.msg, at: at, helo: s.conn.HeloFacts.Name}
	if m := s.msg; m != nil {
		rs.recipients, rs.queueID = m.Recipients, m.QueueID
	}
	return rs
}

// quiet reports whether there is no word about client, sender or message: the usual case, which costs nothing.
func (s *Session) quiet() bool {
	return len(s.conn.pending) == 0 && (s.msg == nil || len(s.msg.pending) == 0)
}

// settled reports whether a word is sure to refuse in the answer that is due now.
func (s *Session) settled(p *pending, at Stage, r *Recipient) bool {
	rs := s.resolver(at)
	return rs.due(p) && rs.certain(p, r)
}

// decided returns the place in the printed order from which on no check needs to run any more, because a word about
// the client or the sender is sure to refuse in the answer that is due now.
func (s *Session) decided(at Stage, r *Recipient) int {
	if s.quiet() {
		return math.MaxInt
	}
	rs := s.resolver(at)
	for _, p := range rs.collect(&s.conn.scope, &s.msg.scope) {
		if rs.certain(p, r) {
			return p.pos
		}
	}
	return math.MaxInt
}

// explainNothing tells explain that a check ran and has nothing against it, with what it remarks.
func (s *Session) explainNothing(b *bound, stage Stage, r *Recipient, remark string) {
	if s.explaining() {
		s.resolver(stage).explain(ruling{p: &pending{check: b, stage: stage, pos: b.pos[stage]}}, r, Word{Says: SaysNothing, Cause: remark})
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

// runMail runs the hooks of MAIL in order. Once a refusal is certain, later checks do not run.
func (s *Session) runMail() {
	decided := s.decided(StageMail, nil)
	for _, b := range s.policy().hooks.mail {
		if b.pos[StageMail] > decided {
			return
		}
		if !s.applies(b) {
			continue
		}
		if p := judge(s, b, StageMail, b.hooks.Mail, s.msg, nil); p != nil && s.settled(p, StageMail, nil) {
			return
		}
	}
}

// answerConnection answers HELO and MAIL: what is said about the client and the sender.
func (s *Session) answerConnection(at Stage) Answer {
	if s.quiet() {
		return Answer{}
	}
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
	if at == StageMail {
		s.msg.fate = e.outcome(first.verdict.reply)
	}
	return Answer{Line: e.Line}
}

// answerRecipient runs the checks of RCPT and answers for this recipient.
func (s *Session) answerRecipient(r *Recipient) Answer {
	m := s.msg
	m.Recipients = append(m.Recipients, r) // so that checks see it as one of the message's
	s.runRcpt(r)
	if s.quiet() && len(r.pending) == 0 {
		return Answer{}
	}
	rs := s.resolver(StageRcpt)
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
	m.Recipients = slices.Clip(m.Recipients[:len(m.Recipients)-1]) // what looks at r late must keep seeing it
	s.dismiss(r, e.outcome(first.verdict.reply))
	return Answer{Line: e.Line}
}

// runRcpt runs the hooks of RCPT in order. Once a refusal is certain, later checks do not run.
func (s *Session) runRcpt(r *Recipient) {
	decided := s.decided(StageRcpt, r)
	for _, b := range s.policy().hooks.rcpt {
		if b.pos[StageRcpt] > decided {
			return
		}
		if !s.applies(b) || s.spared(b, r) {
			continue
		}
		if p := judge(s, b, StageRcpt, b.hooks.Rcpt, r, r); p != nil && s.settled(p, StageRcpt, r) {
			return
		}
	}
}

// spared keeps a check from work for a recipient whom it gives way to anyway.
func (s *Session) spared(b *bound, r *Recipient) bool {
	return !s.explaining() && b.Bypass&BypassAlwaysAccept != 0 && s.policy().alwaysAccepts(r, s.msg.Recipients)
}

// refusalCertain reports whether the header section has already decided the message, so that its body need
// not be examined.
func (s *Session) refusalCertain() bool {
	m := s.msg
	if s.explaining() || s.conn.Local || len(m.Recipients) == 0 || len(m.pending) == 0 {
		return false
	}
	rs := s.resolver(StageEnd)
	return slices.ContainsFunc(m.pending, func(p *pending) bool {
		if p.stage != StageHeaders {
			return false
		}
		return !slices.ContainsFunc(m.Recipients, func(r *Recipient) bool { return !rs.certain(p, r) })
	})
}
