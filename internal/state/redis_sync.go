package state

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/redis/rueidis"
)

// enter does steps of a person. Each part's go through one connection of their own, because the
// server tells a connection what became of the writes of that connection.
func (b *batch) enter(ctx context.Context) {
	groups := map[int][]int{}
	for _, i := range b.todo {
		groups[b.part(i)] = append(groups[b.part(i)], i)
	}
	for part, todo := range groups {
		b.enterPart(ctx, part, todo)
	}
}

// enterPart does the steps on one part. What was done and is not safe there has an error all the
// same.
func (b *batch) enterPart(ctx context.Context, part int, todo []int) {
	client, err := b.redis.client()
	if err != nil {
		b.fail(b.redis.lose(err, part), todo...)
		return
	}
	conn, release := client.Dedicate()
	defer release() // back to the pool
	b.run(ctx, conn, todo)
	done := slices.DeleteFunc(todo, func(i int) bool { return b.results[i].Err != nil || b.steps[i].reads() })
	if len(done) == 0 {
		return
	}
	if err := b.safe(ctx, conn, part); err != nil {
		for _, i := range done {
			if b.steps[i].entered {
				b.results[i].Err = err
			}
		}
	}
}

// safe waits for the server's word.
func (b *batch) safe(ctx context.Context, conn rueidis.CoreClient, part int) error {
	err := synced(ctx, conn)
	switch {
	case err == nil, errors.Is(err, ErrUnsynced):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return b.redis.lose(err, part)
}

// redisConfirm is how long a person waits for a replica and a disk.
const redisConfirm = 3 * time.Second

var (
	withReplicas  = regexp.MustCompile(`(?m)^connected_slaves:[1-9]`)
	withAppending = regexp.MustCompile(`(?m)^aof_enabled:1`)
)

// synced waits until what the connection wrote is on the server's disk, if it appends to one and
// can tell (WAITAOF: Redis 7.2, Valkey), and on one replica, if it has any. What the server was not
// told to keep, it cannot confirm: see [Stats].Notes.
func synced(ctx context.Context, conn rueidis.CoreClient) error {
	ctx, cancel := context.WithTimeout(ctx, 2*redisConfirm+redisCall)
	defer cancel()
	info, err := conn.Do(ctx, conn.B().Info().Section("replication").Build()).ToString()
	if err != nil {
		return err
	}
	if withReplicas.MatchString(info) {
		n, err := conn.Do(ctx, conn.B().Wait().Numreplicas(1).Timeout(redisConfirm.Milliseconds()).Build()).AsInt64()
		if err != nil {
			return err
		}
		if n < 1 {
			return fmt.Errorf("%w (no replica has it)", ErrUnsynced)
		}
	}
	waitAOF := conn.B().Waitaof().Numlocal(1).Numreplicas(0).Timeout(redisConfirm.Milliseconds()).Build()
	confirmed, err := conn.Do(ctx, waitAOF).AsIntSlice()
	switch _, answered := rueidis.IsRedisErr(err); {
	case answered: // too old, or appendonly no
		return nil
	case err != nil:
		return err
	case len(confirmed) == 0 || confirmed[0] < 1:
		return fmt.Errorf("%w (not on its disk)", ErrUnsynced)
	}
	return nil
}
