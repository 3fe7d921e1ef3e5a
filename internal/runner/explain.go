package runner

import (
	"fmt"

	"mailweir/internal/policy"
	"mailweir/internal/trace"
)

// Says is the kind of what a check said.
type Says uint8

const (
	SaysNothing    Says = iota // nothing against it
	SaysObjects                // it should not pass
	SaysCannotTell             // an error
	SaysBypassed               // an objection that a permit or exemption drops
)

var saysNames = [...]string{"nothing against it", "objects", "check error", "bypassed"}

// String returns the kind in words.
func (s Says) String() string { return saysNames[s] }

// Finding is what one check said, for explain.
type Finding struct {
	Check     string
	Stage     policy.Stage
	Place     int         // in the printed order; what is said comes as it is known
	Recipient string      // "" for client, sender or the whole message
	Mode      policy.Mode // of this objection: what is only monitored of a check that is enforced says so
	Says      Says
	Reply     string
	By        string
	Cause     string
	// ByHand tells by whose order the check only monitors, "" where the policy says so.
	ByHand string
	// Err is the error of a check that failed.
	Err   error
	Trace []trace.Query
}

// report tells explain what became of a finding, and records a failure that lets the mail go on and
// what the check noted.
func (rs *resolver) report(ru *ruling) {
	failed := ru.is == drop && ru.failure != nil && ru.by == ""
	if failed && rs.past != nil && notRecorded(ru.failure) {
		rs.explain(ru, Finding{Says: SaysCannotTell, Cause: ru.failure.Error(), Err: ru.failure})
		return
	}
	if failed {
		rs.recordFailure(ru)
	}
	if ru.is == drop && ru.by == "" && ru.verdict.IsNoted() {
		rs.recordNoted(ru)
	}
	if rs.tell == nil {
		return
	}
	w := Finding{Says: SaysObjects, Cause: ru.verdict.Cause(), By: ru.by}
	switch {
	case ru.by != "" && ru.verdict.Finds():
		w.Says = SaysBypassed
	case !ru.verdict.Finds():
		w.Says, w.By = SaysNothing, ""
	case ru.failure != nil:
		w.Says, w.Cause, w.Err = SaysCannotTell, fmt.Sprint(ru.failure), ru.failure
	}
	switch {
	case w.Says == SaysNothing || failed:
	case ru.edits():
		w.Reply = policy.EditText(ru.verdict.Edits())
	default:
		w.Reply = ru.line.Ending(rs.conn.policy.Settings.HelpURL, "").String()
	}
	rs.explain(ru, w)
}

// explain tells what one check said about one recipient, or about client and sender.
func (rs *resolver) explain(ru *ruling, w Finding) {
	f := ru.f
	w.Check, w.Stage, w.Place, w.Mode, w.Trace = f.check.Name, f.stage, f.pos, f.mode(ru.r, rs.orders), ru.queries()
	if ru.r != nil {
		w.Recipient = ru.r.RcptFacts.Recipient
	}
	w.ByHand = rs.byHand(f.check)
	rs.tell(w)
}

// explainNothing tells explain that a check ran and has nothing against it, with what it remarks.
func (s *Session) explainNothing(f *finding) {
	rs := s.resolver(f.stage)
	rs.explain(&ruling{f: f, r: f.rcpt}, Finding{Says: SaysNothing, Cause: f.said.verdict.Cause()})
}
