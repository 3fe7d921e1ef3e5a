package blocklist

import (
	"context"

	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// Envelope judges the envelope sender by a block list.
func Envelope(reply *policy.Reply, list *table.List) func(*policy.Recipient) (policy.Verdict, error) {
	return func(r *policy.Recipient) (policy.Verdict, error) {
		sender := r.Msg.Sender
		return policy.Asks(list).Later(func(ctx context.Context) (policy.Verdict, error) {
			match, err := list.Address(ctx, sender)
			return Verdict(reply, match), err
		}), nil
	}
}
