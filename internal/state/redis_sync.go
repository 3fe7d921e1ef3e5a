package state

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/redis/go-redis/v9"
)

// enter does steps of a person. Each node's go through one connection of their own, because the server tells a connection
// what became of the writes of that connection.
func (b *batch) enter(ctx context.Context) {
	groups := map[int][]int{}
	for _, i := range b.todo {
		part := b.redis.part(bucketOf(b.steps[i].key))
		groups[part] = append(groups[part], i)
	}
	for part, todo := range groups {
		begun := time.Now()
		node, err := b.redis.node(ctx, part)
		if err != nil {
			b.failPart(ctx, begun, err, part)
			return
		}
		conn := node.Conn()
		b.run(ctx, conn.Pipelined, todo)
		if b.err == nil {
			if err := synced(ctx, conn); err != nil {
				b.failPart(ctx, begun, err, part)
			}
		}
		_ = conn.Close() // back to the pool
		if b.err != nil {
			return
		}
	}
}

func (b *batch) failPart(ctx context.Context, begun time.Time, err error, part int) {
	switch {
	case left(ctx, begun):
		b.fail(ctx.Err())
	case errors.Is(err, ErrUnsynced):
		b.fail(err)
	default:
		b.fail(b.redis.breakers.trip(err, part))
	}
}

// node returns the server that has a part.
func (r *Redis) node(ctx context.Context, part int) (*redis.Client, error) {
	if r.cluster != nil {
		return r.cluster.MasterForKey(ctx, r.key(part, "rows", ""))
	}
	return r.client.(*redis.Client), nil
}

var (
	withReplicas  = regexp.MustCompile(`(?m)^connected_slaves:[1-9]`)
	withAppending = regexp.MustCompile(`(?m)^aof_enabled:1`)
)

// synced waits until what the connection wrote is on the server's disk, if it appends to one and can tell (WAITAOF: Redis 7.2,
// Valkey), and on one replica, if it has any. What the server was not told to keep, it cannot confirm: see [Stats].Notes.
func synced(ctx context.Context, conn *redis.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, 2*redisCall)
	defer cancel()
	const wait = 900 // milliseconds: less than a read may take
	info, err := conn.Info(ctx, "replication").Result()
	if err != nil {
		return err
	}
	if withReplicas.MatchString(info) {
		if n, err := conn.Do(ctx, "wait", 1, wait).Int(); err != nil {
			return err
		} else if n < 1 {
			return fmt.Errorf("%w (no replica has it)", ErrUnsynced)
		}
	}
	answer, err := conn.Do(ctx, "waitaof", 1, 0, wait).Slice()
	var refused redis.Error
	switch {
	case errors.As(err, &refused): // too old, or appendonly no
		return nil
	case err != nil:
		return err
	case len(answer) == 0 || answer[0] != int64(1):
		return fmt.Errorf("%w (not on its disk)", ErrUnsynced)
	}
	return nil
}
