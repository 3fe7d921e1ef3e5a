// Package clientblock refuses clients that the tables of --client-block-list name, by address or
// verified name, and those that somebody has blocked by mailweir block (entered.go).
package clientblock

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	"mailweir/internal/blocklist"
	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// Check refuses clients that the administrator has listed.
var Check = &policy.Check{
	Name:  "client-block",
	Title: "clients on the administrator's block list",
	Page:  "block",
	Help: `Looks the client's address, and its verified name, up in the tables of ` + "`--client-block-list`" + `, in the
manner of check_client_access. An entry ` + "`OK`" + ` or ` + "`DUNNO`" + ` exempts a host from a wider entry. The answer is a
421 at MAIL, which ends the connection; a sender's queue tries again for days. ` + "`--client-block-code=554`" + ` refuses such a client
permanently. No permit overrides this list; a login does.

` + "`mailweir block add 192.0.2.1`" + ` blocks an address or a net at run time, from the client's next message on. A permit of a smaller net
(` + "`mailweir permit add`" + `) exempts from such a block of a net, and so does an entry ` + "`OK`" + ` or ` + "`DUNNO`" + ` of the tables. While the state is unavailable, the
entries that were known last stay in force. With neither tables nor entries the check costs nothing.`,
	Mode:     policy.Enforce,
	Proof:    policy.FirstDay("it refuses only the clients that you have listed"),
	OnError:  policy.Accept,
	AnswerAt: policy.StageMail,
	Exempt:   policy.ExemptLogin,
	Replies:  []*policy.Reply{reply, replyPermanent},
	Measures: []policy.Lift{
		{Operation: "block/add", Words: []string{"{client}"}, Says: "Blocks {client}, whoever it sends for, from its next message on."},
	},
	Setup: func(f *policy.Flags) policy.Build {
		specs := f.Tables("list", "clients that are refused", table.Use{Asked: table.Clients, Values: table.Actions, Bare: "REJECT"})
		code := f.String("code", "421", "421|554", "whether they try again: 421, or 554, permanently")
		return func(env *policy.Env) (policy.Hooks, error) {
			reply, err := replyOf(*code)
			if err != nil {
				return policy.Hooks{}, err
			}
			list, err := specs.Open(env)
			if err != nil {
				return policy.Hooks{}, err
			}
			entered := newEntered(env, reply, list)
			hooks := policy.Hooks{Mail: entered.judge, Ready: entered.blocks.Ready}
			if list != nil {
				hooks.Connect = func(c *policy.Connection) (policy.Verdict, error) {
					return policy.Asks(list).Later(func(ctx context.Context) (policy.Verdict, error) {
						match, err := c.LookUp(ctx, list)
						return blocklist.Verdict(reply, match), err
					}), nil
				}
			}
			return hooks, nil
		}
	},
}

// replyOf is the reply that --client-block-code chooses.
func replyOf(code string) (*policy.Reply, error) {
	for _, r := range []*policy.Reply{reply, replyPermanent} {
		if code == strconv.Itoa(r.Code) {
			return r, nil
		}
	}
	return nil, fmt.Errorf("--client-block-code: %q is neither 421 nor 554", code)
}

var reply = &policy.Reply{
	ID: "client-block", Row: "T1", Code: 421, Enhanced: "4.7.1", Text: "Sender address blocked",
	Description: "The sending host's address or name is on the administrator's list of blocked clients.",
	Resolution:  "The administrator removes the entry that the event names, or exempts the host with an entry OK before it; mailweir block rm takes one back that was entered at run time.",
	Advice:      "Mail from your mail server {client} is not accepted here; please have its administrator write to our postmaster.",
	Lifts:       lifts(),
}

var replyPermanent = &policy.Reply{
	ID: "client-block-permanent", Row: "T1", Code: 554, Enhanced: "5.7.1", Text: "Sender address blocked",
	Description: "The sending host's address or name is on the administrator's list of blocked clients, and --client-block-code=554 refuses it permanently.",
	Resolution:  "The administrator removes the entry that the event names, or exempts the host with an entry OK before it; mailweir block rm takes one back that was entered at run time.",
	Advice:      "Mail from your mail server {client} is not accepted here; please have its administrator write to our postmaster.",
	Lifts:       lifts(),
}

// lifts are those of both replies.
func lifts() []policy.Lift {
	return []policy.Lift{
		{Operation: "block/rm", Words: []string{"{subject}"}, Cause: regexp.MustCompile(`^"(?P<subject>[^"\\]+)" is blocked `), Says: "Takes the block of {subject} back that was entered at run time."},
		{Table: "client-block-list", Entry: "{client} OK", Cause: regexp.MustCompile(`" matches `), Says: "Exempts {client}. In a cidr: or regexp: table it must stand before {place}; where that line is for this very client, take it out instead."},
	}
}
