package runner

import (
	"context"
	"math"
	"slices"

	"mailweir/internal/policy"
)

// answering is an answer while it takes shape: what each finding that is due comes to, in the
// printed order.
type answering struct {
	resolver
	session *Session
	r       *recipient // nil for client and sender
	rulings []ruling
	// certain is the place in the printed order from which on no check needs to run, because a
	// refusal is certain.
	certain int
	// late are those that are only monitored and not known when the answer is given.
	late []ruling
}

func (s *Session) resolver(at policy.Stage) resolver {
	rs := resolver{runner: s.runner, tell: s.tell, past: s.past, conn: s.conn, msg: s.msg, at: at, exempt: s.conn.Exempt, orders: s.orders, helo: s.helo, began: s.began}
	if m := s.msg; m != nil {
		rs.exempt |= m.Exempt
		rs.recipients, rs.queueID = m.recipients, m.QueueID
		if len(m.recipients) == 1 {
			rs.exempt |= m.recipients[0].Exempt
		}
	}
	return rs
}

// answer begins an answer with what is known about client and sender.
func (s *Session) answer(at policy.Stage, r *recipient) answering {
	a := answering{resolver: s.resolver(at), session: s, r: r, certain: math.MaxInt}
	a.addAll(s.conn.findings)
	if s.msg != nil {
		a.addAll(s.msg.findings)
	}
	return a
}

// addAll resolves findings as far as is known, and puts those that are due in their places.
func (a *answering) addAll(list []*finding) {
	for _, f := range list {
		if !f.due.has(a.at) {
			continue
		}
		ru := a.resolve(f, a.r, nil)
		if ru.refuses() && a.tell == nil {
			a.certain = min(a.certain, f.pos)
		}
		place := len(a.rulings)
		for place > 0 && a.rulings[place-1].f.pos > f.pos {
			place--
		}
		a.rulings = slices.Insert(a.rulings, place, ru)
	}
}

func (a *answering) patience() context.Context {
	return a.session.patience.context(a.runner, a.at)
}

// first waits for what must be waited for and returns the first objection that is enforced. What is
// monitored before it is recorded, if need be when it is known.
func (a *answering) first() *ruling {
	var first *ruling
	for i := range a.rulings {
		ru := &a.rulings[i]
		if ru.is == open {
			if ru.mode <= policy.Monitor && a.tell == nil {
				ru.f.keep()
				a.late = append(a.late, *ru)
				continue
			}
			*ru = a.await(a.patience(), *ru)
		}
		if a.tell != nil || ru.failure != nil {
			a.report(ru)
		}
		if ru.is == record {
			a.record(ru, ru.r)
		}
		if ru.is == enforce && first == nil {
			first = ru
		}
		if first != nil && a.tell == nil {
			break
		}
	}
	return first
}

// explaining reports whether every check is to run and be waited for.
func (s *Session) explaining() bool { return s.tell != nil }

// quiet reports whether nothing has been found about client, sender or message: the usual case,
// which costs nothing.
func (s *Session) quiet() bool {
	return len(s.conn.findings) == 0 && (s.msg == nil || len(s.msg.findings) == 0)
}

// answerHelo answers HELO.
func (s *Session) answerHelo() policy.Answer {
	if s.quiet() {
		return policy.Answer{}
	}
	a := s.answer(policy.StageHelo, nil)
	first := a.first()
	if len(a.late) > 0 {
		a.recordLate()
	}
	if first == nil {
		return policy.Answer{}
	}
	return policy.Answer{Line: a.record(first, nil).Line}
}

// answerMail runs the hooks of MAIL and answers for client and sender.
func (s *Session) answerMail() policy.Answer {
	m := s.msg
	a := s.answer(policy.StageMail, nil)
	for _, b := range s.policy().hooks.mail {
		if b.pos[policy.StageMail] > a.certain {
			break
		}
		if s.applies(b) {
			known := len(m.findings)
			judge(s, b, policy.StageMail, b.hooks.Mail, &m.Message, &m.scope, nil)
			a.addAll(m.findings[known:])
		}
	}
	first := a.first()
	if len(a.late) > 0 {
		a.recordLate()
	}
	if first == nil {
		return policy.Answer{}
	}
	e := a.record(first, nil)
	m.decided = outcome(e)
	return policy.Answer{Line: e.Line}
}

// answerRecipient runs the hooks of RCPT and answers for this recipient. Once a refusal is certain,
// later checks do not run.
func (s *Session) answerRecipient(r *recipient) policy.Answer {
	m := s.msg
	m.recipients = append(m.recipients, r) // so that checks see it as one of the message's
	a := s.answer(policy.StageRcpt, r)
	a.addAll(r.findings) // what could not be found out about it
	for _, b := range s.policy().hooks.rcpt {
		if b.pos[policy.StageRcpt] > a.certain {
			break
		}
		if s.explaining() || b.Exempt&a.exempt == 0 {
			known := len(r.findings)
			judge(s, b, policy.StageRcpt, b.hooks.Rcpt, &r.Recipient, &r.scope, r)
			a.addAll(r.findings[known:])
		}
	}
	var answer policy.Answer
	if first := a.first(); first != nil {
		e := a.record(first, r)
		answer.Line = e.Line
		m.recipients = slices.Clip(m.recipients[:len(m.recipients)-1]) // what looks at r late must keep seeing it
		s.dismiss(r, outcome(e))
	}
	if len(a.late) > 0 { // learning comes first
		a.recordLate()
	}
	return answer
}

// refusalCertain reports whether the header section has already decided the message, so that its
// body need not be examined.
func (s *Session) refusalCertain() bool {
	m := s.msg
	if s.explaining() || s.conn.Local || len(m.recipients) == 0 || len(m.findings) == 0 {
		return false
	}
	rs := s.resolver(policy.StageEnd)
	return slices.ContainsFunc(m.findings, func(f *finding) bool {
		return f.stage == policy.StageHeaders && !slices.ContainsFunc(m.recipients, func(r *recipient) bool {
			ru := rs.resolve(f, r, nil)
			return !ru.refuses()
		})
	})
}
