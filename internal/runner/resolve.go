package runner

import (
	"context"
	"errors"
	"time"

	"mailweir/internal/byhand"
	"mailweir/internal/policy"
	"mailweir/internal/trace"
)

// resolver knows the case that findings are resolved for at one stage. It holds no state of the
// session, so that what is only monitored can be resolved after the answer has left.
type resolver struct {
	runner *Runner
	tell   func(Finding) // set by explain
	past   Past          // of a recorded case
	conn   *connection
	msg    *message     // nil at HELO
	at     policy.Stage // where the answer is given
	// orders are the checks that only monitor by order of a person.
	orders byhand.Orders
	// exempt is what about client, sender and the only recipient lets mail past checks.
	exempt policy.Exemption
	// recipients are those that remain, as the answer begins; helo and queueID what is known then.
	recipients []*recipient
	helo       *policy.HeloFacts // nil before the first
	queueID    string
	// began is when the MTA asked.
	began time.Time
}

// resolution is what becomes of a finding.
type resolution uint8

const (
	open    resolution = iota // not known yet: something must be waited for
	drop                      // nothing against the mail, or something that it gives way to
	record                    // an objection that is only recorded
	enforce                   // an objection to answer with
)

// ruling is what one finding comes to for one recipient, or for client and sender.
type ruling struct {
	f *finding
	// r is the recipient; nil for client and sender, or where nobody remains.
	r  *recipient
	is resolution
	// mode is that of the objection; the highest that it can have while the resolution is open.
	mode policy.Mode
	// verdict is the objection, line its reply, still without an id.
	verdict policy.Verdict
	line    policy.Line
	// failure is the error of a check that failed.
	failure error
	// by is the exemption or permit that the finding gives way to.
	by string
	// permit is what was found out about permits, nil as long as nobody has asked.
	permit *permitted
}

// permitted is the answer to the question for permits: which one lets the mail past, or why that
// could not be told.
type permitted struct {
	by    string
	err   error
	trace trace.Trace
}

// resolve says what a finding comes to for one recipient, or for client and sender when r is nil.
// It never waits: what is open, [resolver.await] waits for.
func (rs *resolver) resolve(f *finding, r *recipient, permit *permitted) ruling {
	ru := ruling{f: f, r: r, is: drop, mode: f.mode(r, rs.orders), permit: permit, by: exemption(f.check.Exempt & rs.exempt)}
	if ru.by != "" && rs.tell == nil {
		return ru
	}
	w, known := f.known()
	switch {
	case !known:
		ru.is = open
		return ru
	case w.err == nil && !w.verdict.Finds():
		ru.verdict = w.verdict
		return ru
	case rs.past != nil && notRecorded(w.err):
		ru.failure = w.err
		return ru
	case rs.past != nil && permit != nil && notRecorded(permit.err):
		ru.failure = permit.err
		return ru
	}
	objects := rs.object(&ru, w)
	if objects && ru.by == "" && permit != nil && permit.err == nil {
		ru.by = permit.by
	}
	if ru.is = rs.comesTo(&ru, objects); ru.is != open {
		rs.word(&ru)
	}
	return ru
}

// comesTo says what becomes of a finding that is known, with the exemption or permit that lets the
// mail past it.
func (rs *resolver) comesTo(ru *ruling, objects bool) resolution {
	switch {
	case !objects || ru.by != "":
		return drop
	case ru.permit == nil && rs.msg != nil && rs.msg.mayLetPast(ru.f.check, ru.r):
		return open
	case ru.mode.Refuses():
		return enforce
	}
	return record
}

// word makes temporary what rests on a permit that could not be asked for, adds to the cause what
// was not known, and builds the reply.
func (rs *resolver) word(ru *ruling) {
	if permit := ru.permit; permit != nil && permit.err != nil {
		ru.verdict = ru.verdict.Deferred().Because("%s; a permit could not be vouched for: %v", ru.verdict.Cause(), permit.err)
	}
	if r := ru.r; r != nil && r.pilotFailed != nil && ru.mode.Refuses() {
		ru.verdict = ru.verdict.Because("%s; not known whether the recipient is in %v", ru.verdict.Cause(), r.pilotFailed)
	}
	if ru.verdict.Reply() != nil {
		ru.line = rs.line(ru)
	}
}

// await waits for what a ruling is open for, and resolves it.
func (rs *resolver) await(ctx context.Context, ru ruling) ruling {
	ru.f.wait(ctx, rs.runner)
	ru = rs.resolve(ru.f, ru.r, nil)
	if ru.is == open {
		permit := new(permitted)
		permit.trace.To(rs.msg.log())
		permit.by, permit.err = rs.msg.permits(trace.With(ctx, &permit.trace), ru.f.check, ru.r, rs.at == policy.StageEnd)
		if rs.past != nil && notRecorded(permit.err) {
			rs.recallPermit(ru.f, ru.r, permit)
		}
		ru = rs.resolve(ru.f, ru.r, permit)
	}
	return ru
}

// mode is the highest mode that the finding can have for a recipient, nil for client and sender.
func (f *finding) mode(r *recipient, orders byhand.Orders) policy.Mode {
	mode := f.check.modeFor(r, orders)
	if w, _ := f.known(); f.monitors || w.verdict.OnlyMonitors() {
		mode = min(mode, policy.Monitor)
	}
	return mode
}

// modeNow is the mode of a check: that of the policy, unless a person has ordered that it only
// monitors.
func (b *bound) modeNow(orders byhand.Orders) policy.Mode {
	if _, ordered := orders.Of(b.Name); ordered {
		return min(b.mode, policy.Monitor)
	}
	return b.mode
}

// modeFor is the mode of a check for one recipient; outside a pilot everything is only monitored.
// Where it is not known whether the recipient is in it, nothing is refused permanently, and nothing
// passes either.
func (b *bound) modeFor(r *recipient, orders byhand.Orders) policy.Mode {
	mode := b.modeNow(orders)
	switch {
	case r == nil || b.AnswerAt == policy.StageHelo:
	case !r.Enforced || r.spares(b):
		mode = min(mode, policy.Monitor)
	case r.pilotFailed != nil:
		mode = min(mode, policy.Defer)
	}
	return mode
}

// object fills in what a finding says against the mail: its own reply, or the one for a check that
// failed. It reports false where the failure lets the mail go on. Edits count only where the check
// is enforced, at the end of the message: elsewhere they are recorded.
func (rs *resolver) object(ru *ruling, w said) bool {
	ru.verdict, ru.failure = w.verdict, w.err
	action := policy.Delay
	switch {
	case w.err != nil:
		action = rs.failed(ru)
	case ru.edits() && (ru.mode < policy.Enforce || rs.at != policy.StageEnd):
		ru.mode = min(ru.mode, policy.Monitor) // a temporary refusal would be stricter than what is asked for
	}
	return action == policy.Delay
}

// failed gives the ruling the reply of a check that failed, and returns what becomes of the mail.
func (rs *resolver) failed(ru *ruling) policy.OnError {
	registry := rs.conn.policy.registry
	action, reply := ru.f.check.onError, registry.Unavailable
	switch own := ru.f.check.Unavailable; {
	case rs.at == policy.StageEnd:
		reply = registry.Unprocessed
	case own != nil:
		reply = own
	}
	var defect *fault
	if errors.As(ru.failure, &defect) || action == policy.Fails {
		f := rs.conn.policy.fault
		ru.mode, reply = min(ru.mode, f.modeFor(ru.r, rs.orders)), f.Replies[0]
		if action = f.onError; action == policy.Fails {
			action = policy.Delay
		}
	}
	switch {
	case policy.LetsOn(ru.failure):
		action = policy.Accept
	case policy.DefersOn(ru.failure):
		action = policy.Delay
	}
	ru.verdict = policy.Object(reply).Because("%s: %v", ru.f.check.Name, ru.failure)
	return action
}

// exemption tells what lets the mail past a check.
func exemption(has policy.Exemption) string {
	switch {
	case has == 0:
	case has&policy.ExemptTrusted != 0:
		return "trusted client"
	case has&policy.ExemptLogin != 0:
		return "login"
	case has&policy.ExemptRelay != 0:
		return "inbound relay"
	case has&policy.ExemptAlwaysAccept != 0:
		return "always accepted recipient"
	}
	return ""
}

// spares reports whether a check is only monitored for the recipient by --monitor-for.
func (r *recipient) spares(b *bound) bool { return policy.Spares(r.spared, b.Name) }

// line builds the reply of an objection. Where modes depend on the recipient, what was known at
// MAIL is answered at RCPT and must not end the connection.
func (rs *resolver) line(ru *ruling) policy.Line {
	p := rs.conn.policy
	line := ru.verdict.Line(p.reply(ru.verdict.Reply()), ru.mode)
	if rs.at == policy.StageRcpt && ru.f.stage <= policy.StageMail && p.Settings.ByRecipient() {
		return line.KeepOpen()
	}
	return line
}

// refuses reports whether the ruling refuses the mail.
func (ru *ruling) refuses() bool { return ru.is == enforce && !ru.edits() }

// temporary reports whether the client is to try again.
func (ru *ruling) temporary() bool { return ru.line.Code()/100 == 4 }

// known returns what the check says, if it has said it.
func (f *finding) known() (said, bool) {
	switch {
	case f.later == nil:
		return f.said, true
	case isDone(f.later.done):
		return f.later.said, true
	}
	return f.said, false
}

// mayLetPast reports whether a permit may let a recipient's mail past the check, or that of client
// and sender when r is nil, as far as is known without waiting.
func (m *message) mayLetPast(b *bound, r *recipient) bool {
	may := m.mayPermit & b.Exempt
	if may&grantable != 0 && (r == nil || r.nothingGranted(b)) {
		may &^= grantable
	}
	return may != 0
}

// reply returns the reply as --replies has it.
func (p *Policy) reply(r *policy.Reply) *policy.Reply {
	if own, ok := p.replies[r]; ok {
		return own
	}
	return r
}
