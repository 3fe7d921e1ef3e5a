package blocklist

import (
	"context"

	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// BypassUse is what the tables of a [Bypass] are for.
func BypassUse() table.Use {
	return table.Use{Asked: table.Clients | table.Addresses, Values: table.Permits, Bare: "OK"}
}

// Bypass is a check's own list of senders, recipients and clients that it leaves alone.
type Bypass struct{ List *table.List }

// Message reports whether the client or the sender is in the list, as far as that is known without
// waiting: false where the list waits. See [Bypass.Unless].
func (b Bypass) Message(m *policy.Message) bool {
	if b.List.Waits() {
		return false
	}
	found, _ := b.message(context.Background(), m)
	return found
}

// Recipient reports the same of the recipient.
func (b Bypass) Recipient(r *policy.Recipient) bool {
	if b.List.Waits() {
		return false
	}
	found, _ := b.permits(b.List.Address(context.Background(), r.Address))
	return found
}

// Unless returns the verdict on a message for some of its recipients, unless the client, the sender
// or one of those is in the list. Only an objection is worth asking a list that waits. One that
// cannot answer makes the objection temporary.
func (b Bypass) Unless(v policy.Verdict, m *policy.Message, recipients ...*policy.Recipient) (policy.Verdict, error) {
	if !v.Objects() {
		return v, nil
	}
	return policy.Asks(b.List).Later(func(ctx context.Context) (policy.Verdict, error) {
		return b.Spare(ctx, v, m, recipients...), nil
	}), nil
}

// Spare is Unless where the caller waits already.
func (b Bypass) Spare(ctx context.Context, v policy.Verdict, m *policy.Message, recipients ...*policy.Recipient) policy.Verdict {
	found, err := b.Lists(ctx, m, recipients...)
	if found {
		return policy.Pass
	}
	return unlessKnown(v, err)
}

// Lists reports whether the client, the sender or one of the recipients is in the list.
func (b Bypass) Lists(ctx context.Context, m *policy.Message, recipients ...*policy.Recipient) (bool, error) {
	found, err := b.message(ctx, m)
	for i := 0; i < len(recipients) && !found && err == nil; i++ {
		found, err = b.permits(b.List.Address(ctx, recipients[i].Address))
	}
	return found, err
}

// Unsure makes an objection temporary because a list that could take it back has failed.
func Unsure(v policy.Verdict, err error) policy.Verdict {
	return v.Deferred().Because("%s; it may be exempt: %v", v.Cause(), err)
}

// unlessKnown returns an objection, temporary if err says that a list which could take it back has
// failed.
func unlessKnown(v policy.Verdict, err error) policy.Verdict {
	if err != nil {
		return Unsure(v, err)
	}
	return v
}

func (b Bypass) message(ctx context.Context, m *policy.Message) (bool, error) {
	if found, err := b.permits(b.List.Address(ctx, m.Sender)); found || err != nil {
		return found, err
	}
	return b.permits(m.Conn.LookUp(ctx, b.List))
}

// permits reports whether an entry of a permit list permits: DUNNO does not.
func (b Bypass) permits(m table.Match, err error) (bool, error) {
	return m.Action.Verb == table.OK, err
}
