package clientblock

import (
	"context"

	"mailweir/internal/blocklist"
	"mailweir/internal/byhand"
	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// entered judges a client by what people have entered. It does so with each message: an entry acts
// on a connection that is open already.
type entered struct {
	reply           *policy.Reply
	list            *table.List
	blocks, permits *byhand.List
	changes         policy.PlainQuestion
	tables          policy.PlainQuestion
}

func newEntered(env *policy.Env, reply *policy.Reply, list *table.List) *entered {
	return &entered{
		reply: reply, list: list, changes: policy.Asks(env.State, list), tables: policy.Asks(list),
		blocks: byhand.NewList(env.Backends, byhand.Block), permits: byhand.NewList(env.Backends, byhand.Permit),
	}
}

func (e *entered) judge(m *policy.Message) (policy.Verdict, error) {
	look := func(ctx context.Context) (policy.Verdict, error) { return e.look(ctx, m.Conn) }
	switch {
	case !m.Conn.Client.IsValid():
		return policy.Pass, nil
	case !e.blocks.Fresh():
		return e.changes.Later(look), nil
	case !e.blocks.HasClients(context.Background()): // as it is known
		return policy.Pass, nil
	}
	return e.tables.Later(look), nil
}

// look refuses a client that is blocked, unless a smaller net is permitted, or an entry of the
// tables exempts it from the block of a net.
func (e *entered) look(ctx context.Context, c *policy.Connection) (policy.Verdict, error) {
	block, err := e.blocks.Client(ctx, c.Client)
	if block == nil {
		if err != nil {
			err = policy.LetOn(err)
		}
		return policy.Pass, err
	}
	v := policy.Object(e.reply).Because("%s", block.Cause("blocked"))
	if block.Subject.Clients.IsSingleIP() {
		return v, nil
	}
	permit, err := e.permits.Client(ctx, c.Client)
	switch {
	case err != nil:
		return blocklist.Unsure(v, err)
	case permit != nil && permit.Narrower(block):
		return policy.Pass.Because("%s", permit.Cause("permitted")), nil
	}
	match, err := c.LookUp(ctx, e.list)
	switch verb := match.Action.Verb; {
	case err != nil:
		return blocklist.Unsure(v, err)
	case match.Found() && (verb == table.OK || verb == table.Dunno):
		return policy.Pass, nil
	}
	return v, nil
}
