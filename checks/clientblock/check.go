// Package clientblock refuses clients that the tables of --client-block-list name, by address or
// verified name. It remembers nothing.
package clientblock

import (
	"context"

	"mailweir/internal/blocklist"
	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// Check refuses clients that the administrator has listed.
var Check = &policy.Check{
	Name:  "client-block",
	Title: "clients on the administrator's block list",
	Help: `Looks the client's address, and its verified name, up in the tables of ` + "`--client-block-list`" + `, in the
manner of check_client_access. An entry ` + "`OK`" + ` or ` + "`DUNNO`" + ` exempts a host from a wider entry. The answer is a
421 at MAIL, which ends the connection. No permit overrides this list; a login does.`,
	Mode:     policy.Enforce,
	OnError:  policy.Accept,
	AnswerAt: policy.StageMail,
	Exempt:   policy.ExemptLogin,
	Replies:  []*policy.Reply{reply},
	Setup: func(f *policy.Flags) policy.Build {
		specs := f.Tables("list", "clients that are refused")
		return func(env *policy.Env) (policy.Hooks, error) {
			list, err := env.List("list", *specs, table.Actions)
			if err != nil || list == nil {
				return policy.Hooks{Off: "no --client-block-list"}, err
			}
			return policy.Hooks{Connect: func(c *policy.Connection) (policy.Verdict, error) {
				return policy.Asks(list).Later(func(ctx context.Context) (policy.Verdict, error) {
					match, err := c.LookUp(ctx, list)
					return blocklist.Verdict(reply, match), err
				}), nil
			}}, nil
		}
	},
}

var reply = &policy.Reply{
	ID: "client-block", Row: "T1", Code: 421, Enhanced: "4.7.1", Text: "Sender address blocked",
	Description: "The sending host's address or name is on the administrator's list of blocked clients.",
	Resolution:  "The administrator removes the entry that the event names, or exempts the host with an entry OK before it.",
}
