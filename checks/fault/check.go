// Package fault declares what is answered where mailweir could not judge: defects of its own, and
// failed checks at the end of a message. It has no hooks; the runner gives its replies.
package fault

import "mailweir/internal/policy"

// Check declares what mailweir answers when it could not judge at all.
var Check = &policy.Check{
	Name:  "fault",
	Title: "defects of mailweir itself: a bug, a panic, a deadline that passed",
	Page:  "overload",
	Help: `A defect never ends the daemon and never loses mail. The message that met it is deferred, so that
it comes again, or passes with ` + "`--fault-on-error=accept`" + `. Each case is logged with its cause; please report it.

A check whose own on-error is ` + "`defer`" + ` and whose backend failed answers with the reply unavailable (row T4) before DATA, and
with the reply unprocessed after it.`,
	Mode:    policy.Enforce,
	Proof:   policy.FirstDay("it only puts off mail while mailweir itself fails"),
	OnError: policy.Delay,
	Replies: []*policy.Reply{reply, ReplyUnprocessed},
	Setup:   nil,
}

var reply = &policy.Reply{
	ID: "fault", Row: "T13", Code: 451, Enhanced: "4.3.0", Text: "Unable to process email at this time",
	Description: "mailweir met a defect of its own while it judged this message. The log line of the event has the cause.",
	Resolution:  "Nothing for the sender: the mail is tried again. The administrator finds the cause by the event's id and reports it.",
	Advice:      "Your mail server tries again by itself, so you need not do anything.",
	Lifts: []policy.Lift{
		{Says: "Nothing lets it pass but mending the defect that the cause names; please report it."},
		{Setting: "fault-on-error=accept", Says: "Lets mail pass that mailweir itself failed to judge, for everybody."},
	},
}

var ReplyUnprocessed = &policy.Reply{
	ID: "unprocessed", Row: "T12", Code: 451, Enhanced: "4.3.0", Text: "Unable to process email at this time",
	Description: "A check that examines the whole message could not do so, because what it relies on did not work, and its on-error is defer.",
	Resolution:  "Nothing for the sender: the mail is tried again. The administrator looks for the check and its error in the event.",
	Advice:      "Your mail server tries again by itself, so you need not do anything.",
	Lifts: []policy.Lift{
		{Says: "Nothing for this message: it passes as soon as what the cause names works again, or has room."},
	},
}
