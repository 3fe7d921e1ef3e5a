// Package size refuses messages that are too large, as declared at MAIL or as counted on arrival.
// It asks the table of --size-limits; what it has counted ends with the message.
package size

import (
	"context"
	"fmt"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// Check refuses messages that are too large.
var Check = &policy.Check{
	Name:  "size",
	Title: "messages that are too large",
	Help: `The size that the client declares (SIZE=, RFC 1870) is judged before the message is sent; the octets that arrive are
counted without holding the message, and judged at its end. ` + "`--size-max`" + ` is the limit of everyone who has none
of their own in ` + "`--size-limits`" + `, by envelope sender or recipient (` + "`user@example.com 10MiB`" + `; 0 is no limit). Where
both have one, the smaller counts.

While ` + "`--size-limits`" + ` is in use, a declared size is judged at RCPT, where the recipient is known, unless the
sender has a limit. What was counted refuses only a message that is too large for every one of its recipients: it can
only be refused as a whole. The MTA's own limit (Postfix's message_size_limit, Sendmail's MaxMessageSize) comes first.`,
	Mode:      policy.Enforce,
	Proof:     policy.FirstDay("it refuses only mail over the limit that you have chosen"),
	OnError:   policy.Accept,
	AnswerAt:  policy.StageMail,
	Aggregate: policy.AggregateAll,
	Replies:   []*policy.Reply{reply},
	Setup: func(f *policy.Flags) policy.Build {
		most := f.Size("max", 100<<20, "greatest message, 0 for no limit")
		specs := f.Tables("limits", "limits of their own for senders and recipients",
			table.Use{Asked: table.Addresses, Values: table.Values{Name: "size limits", Check: validSize}})
		return func(env *policy.Env) (policy.Hooks, error) {
			limits, err := specs.Open(env)
			if err != nil {
				return policy.Hooks{}, err
			}
			if *most == 0 && limits == nil {
				return policy.Hooks{Off: "--size-max=0 and no --size-limits"}, nil
			}
			return rule{most: *most, limits: limits}.hooks(), nil
		}
	},
}

func validSize(value string) error {
	_, err := policy.ParseSize(value)
	return err
}

type rule struct {
	most   policy.Size
	limits *table.List
}

func (s rule) hooks() policy.Hooks {
	return policy.Hooks{
		Mail: func(m *policy.Message) (policy.Verdict, error) {
			if s.limits == nil {
				return tooLarge("declared", m.Size, s.most), nil
			}
			return policy.Asks(s.limits).Later(func(ctx context.Context) (policy.Verdict, error) {
				limit, _, err := s.own(ctx, m.Sender)
				return tooLarge("declared", m.Size, limit), err
			}), nil
		},
		Rcpt: func(r *policy.Recipient) (policy.Verdict, error) {
			if s.limits == nil {
				return policy.Pass, nil
			}
			return policy.Asks(s.limits).Later(func(ctx context.Context) (policy.Verdict, error) {
				limit, err := s.limit(ctx, r)
				return tooLarge("declared", r.Msg.Size, limit), err
			}), nil
		},
		MessageFor: func(r *policy.Recipient) (policy.Verdict, error) {
			octets := r.Msg.Octets
			return policy.Asks(s.limits).Later(func(ctx context.Context) (policy.Verdict, error) {
				limit, err := s.limit(ctx, r)
				return tooLarge("counted", octets, limit), err
			}), nil
		},
	}
}

// own is the limit that the table gives an address.
func (s rule) own(ctx context.Context, a address.Address) (limit policy.Size, found bool, err error) {
	match, err := s.limits.Address(ctx, a)
	if err != nil || !match.Found() {
		return 0, false, err
	}
	limit, err = policy.ParseSize(match.Value)
	if err != nil { // only a value with $1 can get here
		return 0, false, fmt.Errorf("%s: %w", match.Where(), err)
	}
	return limit, true, nil
}

// limit is what counts for mail from this sender to this recipient: the smaller of their own
// limits, else that of everyone. 0 is no limit.
func (s rule) limit(ctx context.Context, r *policy.Recipient) (policy.Size, error) {
	to, hasTo, err := s.own(ctx, r.Address)
	if err != nil {
		return 0, err
	}
	from, hasFrom, err := s.own(ctx, r.Msg.Sender)
	switch {
	case err != nil:
		return 0, err
	case hasTo && hasFrom && to != 0 && from != 0:
		return min(to, from), nil
	case hasTo && hasFrom:
		return max(to, from), nil
	case hasTo:
		return to, nil
	case hasFrom:
		return from, nil
	}
	return s.most, nil
}

func tooLarge(how string, octets int64, limit policy.Size) policy.Verdict {
	if limit == 0 || octets <= int64(limit) {
		return policy.Pass
	}
	return policy.Object(reply).Because("%s %d octets, limit %s", how, octets, &limit)
}

var reply = &policy.Reply{
	ID: "size", Row: "P19", Code: 554, Enhanced: "5.3.4", Text: "Maximum email size exceeded",
	Description: "The message is larger than the limit of the system, of its sender or of its recipient. Encoding makes attachments a third larger than the files.",
	Resolution:  "The sender sends less at once, or shares the files in another way. The administrator raises --size-max or the entry in --size-limits.",
	Advice:      "Your message is too large; please send less at once, or share the files in another way.",
	Lifts: []policy.Lift{
		{Setting: "size-max", Says: "Raises the limit for everybody, where the cause names that limit. A line of --size-limits sets one for a sender or recipient; the smaller of both counts."},
	},
}
