// Package senderblock refuses senders that the tables of --sender-block-list name, in the envelope,
// in header From, or both. It judges by internal/blocklist and remembers nothing; on header From it
// gives the reply of the check header-from.
package senderblock

import (
	"fmt"

	"mailweir/internal/blocklist"
	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// Check refuses senders that the administrator has listed.
var Check = &policy.Check{
	Name:  "sender-block",
	Title: "senders on the administrator's block list",
	Help: `Looks the sender up in the tables of ` + "`--sender-block-list`" + `. ` + "`--sender-block-on`" + ` chooses which sender: that of the
envelope, that of header From, or both. A hit on the header answers with the reply of header-from. An entry
` + "`OK`" + ` or ` + "`DUNNO`" + ` exempts an address from a wider entry.`,
	Mode:    policy.Enforce,
	OnError: policy.Delay,
	Exempt:  policy.ExemptAlwaysAccept,
	Replies: []*policy.Reply{reply},
	Measures: []policy.Lift{
		{Table: "sender-block-list", Entry: "{sender} REJECT", Says: "Blocks {sender} for every recipient."},
	},
	Setup: func(f *policy.Flags) policy.Build {
		specs := f.Tables("list", "senders that are refused", table.Use{Asked: table.Addresses, Values: table.Actions, Bare: "REJECT"})
		on := f.String("on", "envelope", "envelope|header|both", "which sender the list is about")
		return func(env *policy.Env) (policy.Hooks, error) {
			if *on != "envelope" && *on != "header" && *on != "both" {
				return policy.Hooks{}, fmt.Errorf("--sender-block-on: %q is none of envelope, header, both", *on)
			}
			list, err := specs.Open(env)
			if err != nil || list == nil {
				return policy.Hooks{Off: "no --sender-block-list"}, err
			}
			var hooks policy.Hooks
			if *on != "header" {
				hooks.Rcpt = blocklist.Envelope(reply, list)
			}
			if *on != "envelope" {
				hooks.Headers = blocklist.HeaderFrom(list, false)
			}
			return hooks, nil
		}
	},
}

var reply = &policy.Reply{
	ID: "sender-block", Row: "P3", Offence: policy.OffenceBlocked, Code: 550, Enhanced: "5.7.1", Text: "Administrative prohibition - envelope blocked",
	Description: "The envelope sender, or its domain, is on the administrator's list of blocked senders.",
	Resolution:  "The administrator removes the entry that the event names, or exempts the address with an entry OK.",
	Advice:      "Mail from this address is not accepted here; please write to our postmaster.",
	Lifts: []policy.Lift{
		{Table: "sender-block-list", Entry: "{sender} OK", Says: "Exempts {sender}. In a regexp: table it must stand before {place}; where that line is for this very address, take it out instead."},
	},
}
