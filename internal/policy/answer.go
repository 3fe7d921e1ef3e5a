package policy

import (
	"context"
	"math"
	"slices"
)

// answering is an answer while it takes shape: what each finding that is due comes to, in the printed order.
type answering struct {
	resolver
	session *Session
	r       *Recipient // nil for client and sender
	rulings []ruling
	// certain is the place in the printed order from which on no check needs to run, because a refusal is certain.
	certain int
}

func (s *Session) resolver(at Stage) resolver {
	rs := resolver{runner: s.runner, tell: s.tell, conn: s.conn, msg: s.msg, at: at, exempt: s.conn.exempt, helo: s.conn.HeloFacts.Name}
	if m := s.msg; m != nil {
		rs.exempt |= m.exempt
		rs.recipients, rs.queueID = m.Recipients, m.QueueID
		if len(m.Recipients) == 1 {
			rs.exempt |= m.Recipients[0].exempt
		}
	}
	return rs
}

// answer begins an answer with what is known about client and sender.
func (s *Session) answer(at Stage, r *Recipient) answering {
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

// patience is the time that an answer may take. It begins when something must be waited for.
type patience struct {
	ctx context.Context
	end context.CancelFunc
}

func (p *patience) context(rs *resolver) context.Context {
	if p.ctx == nil {
		limit := rs.runner.limits.Stage
		if rs.at == StageEnd {
			limit = rs.runner.limits.End
		}
		p.ctx, p.end = context.WithTimeout(rs.runner.ctx, limit)
	}
	return p.ctx
}

func (p *patience) over() {
	if p.end != nil {
		p.end()
	}
}

// first waits for what must be waited for and returns the first objection that is enforced. What is monitored before it
// is recorded, if need be when it is known.
func (a *answering) first() *ruling {
	var first *ruling
	var late []ruling
	var patience patience
	defer patience.over()
	for i := range a.rulings {
		ru := &a.rulings[i]
		if ru.is == open {
			if ru.mode <= Monitor && a.tell == nil {
				late = append(late, *ru)
				continue
			}
			*ru = a.await(patience.context(&a.resolver), *ru)
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
	if len(late) > 0 {
		a.session.recordLate(&a.resolver, late)
	}
	return first
}

// explaining reports whether every check is to run and be waited for.
func (s *Session) explaining() bool { return s.tell != nil }

// quiet reports whether nothing has been found about client, sender or message: the usual case, which costs nothing.
func (s *Session) quiet() bool {
	return len(s.conn.findings) == 0 && (s.msg == nil || len(s.msg.findings) == 0)
}

// answerHelo answers HELO.
func (s *Session) answerHelo() Answer {
	if s.quiet() {
		return Answer{}
	}
	a := s.answer(StageHelo, nil)
	first := a.first()
	if first == nil {
		return Answer{}
	}
	return Answer{Line: a.record(first, nil).Line}
}

// answerMail runs the hooks of MAIL and answers for client and sender.
func (s *Session) answerMail() Answer {
	m := s.msg
	a := s.answer(StageMail, nil)
	for _, b := range s.policy().hooks.mail {
		if b.pos[StageMail] > a.certain {
			break
		}
		if s.applies(b) {
			known := len(m.findings)
			judge(s, b, StageMail, b.hooks.Mail, m, nil)
			a.addAll(m.findings[known:])
		}
	}
	first := a.first()
	if first == nil {
		return Answer{}
	}
	e := a.record(first, nil)
	m.fate = e.outcome(first.verdict.reply)
	return Answer{Line: e.Line}
}

// answerRecipient runs the hooks of RCPT and answers for this recipient. Once a refusal is certain, later checks do not run.
func (s *Session) answerRecipient(r *Recipient) Answer {
	m := s.msg
	m.Recipients = append(m.Recipients, r) // so that checks see it as one of the message's
	a := s.answer(StageRcpt, r)
	for _, b := range s.policy().hooks.rcpt {
		if b.pos[StageRcpt] > a.certain {
			break
		}
		if s.explaining() || b.Bypass&a.exempt == 0 {
			known := len(r.findings)
			judge(s, b, StageRcpt, b.hooks.Rcpt, r, r)
			a.addAll(r.findings[known:])
		}
	}
	first := a.first()
	if first == nil {
		return Answer{}
	}
	e := a.record(first, r)
	m.Recipients = slices.Clip(m.Recipients[:len(m.Recipients)-1]) // what looks at r late must keep seeing it
	s.dismiss(r, e.outcome(first.verdict.reply))
	return Answer{Line: e.Line}
}

// refusalCertain reports whether the header section has already decided the message, so that its body need
// not be examined.
func (s *Session) refusalCertain() bool {
	m := s.msg
	if s.explaining() || s.conn.Local || len(m.Recipients) == 0 || len(m.findings) == 0 {
		return false
	}
	rs := s.resolver(StageEnd)
	return slices.ContainsFunc(m.findings, func(f *finding) bool {
		return f.stage == StageHeaders && !slices.ContainsFunc(m.Recipients, func(r *Recipient) bool {
			ru := rs.resolve(f, r, nil)
			return !ru.refuses()
		})
	})
}
