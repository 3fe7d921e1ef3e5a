package policy

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"mailweir/internal/table"
	"mailweir/internal/trace"
)

// resolver turns pending words into one answer at one stage. It holds no state of the session, so that monitored words
// can be resolved after the answer has left.
type resolver struct {
	runner *Runner
	words  func(Word) // set by explain
	conn   *Connection
	msg    *Message // nil at HELO
	at     Stage    // where the answer is given
	// recipients are those that remain, as the answer begins; helo and queueID what is known then.
	recipients    []*Recipient
	helo, queueID string
}

// ruling is what one pending word comes to for one recipient, or for client and sender.
type ruling struct {
	p *pending
	// verdict is the objection to answer with; without a reply the mail goes on.
	verdict Verdict
	mode    Mode
	// failure is the error of a check that could not tell.
	failure error
	// about is the recipient whom a word at the end of the message is about, nil for the whole message.
	about *Recipient
	// permitTrace is what was asked of the world outside for permits.
	permitTrace *trace.Trace
}

func (ru *ruling) objects() bool { return ru.verdict.reply != nil }

// queries are what the check asked of the world outside, and then what was asked for permits.
func (ru *ruling) queries() []trace.Query {
	list := ru.p.queries()
	for _, q := range ru.permitTrace.Queries() {
		if !slices.Contains(list, q) {
			list = append(list, q)
		}
	}
	return list
}

func (rs *resolver) policy() *Policy { return rs.conn.policy }

// due reports whether a word is answered at this stage.
func (rs *resolver) due(p *pending) bool {
	switch {
	case rs.conn.Local:
		return rs.at == StageEnd
	case p.anywhere:
		return rs.at >= StageRcpt
	case p.check.AnswerAt == StageHelo && p.stage <= StageHelo && p.word.err == nil:
		return rs.at == StageHelo // for an error, which is no reason to hang up, RCPT does
	}
	settings := rs.policy().Settings
	early := p.stage <= StageMail && (p.check.AnswerAt == StageMail || settings.AnswerAt == StageMail)
	early = early && settings.EnforceFor == nil
	switch rs.at {
	case StageMail:
		return early
	case StageRcpt:
		return p.stage <= StageRcpt && !early
	case StageEnd:
		return p.stage > StageRcpt
	}
	return false
}

// collect returns what is due, in the printed order.
func (rs *resolver) collect(scopes ...*scope) []*pending {
	var list []*pending
	for _, where := range scopes {
		for _, p := range where.pending {
			if rs.due(p) {
				list = append(list, p)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b *pending) int { return cmp.Compare(a.pos, b.pos) })
	return list
}

// mode is the mode of a check for one recipient; r is nil for client and sender.
func (rs *resolver) mode(b *bound, r *Recipient) Mode {
	pilot := rs.policy().Settings.EnforceFor
	if b.mode <= Monitor || r == nil || b.AnswerAt == StageHelo || pilot == nil {
		return b.mode
	}
	if !table.Member(pilot.Address(r.Address)) {
		return Monitor
	}
	return b.mode
}

// decide resolves a list of words for one recipient, or for client and sender when r is nil: what is bypassed is
// dropped, what is monitored is recorded, and the first one to be enforced is returned. Monitored words that are
// not there yet are returned as well, to be recorded when they come.
func (rs *resolver) decide(ctx context.Context, list []*pending, r *Recipient) (first *ruling, late []*pending) {
	for _, p := range list {
		if rs.words == nil && rs.late(p, r) {
			late = append(late, p)
			continue
		}
		ru := rs.rule(ctx, p, r)
		switch {
		case !ru.objects():
		case !ru.mode.Refuses():
			rs.record(ru, r)
		case first == nil:
			first = &ru
		}
		if first != nil && rs.words == nil {
			break
		}
	}
	return first, late
}

// late reports whether a monitored word would have to be waited for, or the permits of its objection.
func (rs *resolver) late(p *pending, r *Recipient) bool {
	if rs.mode(p.check, r) > Monitor && !p.monitored() {
		return false
	}
	return !p.known() || rs.msg != nil && rs.msg.mayPermit(p.check, r)
}

// rule waits for one word and says what it comes to. What the client's standing bypasses is not waited for.
func (rs *resolver) rule(ctx context.Context, p *pending, r *Recipient) ruling {
	standing := rs.standing(p.check, r)
	if standing != "" && rs.words == nil {
		return ruling{}
	}
	w := p.wait(ctx)
	if w.err == nil && w.verdict.reply == nil {
		rs.explain(ruling{p: p}, r, Word{Says: SaysNothing, Cause: w.verdict.cause})
		return ruling{}
	}
	ru := rs.objection(p, w, r)
	if !ru.objects() {
		return ru
	}
	by, err := standing, error(nil)
	if by == "" && rs.msg != nil && rs.msg.mayPermit(p.check, r) {
		ru.permitTrace = new(trace.Trace)
		by, err = rs.msg.permits(trace.With(ctx, ru.permitTrace), p.check, r, rs.at == StageEnd)
	}
	switch {
	case err != nil:
		// A permit exists that could not be vouched for just now. Nothing permanent may come of that.
		ru.verdict = ru.verdict.Deferred().Because("%s; a permit could not be vouched for: %v", ru.verdict.cause, err)
	case by != "":
		rs.explain(ru, r, Word{Says: SaysBypassed, By: by, Reply: rs.line(ru, "").String(), Cause: ru.verdict.cause})
		return ruling{}
	}
	rs.explainRuling(ru, r)
	return ru
}

// objection turns a word into what is to be answered: its own reply, or the one for a check that could not tell.
func (rs *resolver) objection(p *pending, w word, r *Recipient) ruling {
	mode := rs.mode(p.check, r)
	if p.monitored() {
		mode = min(mode, Monitor)
	}
	if w.err == nil {
		if !w.verdict.change.Empty() && (mode < Enforce || rs.at != StageEnd) {
			mode = min(mode, Monitor) // a temporary refusal is stricter than what was asked for
		}
		return ruling{p: p, verdict: w.verdict, mode: mode}
	}
	registry := rs.policy().registry
	action, reply := p.check.onError, registry.Unavailable
	if rs.at == StageEnd {
		reply = registry.Unprocessed
	}
	var defect *fault
	if errors.As(w.err, &defect) || action == Fails {
		f := rs.policy().fault
		mode, reply = min(mode, rs.mode(f, r)), f.Replies[0]
		if action = f.onError; action == Fails {
			action = Delay
		}
	}
	ru := ruling{p: p, mode: mode, failure: w.err}
	ru.verdict = Object(reply).Because("%s: %v", p.check.Name, w.err)
	if action != Delay {
		rs.explain(ru, r, Word{Says: SaysCannotTell, Cause: w.err.Error()})
		rs.recordFailure(ru, r)
		return ruling{}
	}
	return ru
}

// standing reports what about the client lets this mail past the check, or that the recipient must be reachable.
func (rs *resolver) standing(b *bound, r *Recipient) string {
	has := rs.conn.standing
	if rs.msg != nil {
		has |= rs.msg.standing
	}
	switch {
	case b.Bypass&has&BypassTrusted != 0:
		return "trusted client"
	case b.Bypass&has&BypassLogin != 0:
		return "login"
	case b.Bypass&has&BypassRelay != 0:
		return "inbound relay"
	case b.Bypass&BypassAlwaysAccept != 0 && r != nil && rs.policy().alwaysAccepts(r, rs.recipients):
		return "always accepted recipient"
	}
	return ""
}

// certain reports whether a word that is known now is sure to refuse this recipient, or the client and sender.
func (rs *resolver) certain(p *pending, r *Recipient) bool {
	if rs.words != nil || !p.known() || p.said().verdict.reply == nil || p.monitored() || !rs.mode(p.check, r).Refuses() {
		return false
	}
	return p.said().verdict.change.Empty() && rs.standing(p.check, r) == "" && (rs.msg == nil || !rs.msg.mayPermit(p.check, r))
}

// line builds what the client reads.
func (rs *resolver) line(ru ruling, id string) Line {
	effective := rs.policy().reply(ru.verdict.reply)
	code, enhanced, text := ru.verdict.words(effective, ru.mode)
	if rs.at == StageRcpt && ru.p.stage <= StageMail && rs.policy().Settings.EnforceFor != nil {
		code = keepOpen(code)
	}
	return newLine(code, enhanced, text, rs.policy().Settings.HelpURL, id)
}
