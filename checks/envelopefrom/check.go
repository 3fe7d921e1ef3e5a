// Package envelopefrom refuses envelope senders that the tables of --envelope-from-list name. It
// judges by internal/blocklist, as sender-block does, but gives a reply of its own and never looks
// at header From; it remembers nothing.
package envelopefrom

import (
	"mailweir/internal/blocklist"
	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// Check refuses envelope senders by a list that is about the envelope only.
var Check = &policy.Check{
	Name:  "envelope-from",
	Title: "envelope senders under a block policy",
	Page:  "block",
	Help: `Looks the envelope sender up in the tables of ` + "`--envelope-from-list`" + `. It differs from sender-block in
its words and in that its entries are never about header From.`,
	Mode:    policy.Enforce,
	Proof:   policy.FirstDay("it refuses only the senders that you have listed"),
	OnError: policy.Accept,
	Exempt:  policy.ExemptAlwaysAccept,
	Replies: []*policy.Reply{reply},
	Setup: func(f *policy.Flags) policy.Build {
		specs := f.Tables("list", "envelope senders that are refused", table.Use{Asked: table.Addresses, Values: table.Actions, Bare: "REJECT"})
		return func(env *policy.Env) (policy.Hooks, error) {
			list, err := specs.Open(env)
			if err != nil || list == nil {
				return policy.Hooks{Off: "no --envelope-from-list"}, err
			}
			return policy.Hooks{Rcpt: blocklist.Envelope(reply, list)}, nil
		}
	},
}

var reply = &policy.Reply{
	ID: "envelope-from", Row: "P8", Offence: policy.OffenceBlocked, Code: 550, Enhanced: "5.7.1", Text: "Envelope Rejected - Block policy for Envelope from address",
	Description: "The envelope sender, or its domain, is under a block policy for the envelope.",
	Resolution:  "The administrator removes the entry that the event names, or exempts the address with an entry OK.",
	Advice:      "Mail from this address is not accepted here; please write to our postmaster.",
	Lifts: []policy.Lift{
		{Table: "envelope-from-list", Entry: "{sender} OK", Says: "Exempts {sender}. In a regexp: table it must stand before {place}; where that line is for this very address, take it out instead."},
	},
}
