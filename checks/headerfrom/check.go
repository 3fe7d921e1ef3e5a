// Package headerfrom refuses messages by the addresses of header From, which the tables of
// --header-from-list name. How it judges, and its reply, stand in internal/blocklist/headerfrom.go,
// because sender-block shares both and no check imports another.
package headerfrom

import (
	"mailweir/internal/blocklist"
	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// Check refuses messages by the addresses of header From. How it judges, and its reply, are
// [blocklist.HeaderFrom] and [blocklist.ReplyHeaderFrom], which sender-block shares.
var Check = &policy.Check{
	Name:  "header-from",
	Title: "header From under a block policy",
	Page:  "block",
	Help: `Looks every address of every From field up in the tables of ` + "`--header-from-list`" + `: encoded words are decoded, and
international domains are the same however they are written. ` + "`--header-from-display`" + ` also looks up addresses that
stand in a display name or a comment, where a reader takes them for the sender. Letters and signs of another width or style count as they are,
and as the plain ones that they look like.

There is no limit to the addresses, but of tables that wait 200 are asked. What could not be looked up, in these or because the From fields are
longer than a MiB, is a check error.`,
	Mode:    policy.Enforce,
	Proof:   policy.FirstDay("it refuses only the senders that you have listed"),
	OnError: policy.Delay,
	Replies: []*policy.Reply{blocklist.ReplyHeaderFrom},
	Setup: func(f *policy.Flags) policy.Build {
		specs := f.Tables("list", "addresses in header From that are refused", table.Use{Asked: table.Addresses, Values: table.Actions, Bare: "REJECT"})
		display := f.Bool("display", false, "look up addresses in display names, too")
		return func(env *policy.Env) (policy.Hooks, error) {
			list, err := specs.Open(env)
			if err != nil || list == nil {
				return policy.Hooks{Off: "no --header-from-list"}, err
			}
			return policy.Hooks{Headers: blocklist.HeaderFrom(list, *display)}, nil
		}
	},
}
