// Package address refuses envelope senders and recipients that no mail system can use. It asks
// nobody and remembers nothing.
package address

import (
	"mailweir/internal/address"
	"mailweir/internal/policy"
)

// Check refuses envelope addresses that no mail system can use.
var Check = &policy.Check{
	Name:  "address",
	Title: "envelope addresses that are not valid",
	Help: `By default only gross errors are refused: an empty local part, no domain (but ` + "`<>`" + `, ` + "`<postmaster>`" + ` and
trusted clients may leave it out), control characters or spaces outside quotes, a label of more than 63 or a name of more
than 254 octets, a malformed address literal, and ` + "`%`, `!`" + ` or source routing in a recipient given by a client
that is not trusted. ` + "`--address-strict`" + ` demands the whole grammar of RFC 5321 section 4.1.2, and RFC 6531 for
SMTPUTF8.`,
	Mode:     policy.Enforce,
	Proof:    policy.FirstDay("it refuses only addresses that no mail server could use"),
	AnswerAt: policy.StageMail,
	Replies:  []*policy.Reply{replySender, replyRecipient},
	Setup: func(f *policy.Flags) policy.Build {
		strict := f.Bool("strict", false, "demand the whole grammar of RFC 5321 and RFC 6531")
		return func(*policy.Env) (policy.Hooks, error) {
			valid := func(a address.Address, rules address.Rules, smtputf8 bool) error {
				if *strict {
					return a.Strict(rules, smtputf8)
				}
				return a.Gross(rules)
			}
			return policy.Hooks{
				Mail: func(m *policy.Message) (policy.Verdict, error) {
					rules := address.Rules{NoDomain: m.Trusted() || isPostmaster(m.Sender)}
					return invalid(replySender, valid(m.Sender, rules, m.SMTPUTF8)), nil
				},
				Rcpt: func(r *policy.Recipient) (policy.Verdict, error) {
					trusted := r.Msg.Trusted()
					rules := address.Rules{NoDomain: trusted || isPostmaster(r.Address), NoRouting: !trusted}
					if r.Address.IsNull() {
						return invalid(replyRecipient, address.ErrEmptyLocal), nil
					}
					return invalid(replyRecipient, valid(r.Address, rules, r.Msg.SMTPUTF8)), nil
				},
			}, nil
		}
	},
}

func isPostmaster(a address.Address) bool { return a.Domain == "" && a.Local == "postmaster" }

func invalid(reply *policy.Reply, err error) policy.Verdict {
	if err == nil {
		return policy.Pass
	}
	return policy.Object(reply).Because("%v", err)
}

var replySender = &policy.Reply{
	ID: "sender-address", Row: "P1", Code: 501, Enhanced: "5.1.7", Text: "Invalid address",
	Description: "The envelope sender is not an address to which anything could be returned.",
	Resolution:  "The sender corrects the return address in the sending program. The event says what is wrong with it.",
	Advice:      "Please correct the return address that your mail program gives.",
	Lifts: []policy.Lift{
		{Says: "Nothing lets it pass: no answer could be returned to such a sender."},
	},
}

var replyRecipient = &policy.Reply{
	ID: "recipient-address", Row: "P1", Code: 501, Enhanced: "5.1.3", Text: "Invalid address",
	Description: "The recipient is not a valid mail address, or asks us to send the mail on elsewhere.",
	Resolution:  "The sender corrects the recipient's address. The event says what is wrong with it.",
	Advice:      "Please correct the recipient's address.",
	Lifts: []policy.Lift{
		{Says: "Nothing lets it pass: this is not a valid address."},
	},
}
