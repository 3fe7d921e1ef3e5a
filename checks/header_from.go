package checks

import (
	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// HeaderFrom refuses messages by the addresses of header From.
var HeaderFrom = &policy.Check{
	Name:  "header-from",
	Title: "header From under a block policy",
	Help: `Looks every address of every From field up in the tables of ` + "`--header-from-list`" + `: encoded words are decoded, and
international domains are the same however they are written. ` + "`--header-from-display`" + ` also looks up addresses that
stand in a display name or a comment, where a reader takes them for the sender.`,
	Mode:    policy.Enforce,
	Replies: []*policy.Reply{replyHeaderFrom},
	Setup: func(f *policy.Flags) policy.Build {
		specs := f.Tables("list", "addresses in header From that are refused")
		display := f.Bool("display", false, "look up addresses in display names, too")
		return func(env *policy.Env) (policy.Hooks, error) {
			list, err := env.List("list", *specs, table.Actions)
			if err != nil || list == nil {
				return policy.Hooks{Off: "no --header-from-list"}, err
			}
			return policy.Hooks{Headers: headerBlock(list, *display)}, nil
		}
	},
}

// headerBlock judges the addresses of header From by a block list. One that is blocked is enough.
func headerBlock(list *table.List, display bool) func(*policy.Message) (policy.Verdict, error) {
	return func(m *policy.Message) (policy.Verdict, error) {
		from := m.HeaderFrom()
		if v := anyBlocked(list, from.Addresses); v.Objects() || !display {
			return v, nil
		}
		return anyBlocked(list, from.Display), nil
	}
}

func anyBlocked(list *table.List, addresses []address.Address) policy.Verdict {
	for _, a := range addresses {
		match, found := list.Address(a)
		if v := entryVerdict(replyHeaderFrom, match, found); v.Objects() {
			return v
		}
	}
	return policy.Pass
}

var replyHeaderFrom = &policy.Reply{
	ID: "header-from", Row: "P7", Offence: policy.OffenceBlocked, Code: 550, Enhanced: "5.7.1", Text: "Rejected by header based Blocked Senders - Block policy for Header From",
	Description: "An address in the From header, which the reader sees as the sender, is under a block policy.",
	Resolution:  "The administrator removes the entry that the event names, or exempts the address with an entry OK.",
}
