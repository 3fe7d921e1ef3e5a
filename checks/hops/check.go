// Package hops refuses messages that have gone in a circle, by the number of their Received fields.
// It asks nobody, and what it has counted ends with the message.
package hops

import (
	"strings"

	"mailweir/internal/policy"
)

// Check refuses messages that have gone in a circle.
var Check = &policy.Check{
	Name:  "hops",
	Title: "mail loops",
	Help: `Counts the Received fields that the message arrives with (RFC 5321 section 6.3); the MTA's own comes after them
and is not among them. From ` + "`--hops-max`" + ` on, the message is taken to be in a loop.`,
	Mode:    policy.Enforce,
	Proof:   policy.FirstDay("it refuses only mail that goes round in circles"),
	Replies: []*policy.Reply{reply},
	Setup: func(f *policy.Flags) policy.Build {
		most := f.Int("max", 25, "number of Received fields from which a message is in a loop, 0 for no limit")
		return func(env *policy.Env) (policy.Hooks, error) {
			if *most == 0 {
				return policy.Hooks{Off: "--hops-max=0"}, nil
			}
			received := policy.NewSlot[int](env)
			return policy.Hooks{
				Header: func(m *policy.Message, f policy.Field) {
					if strings.EqualFold(f.Name, "Received") {
						*received.Of(m)++
					}
				},
				Headers: func(m *policy.Message) (policy.Verdict, error) {
					if n := *received.Of(m); n >= *most {
						return policy.Object(reply).Because("%d Received fields, limit %d", n, *most), nil
					}
					return policy.Pass, nil
				},
			}, nil
		}
	},
}

var reply = &policy.Reply{
	ID: "hops", Row: "P18", Code: 554, Enhanced: "5.4.6", Text: "Mail loop detected",
	Description: "The message has passed through as many hosts as a message that goes in a circle, most likely between two forwarding addresses.",
	Resolution:  "Sender and recipient look at the forwarding rules of the addresses involved, and break the circle.",
	Advice:      "The message went round in a circle, most likely between two addresses that forward to each other; please look at their forwarding.",
	Lifts: []policy.Lift{
		{Says: "Nothing lets it pass: the forwarding that goes in a circle must end."},
	},
}
