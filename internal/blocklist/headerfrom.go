package blocklist

import (
	"context"

	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// ReplyHeaderFrom is the reply of the check header-from, and of sender-block where it looks at
// header From, too. It stands here because no check imports another.
var ReplyHeaderFrom = &policy.Reply{
	ID: "header-from", Row: "P7", Offence: policy.OffenceBlocked, Code: 550, Enhanced: "5.7.1", Text: "Rejected by header based Blocked Senders - Block policy for Header From",
	Description: "An address in the From header, which the reader sees as the sender, is under a block policy.",
	Resolution:  "The administrator removes the entry that the event names, or exempts the address with an entry OK.",
	Advice:      "Mail under this address is not accepted here; please write to our postmaster.",
	Lifts: []policy.Lift{
		{Table: "header-from-list", Entry: "{from} OK", Says: "Exempts {from}. In a regexp: table it must stand before {place}; where that line is for this very address, take it out instead."},
		{Says: "Take out the entry that the cause names, or exempt the address by OK."},
	},
}

// HeaderFrom judges the addresses of header From by a block list. One that is blocked is enough.
func HeaderFrom(list *table.List, display bool) func(*policy.Message) (policy.Verdict, error) {
	return func(m *policy.Message) (policy.Verdict, error) {
		authors, unknown := Authors(m, display, list)
		return policy.Asks(list).Later(func(ctx context.Context) (policy.Verdict, error) {
			ctx, end := InTime(ctx, m, list)
			defer end()
			for a := range authors {
				if ctx.Err() != nil {
					return policy.Pass, context.Cause(ctx)
				}
				match, err := list.Address(ctx, a)
				if v := Verdict(ReplyHeaderFrom, match); v.Objects() || err != nil {
					return v, err
				}
			}
			return policy.Pass, unknown
		}), nil
	}
}
