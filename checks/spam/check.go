// Package spam refuses and marks messages that a spam scanner takes for spam. The scanners are
// asked by internal/spamscan, whose protocols are internal/rspamd and internal/spamd; this package
// turns answers into verdicts. It remembers nothing.
package spam

import (
	"mailweir/internal/policy"
)

// Check refuses and marks what a spam scanner takes for spam.
var Check = &policy.Check{
	Name:  "spam",
	Title: "messages that a spam scanner objects to",
	Help: `Shows each message at its end to rspamd or to spamd of SpamAssassin, with client, HELO, sender, recipients, login and TLS, and does
as they say. ` + "`--spam-scanner`" + ` names a scanner; several of one kind are asked by turn, and one that fails is
followed by the next. All together have 20 seconds.

` + "`--spam-reject-at`" + ` and ` + "`--spam-tag-at`" + ` say from which score on a message is refused, and marked by ` + "`X-Spam-Flag: YES`" + ` and
` + "`X-Spam-Score`" + `; ` + "`action`" + ` leaves that to the scanner, ` + "`never`" + ` does without. What rspamd wants added to the header or removed from it is done;
nothing else is changed. Fields ` + "`X-Spam*`" + ` and ` + "`X-Rspamd-*`" + ` that an untrusted client sends along are removed, unless it is an inbound
relay. The message is changed only in mode enforce.

` + "`--spam-direction`" + ` says which mail is shown: ` + "`inbound`, `outbound`, `internal`" + `, or several. A permit of any kind lets mail past, for all
recipients even if it is that of one.`,
	Mode:    policy.Enforce,
	Proof:   policy.AfterAWeek("a scanner that is not trained takes wanted mail for spam"),
	OnError: policy.Accept,
	Exempt: policy.ExemptPermitClient | policy.ExemptPermitSender | policy.ExemptHeaderFrom | policy.ExemptRecipientPermit |
		policy.ExemptAutoAllow | policy.ExemptAlwaysAccept,
	Aggregate: policy.AggregateAll,
	Replies:   []*policy.Reply{reply, replyLater},
	Setup: func(f *policy.Flags) policy.Build {
		o := &options{
			scanners:  f.Strings("scanner", "SCANNER", "scanner: rspamd:http://HOST:11333, rspamd:unix:/PATH, spamd:HOST:783 or spamd:unix:/PATH"),
			rejectAt:  f.String("reject-at", byAction, "action|never|SCORE", "when a message is refused"),
			tagAt:     f.String("tag-at", byAction, "action|never|SCORE", "when a message is marked as spam"),
			direction: f.Words("direction", []string{"inbound"}, "DIRECTION,…", "mail that is shown to the scanner: inbound, outbound, internal"),
			maxSize:   f.Size("max-size", 0, "larger messages are not shown; 0 is 50MiB for rspamd and 500kB for spamd"),
		}
		return o.build
	},
}

var reply = &policy.Reply{
	ID: "spam", Row: "P17", Offence: policy.OffenceSpam, Code: 554, Enhanced: "5.7.1", Text: "Email rejected due to security policies ({signature})", Args: []string{"signature"},
	Description: "The spam scanner takes the message for spam. In brackets stands what the scanner has to say about it, or the rules that weigh most. The event has its action, the score and the rules that hit.",
	Resolution:  "The sender removes what looks like spam, or asks the recipient for a permit. The administrator looks at the rules in the event, and adds a permit (--permit-senders) or changes the scanner's scores.",
	Advice:      "Your message was taken for spam; please ask the recipient for a permit, or send it without what may look like spam.",
}

var replyLater = &policy.Reply{
	ID: "spam-later", Row: "T12", Code: 451, Enhanced: "4.3.0", Text: "Unable to process email at this time",
	Description: "The spam scanner wants the message later (rspamd's soft reject): it limits the rate, greylists by itself, or has not finished in time. The event has its words.",
	Resolution:  "The sender's server tries again by itself. The administrator looks at the module of rspamd that the event names.",
	Advice:      "Your mail server tries again by itself, so you need not do anything.",
}
