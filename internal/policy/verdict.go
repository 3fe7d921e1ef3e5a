package policy

import (
	"context"
	"fmt"
	"strings"
)

// Verdict is a check's judgement of one scope. The zero value has nothing against it.
type Verdict struct {
	reply *Reply
	args  []string
	cause string
	own   ownWords
	edits []Edit
	later func(context.Context) (Verdict, error)
	waits bool // later does
	also  *Verdict
	// monitored says that it is only recorded, whatever the mode.
	monitored bool
	noted     bool // it is recorded though it has nothing against the mail
}

// ownWords is what a table entry says instead of the declared reply: REJECT text, DEFER text or a
// whole reply.
type ownWords struct {
	deferred bool
	code     int
	enhanced string
	text     string
}

// Pass is the verdict that has nothing against the mail.
var Pass = Verdict{}

// Object says that this should not pass, with this reply. The arguments fill the reply's
// placeholders in the order of [Reply.Args]; they may come from untrusted clients and are cleaned
// when the reply is built.
func Object(reply *Reply, args ...string) Verdict {
	return Verdict{reply: reply, args: args}
}

// Edits says that the message should go on, changed. They are done where the check is enforced for
// each remaining recipient, at the end of the message; elsewhere they are only recorded.
func Edits(edits ...Edit) Verdict { return Verdict{edits: edits} }

// maxCause bounds a cause in octets: senders choose addresses and names of any length.
const maxCause = 4096

// Because adds the cause for the administrator: which entry, list or figure led to the objection.
// It stands in log and explain, never in a reply. What is longer than 4 KiB is cut, visibly.
func (v Verdict) Because(format string, args ...any) Verdict {
	v.cause = fmt.Sprintf(format, args...)
	if len(v.cause) > maxCause {
		v.cause = strings.ToValidUTF8(v.cause[:maxCause], "") + "…"
	}
	return v
}

// Deferred makes the objection temporary, as the mode defer does.
func (v Verdict) Deferred() Verdict {
	v.own.deferred = true
	return v
}

// And adds a second judgement of the same check, which is judged by itself: what is enforced then
// need not wait for what is only recorded. It is for what a hook returns, and there are two at
// most: a third, or a second in the answer of a Later, would be lost, so it is a fault.
func (v Verdict) And(w Verdict) Verdict {
	if v.also != nil || w.also != nil {
		panic("Verdict.And: a hook returns two judgements at most")
	}
	v.also = &w
	return v
}

// Monitored makes the objection one that is only recorded, whatever the check's mode. On a
// [Question.Later] it says so beforehand, and nobody waits for it.
func (v Verdict) Monitored() Verdict {
	v.monitored = true
	return v
}

// Noted has it recorded, with its cause, that the check has nothing against a message, where that
// may surprise: another program would have acted otherwise. It is for verdicts on a message at its
// end.
func (v Verdict) Noted() Verdict {
	v.noted = true
	return v
}

// Text replaces the declared text, as a table entry "REJECT text" does.
func (v Verdict) Text(text string) Verdict {
	v.own.text = text
	return v
}

// Code replaces the declared code and enhanced code, as a table entry "550 5.7.1 text" does. What
// is 0 or "" stays as declared; the class of the enhanced code follows the code.
func (v Verdict) Code(code int, enhanced string) Verdict {
	v.own.code, v.own.enhanced = code, enhanced
	return v
}

// Objects reports whether the verdict is an objection that is known now.
func (v Verdict) Objects() bool { return v.reply != nil }

// Reply returns the declaration that the objection uses, or nil.
func (v Verdict) Reply() *Reply { return v.reply }

// Cause returns what Because said.
func (v Verdict) Cause() string { return v.cause }

// Edits returns what [Edits] asked for.
func (v Verdict) Edits() []Edit { return v.edits }

// Finds reports whether the verdict, which is known, has anything to say about the mail: an
// objection or edits.
func (v Verdict) Finds() bool { return v.reply != nil || len(v.edits) > 0 }

// OnlyMonitors reports whether Monitored has been called.
func (v Verdict) OnlyMonitors() bool { return v.monitored }

// IsNoted reports whether Noted has been called.
func (v Verdict) IsNoted() bool { return v.noted }

// Also returns what And added, nil without it.
func (v Verdict) Also() *Verdict { return v.also }

// Work returns the function of a [Question.Later], nil for any other verdict.
func (v Verdict) Work() func(context.Context) (Verdict, error) { return v.later }

// Waits reports whether that function may wait.
func (v Verdict) Waits() bool { return v.waits }
