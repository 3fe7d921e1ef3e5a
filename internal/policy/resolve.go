package policy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// resolver turns pending words into one answer at one stage. It holds no state of the session, so that monitored words
// can be resolved after the answer has left.
type resolver struct {
	runner *Runner
	words  func(Word) // set by explain
	conn   *Connection
	msg    *Message // nil at HELO
	at     Stage    // where the answer is given
	// recipients are those that remain, as the answer begins.
	recipients []*Recipient
}

// ruling is what one pending word comes to for one recipient, or for client and sender.
type ruling struct {
	p *pending
	// verdict is the objection to answer with; without a reply the mail goes on.
	verdict Verdict
	mode    Mode
	// failure is the error of a check that could not tell.
	failure error
}

func (ru *ruling) objects() bool { return ru.verdict.reply != nil }

func (rs *resolver) policy() *Policy { return rs.conn.policy }

// due reports whether a word is answered at this stage.
func (rs *resolver) due(p *pending) bool {
	if p.check.AnswerAt == StageHelo {
		return rs.at == StageHelo && p.stage <= StageHelo
	}
	if rs.conn.Local {
		return rs.at == StageEnd
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
	if _, ok := pilot.Address(r.Address); !ok {
		return Monitor
	}
	return b.mode
}

// decide resolves a list of words for one recipient, or for client and sender when r is nil: what is bypassed is
// dropped, what is monitored is recorded, and the first one to be enforced is returned. Monitored words that are
// not there yet are returned as well, to be recorded when they come.
func (rs *resolver) decide(ctx context.Context, list []*pending, r *Recipient) (first *ruling, late []*pending) {
	for _, p := range list {
		if rs.mode(p.check, r) == Monitor && !p.known() && rs.words == nil {
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

// rule waits for one word and says what it comes to.
func (rs *resolver) rule(ctx context.Context, p *pending, r *Recipient) ruling {
	w := p.wait(ctx)
	if w.err == nil && w.verdict.reply == nil {
		rs.explain(p, r, Word{Says: SaysNothing, Cause: w.verdict.cause})
		return ruling{}
	}
	ru := rs.objection(p, w, r)
	if !ru.objects() {
		return ru
	}
	by, err := rs.bypass(ctx, p.check, r)
	switch {
	case err != nil:
		// A permit exists that could not be vouched for just now. Nothing permanent may come of that.
		ru.verdict = ru.verdict.Deferred().Because("%s; a permit could not be vouched for: %v", ru.verdict.cause, err)
	case by != "":
		rs.explain(p, r, Word{Says: SaysBypassed, By: by, Reply: rs.line(ru, "").String(), Cause: ru.verdict.cause})
		return ruling{}
	}
	rs.explainRuling(ru, r)
	return ru
}

// objection turns a word into what is to be answered: its own reply, or the one for a check that could not tell.
func (rs *resolver) objection(p *pending, w word, r *Recipient) ruling {
	mode := rs.mode(p.check, r)
	if w.err == nil {
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
		action, mode, reply = f.onError, min(mode, rs.mode(f, r)), f.Replies[0]
	}
	ru := ruling{p: p, mode: mode, failure: w.err}
	ru.verdict = Object(reply).Because("%s: %v", p.check.Name, w.err)
	if action != Delay {
		rs.explain(p, r, Word{Says: SaysCannotTell, Cause: w.err.Error()})
		rs.recordFailure(ru, r)
		return ruling{}
	}
	return ru
}

// bypass reports which standing or permit lets this mail past the check.
func (rs *resolver) bypass(ctx context.Context, b *bound, r *Recipient) (string, error) {
	if by := rs.standing(b, r); by != "" {
		return by, nil
	}
	if rs.msg == nil {
		return "", nil
	}
	return rs.msg.permits(ctx, b, r)
}

// standing is the part of bypass that needs no looking up.
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
	case b.Bypass&BypassAlwaysAccept != 0 && r != nil && rs.policy().alwaysAccepts(r):
		return "always accepted recipient"
	}
	return ""
}

// certain reports whether a word that is known now is sure to refuse this recipient.
func (rs *resolver) certain(ctx context.Context, p *pending, r *Recipient) bool {
	if rs.words != nil || p.later != nil || p.word.err != nil || !rs.mode(p.check, r).Refuses() {
		return false
	}
	by, err := rs.bypass(ctx, p.check, r)
	return by == "" && err == nil
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

// Says is the kind of a check's word.
type Says uint8

const (
	SaysNothing    Says = iota // nothing against it
	SaysObjects                // it should not pass
	SaysCannotTell             // an error
	SaysBypassed               // an objection that a permit or standing drops
)

var saysNames = [...]string{"nothing against it", "objects", "could not tell", "bypassed"}

// String returns the kind in words.
func (s Says) String() string { return saysNames[s] }

// Word is what one check said, for explain.
type Word struct {
	Check     string
	Stage     Stage
	Recipient string // "" for client, sender or the whole message
	Mode      Mode
	Says      Says
	Reply     string
	By        string
	Cause     string
	Asked     []Asked
}

func (rs *resolver) explain(p *pending, r *Recipient, w Word) {
	if rs.words == nil {
		return
	}
	w.Check, w.Stage, w.Mode, w.Asked = p.check.Name, p.stage, rs.mode(p.check, r), p.asked()
	if r != nil {
		w.Recipient = r.RcptFacts.Recipient
	}
	rs.words(w)
}

func (rs *resolver) explainRuling(ru ruling, r *Recipient) {
	w := Word{Says: SaysObjects, Reply: rs.line(ru, "").String(), Cause: ru.verdict.cause}
	if ru.failure != nil {
		w.Says = SaysCannotTell
		w.Cause = fmt.Sprint(ru.failure)
	}
	rs.explain(ru.p, r, w)
}
