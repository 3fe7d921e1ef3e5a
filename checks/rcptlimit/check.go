// Package rcptlimit defers recipients beyond a number for each message. It asks nobody; the message
// itself has the count.
package rcptlimit

import "mailweir/internal/policy"

// Check defers recipients beyond a number for each message.
var Check = &policy.Check{
	Name:  "rcpt-limit",
	Title: "too many recipients of one message",
	Help: `After ` + "`--rcpt-limit-max`" + ` accepted recipients of one message each further one is answered with 452, which tells
the client to send the message to those it has and to come back with the rest (RFC 5321 section 4.5.3.1.10). Trusted
clients have their own limit, ` + "`--rcpt-limit-trusted`" + `.

Postfix counts these answers as errors of the client and hangs up after smtpd_hard_error_limit (20) of them: then nothing is
delivered at all. On the service that faces the Internet set smtpd_soft_error_limit and smtpd_hard_error_limit to 1100,
as contrib/postfix does.`,
	Mode:    policy.Enforce,
	Proof:   policy.FirstDay("recipients beyond the limit are only put off"),
	Replies: []*policy.Reply{reply},
	Setup: func(f *policy.Flags) policy.Build {
		most := f.Int("max", 100, "recipients of one message from clients that are not trusted, 0 for no limit")
		trusted := f.Int("trusted", 0, "the same for trusted clients")
		return func(*policy.Env) (policy.Hooks, error) {
			if *most == 0 && *trusted == 0 {
				return policy.Hooks{Off: "--rcpt-limit-max=0 and --rcpt-limit-trusted=0"}, nil
			}
			return policy.Hooks{Rcpt: func(r *policy.Recipient) (policy.Verdict, error) {
				limit := *most
				if r.Msg.Trusted() {
					limit = *trusted
				}
				before := r.Msg.RecipientCount() - 1
				if r.Conn().Local || limit == 0 || before < limit || repeated(r) {
					return policy.Pass, nil
				}
				return policy.Object(reply).Because("%d recipients accepted, limit %d", before, limit), nil
			}, Remarks: []string{
				"rcpt-limit needs smtpd_soft_error_limit and smtpd_hard_error_limit well above 20 in Postfix, or clients with many recipients are cut off",
			}}, nil
		}
	},
}

// repeated reports whether the message has this recipient already. It would not be one more; and
// Sendmail, which keeps each recipient once, would drop the accepted one with the refused one.
func repeated(r *policy.Recipient) bool {
	return r.Msg.AnyRecipient(func(other *policy.Recipient) bool {
		return other != r && other.Address.Key() == r.Address.Key()
	})
}

var reply = &policy.Reply{
	ID: "rcpt-limit", Row: "T14", Code: 452, Enhanced: "4.5.3", Text: "Too many recipients",
	Description: "The message has as many recipients as one message may have. Those before this one are not affected.",
	Resolution:  "Nothing: a mail server delivers to the accepted recipients and then to the rest. A program that does not should send to fewer at once.",
	Advice:      "A mail server delivers the rest by itself; if yours does not, please send to fewer recipients at once.",
	Lifts: []policy.Lift{
		{Says: "Nothing need be done: the recipients before this one are not affected, and a mail server sends to the rest afterwards."},
		{Setting: "rcpt-limit-max", Says: "Raises the limit for every client that is not trusted."},
	},
}
