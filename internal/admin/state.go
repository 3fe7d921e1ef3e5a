package admin

import (
	"context"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/state"
	"mailweir/rbl"
)

// Operations for other programs than people: explain sees by them what the daemon sees.
const (
	StateWhere  = "state/where"  // the name of the daemon's store
	StateRead   = "state/read"   // a [state.Question] and its [state.Answer]
	ListsStatus = "lists/status" // how the DNS lists do, []rbl.ListStatus
)

// readWithin is how long the daemon reads for one question of explain.
const readWithin = 5 * time.Second

// Operations are those that belong to no check. where is the name of the store for whoever works in
// another directory.
func Operations(where string) []policy.OperationGroup {
	kept := &backups{}
	return []policy.OperationGroup{
		{Name: "state", Title: "Look at what checks remember, or move it", Operations: []policy.Operation{
			policy.NewList(policy.About{Name: "stats", Title: "Show how much checks remember"}, policy.Unasked, stats, listing),
			policy.NewOperation(policy.About{Name: "where", Daemon: true, Hidden: true}, policy.Unasked,
				func(context.Context, *policy.Call, policy.Nothing) (string, error) { return where, nil }, nil),
			policy.NewOperation(policy.About{Name: "read", Daemon: true, Hidden: true, Quiet: true}, noCommand[state.Question], read, nil),
			policy.NewOperation(policy.About{Name: "backup-part", Hidden: true, Quiet: true, Within: BackupWithin}, noCommand[BackupPart], kept.part, nil),
		}},
		{Name: "lists", Operations: []policy.Operation{
			policy.NewOperation(policy.About{Name: "status", Daemon: true, Hidden: true, Quiet: true}, policy.Unasked,
				func(_ context.Context, c *policy.Call, _ policy.Nothing) ([]rbl.ListStatus, error) {
					return c.Backends.Lists.Status(), nil
				}, nil),
		}},
	}
}

// noCommand is for operations of which no command is made.
func noCommand[In any](*policy.Flags) func([]string) (In, error) {
	return func([]string) (in In, err error) { return in, nil }
}

func read(ctx context.Context, c *policy.Call, q state.Question) (state.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	return q.Answer(ctx, c.Backends.State)
}

func stats(ctx context.Context, c *policy.Call, _ policy.Nothing) (state.Stats, error) {
	return c.Backends.State.Stats(ctx)
}

func listing(stats state.Stats) policy.Listing {
	l := policy.Listing{Titles: []string{"SPACE", "ROWS", "EVICTED"}}
	for _, s := range stats.Spaces {
		l.Row(s.Space, s.Rows, s.Evicted)
	}
	l.Note("%d octets, %d rows not yet on disk, %d leases held", stats.Bytes, stats.Pending, stats.Leases)
	for _, note := range stats.Notes {
		l.Note("note: %s", note)
	}
	return l
}
