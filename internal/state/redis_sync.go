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
		if err := b.enterPart(ctx, part, todo); err != nil {
			b.unsafe(err, todo)
		}
	}
}

// enterPart does the steps on one node. The error is why they are not safe there.
func (b *batch) enterPart(ctx context.Context, part int, todo []int) error {
	begun := time.Now()
	node, err := b.redis.node(ctx, part)
	if err != nil {
		err = b.partError(ctx, begun, err, part)
		b.fail(err, todo...)
		return err
	}
	conn := node.Conn()
	defer conn.Close() // back to the pool
	b.run(ctx, conn.Pipelined, todo)
	for _, i := range todo {
		if b.results[i].Err == nil {
			if err := synced(ctx, conn); err != nil {
				return b.partError(ctx, begun, err, part)
			}
			return nil
		}
	}
	return nil
}

// unsafe has steps that were done fail: the server did not confirm them.
func (b *batch) unsafe(err error, todo []int) {
	for _, i := range todo {
		if r := &b.results[i]; r.Err == nil && b.steps[i].entered && !b.steps[i].reads() {
			r.Err = err
		}
	}
}

func (b *batch) partError(ctx context.Context, begun time.Time, err error, part int) error {
	switch {
	case left(ctx, begun):
		return ctx.Err()
	case errors.Is(err, ErrUnsynced):
		return err
	default:
		return b.redis.breakers.trip(err, part)
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
