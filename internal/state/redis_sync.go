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

// redisConfirm is how long a person waits for a replica and a disk.
const redisConfirm = 3 * time.Second

var (
	withReplicas  = regexp.MustCompile(`(?m)^connected_slaves:[1-9]`)
	withAppending = regexp.MustCompile(`(?m)^aof_enabled:1`)
)

// synced waits until what the connection wrote is on the server's disk, if it appends to one and can tell (WAITAOF: Redis 7.2,
// Valkey), and on one replica, if it has any. What the server was not told to keep, it cannot confirm: see [Stats].Notes.
func synced(ctx context.Context, conn *redis.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, 2*redisConfirm+redisCall)
	defer cancel()
	info, err := conn.Info(ctx, "replication").Result()
	if err != nil {
		return err
	}
	if withReplicas.MatchString(info) {
		if n, err := conn.Wait(ctx, 1, redisConfirm).Result(); err != nil {
			return err
		} else if n < 1 {
			return fmt.Errorf("%w (no replica has it)", ErrUnsynced)
		}
	}
	local, err := conn.WaitAOF(ctx, 1, 0, redisConfirm).Result()
	var refused redis.Error
	switch {
	case errors.As(err, &refused): // too old, or appendonly no
		return nil
	case err != nil:
		return err
	case len(local) == 0 || local[0] < 1:
		return fmt.Errorf("%w (not on its disk)", ErrUnsynced)
	}
	return nil
}
