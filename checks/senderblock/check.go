// Package senderblock refuses senders that the tables of --sender-block-list name, in the envelope,
// in header From, or both, and envelope senders that somebody has blocked by mailweir block
// (entered.go). It judges by internal/blocklist; on header From it gives the reply of the check
// header-from.
package senderblock

import (
	"context"
	"fmt"
	"regexp"

	"mailweir/internal/blocklist"
	"mailweir/internal/byhand"
	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// Check refuses senders that the administrator has listed.
var Check = &policy.Check{
	Name:  "sender-block",
	Title: "senders on the administrator's block list",
	Page:  "block",
	Help: `Looks the sender up in the tables of ` + "`--sender-block-list`" + `, and the envelope sender among those that are blocked at run time by
` + "`mailweir block add spammer@example.net`" + `, which acts at once on every host that shares the state. ` + "`--sender-block-on`" + ` chooses which sender the tables are about: that of the
envelope, that of header From, or both. A hit on the header answers with the reply of header-from. An entry
` + "`OK`" + ` or ` + "`DUNNO`" + ` exempts an address from a wider entry, of the tables or of those made at run time; so does ` + "`mailweir permit add`" + ` from one made at run time, if
something vouches for the sender. With neither tables nor entries the check costs nothing.

While the state is unavailable, the entries that were known last stay in force. Where none have been read since the start, the tables alone
apply, and a check error is recorded.`,
	Mode:    policy.Enforce,
	Proof:   policy.FirstDay("it refuses only the senders that you have listed or blocked"),
	OnError: policy.Delay,
	Exempt:  policy.ExemptAlwaysAccept,
	Replies: []*policy.Reply{reply},
	Measures: []policy.Lift{
		{Operation: "block/add", Words: []string{"{sender}"}, Says: "Blocks {sender} for every recipient."},
		{Operation: "block/add", Words: []string{"{sender_domain}"}, Says: "Blocks all of {sender_domain} for every recipient."},
	},
	Setup: func(f *policy.Flags) policy.Build {
		specs := f.Tables("list", "senders that are refused", table.Use{Asked: table.Addresses, Values: table.Actions, Bare: "REJECT"})
		on := f.String("on", "envelope", "envelope|header|both", "which sender the list is about")
		return func(env *policy.Env) (policy.Hooks, error) {
			if *on != "envelope" && *on != "header" && *on != "both" {
				return policy.Hooks{}, fmt.Errorf("--sender-block-on: %q is none of envelope, header, both", *on)
			}
			list, err := specs.Open(env)
			if err != nil {
				return policy.Hooks{}, err
			}
			rule := &rule{
				blocks: byhand.NewList(env.Backends, byhand.Block), permits: byhand.NewList(env.Backends, byhand.Permit),
				delimiter: env.Settings.Delimiter, entries: policy.Asks(env.State), vouching: policy.Asks(policy.Network{}),
			}
			hooks := policy.Hooks{Ready: func(ctx context.Context) { rule.blocks.Ready(ctx) }}
			if *on != "header" {
				rule.list, rule.tables = list, policy.Asks(list)
			}
			hooks.Rcpt = rule.judge
			if *on != "envelope" && list != nil {
				hooks.Headers = blocklist.HeaderFrom(list, false)
			}
			return hooks, nil
		}
	},
}

var reply = &policy.Reply{
	ID: "sender-block", Row: "P3", Offence: policy.OffenceBlocked, Code: 550, Enhanced: "5.7.1", Text: "Administrative prohibition - envelope blocked",
	Description: "The envelope sender, or its domain, is on the administrator's list of blocked senders.",
	Resolution:  "The administrator removes the entry that the event names (mailweir block rm, or the list), or exempts the address with an entry OK.",
	Advice:      "Mail from this address is not accepted here; please write to our postmaster.",
	Lifts: []policy.Lift{
		{Operation: "block/rm", Words: []string{"{subject}"}, Cause: regexp.MustCompile(`^"(?P<subject>[^"\\]+)" is blocked `), Says: "Takes the block of {subject} back that was entered at run time."},
		{Operation: "permit/add", Words: []string{"{sender}"}, Vouched: true, Cause: regexp.MustCompile(`^"[^"@\\]+" is blocked `), Says: "Permits {sender} alone, while SPF or DKIM vouches for the sender; the rest of the domain stays blocked."},
		{Table: "sender-block-list", Entry: "{sender} OK", Cause: regexp.MustCompile(`" matches `), Says: "Exempts {sender}. In a regexp: table it must stand before {place}; where that line is for this very address, take it out instead."},
	},
}
