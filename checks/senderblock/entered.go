package senderblock

import (
	"context"

	"mailweir/internal/blocklist"
	"mailweir/internal/byhand"
	"mailweir/internal/policy"
	"mailweir/internal/table"
	"mailweir/internal/trace"
)

// rule judges the envelope sender by the tables and by what people have entered.
type rule struct {
	list            *table.List
	blocks, permits *byhand.List
	delimiter       string
	tables, entries policy.PlainQuestion
	vouching        policy.PlainQuestion
}

func (b *rule) judge(r *policy.Recipient) (policy.Verdict, error) {
	m := r.Msg
	both := func(ctx context.Context) (policy.Verdict, error) { return b.both(ctx, m) }
	switch {
	case !b.blocks.Fresh():
		return b.entries.Later(both), nil
	case b.list == nil && !b.blocks.HasSenders(context.Background()): // as it is known
		return policy.Pass, nil
	}
	return b.tables.Later(both), nil
}

func (b *rule) tabled(ctx context.Context, m *policy.Message) (policy.Verdict, error) {
	match, err := b.list.Address(ctx, m.Sender)
	return blocklist.Verdict(reply, match), err
}

// both asks what people have entered and the tables. An entry of the tables that is about less than
// a block decides before it.
func (b *rule) both(ctx context.Context, m *policy.Message) (policy.Verdict, error) {
	block, unknown := b.blocks.Sender(ctx, m.Sender, b.delimiter)
	if block == nil {
		v, err := b.tabled(ctx, m)
		if err == nil && !v.Objects() && unknown != nil {
			err = policy.LetOn(unknown)
		}
		return v, err
	}
	if block.Subject.IsDomain() && b.list != nil {
		match, err := b.list.Address(ctx, m.Sender)
		if err != nil {
			return policy.Pass, err
		}
		if match.Found() && byhand.LessThan(match.Key, block) {
			return blocklist.Verdict(reply, match), nil
		}
	}
	return b.unlessPermitted(ctx, m, block)
}

// unlessPermitted refuses, unless somebody has permitted what is about less, and something vouches
// for the sender.
func (b *rule) unlessPermitted(ctx context.Context, m *policy.Message, block *byhand.Entry) (policy.Verdict, error) {
	v := policy.Object(reply).Because("%s", block.Cause("blocked"))
	permit, err := b.permits.Sender(ctx, m.Sender, b.delimiter)
	switch {
	case err != nil:
		return blocklist.Unsure(v, err)
	case permit == nil || !permit.Narrower(block):
		return v, nil
	}
	return b.vouching.Later(func(ctx context.Context) (policy.Verdict, error) {
		vouched, err := m.Vouched(ctx)
		switch {
		case vouched:
			return policy.Pass.Because("%s", permit.Cause("permitted")), nil
		case err != nil:
			return blocklist.Unsure(v, err)
		}
		trace.Add(ctx, "permit: "+permit.Cause("permitted"), policy.PermitNotCounted+": nothing vouches for the sender")
		return v, nil
	}), nil
}
