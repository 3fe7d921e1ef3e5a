package state

import (
	"context"
	_ "embed" // the script
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed redis_lease.lua
var leaseSource string

var leaseScript = redis.NewScript(leaseSource)

// redisLeases are the places that this process holds on the server. Each is a member with an end that is moved on while the
// process lives; so the places of one that died are free after LeaseTime, and those that were taken while the server was out
// of reach appear there when it is back.
type redisLeases struct {
	mu   sync.Mutex
	next int
	held map[string]map[string]bool // members by key
	left map[string]map[string]int  // given back, and the server may not know it yet; how many ticks ago
	tell chan struct{}
	back chan struct{} // a server is back, and may not know what is held
}

func (l *redisLeases) init() {
	l.held, l.left = map[string]map[string]bool{}, map[string]map[string]int{}
	l.tell, l.back = make(chan struct{}, 1), make(chan struct{}, 1)
}

// renew has everything that is held written anew, without waiting.
func (l *redisLeases) renew() {
	select {
	case l.back <- struct{}{}:
	default: // it is told already
	}
}

// Acquire takes one of limit places under key, of those of this process while the server is out of reach.
func (r *Redis) Acquire(ctx context.Context, key string, limit int) (Lease, bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	bucket := bucketOf(key)
	member := r.leases.member(r.origin)
	taken, err := false, r.breakers.cause(r.part(bucket))
	if err == nil {
		taken, err = r.takePlace(ctx, bucket, key, member, limit)
	}
	switch {
	case ctx.Err() != nil:
		r.leases.leaveOne(key, member) // the server may have given it
		return nil, false, ctx.Err()
	case err != nil:
		taken = r.leases.holding(key) < limit
	}
	if !taken {
		return nil, false, nil
	}
	r.leases.hold(key, member)
	return &redisLease{leases: &r.leases, key: key, member: member}, true, nil
}

func (r *Redis) takePlace(ctx context.Context, bucket int, key, member string, limit int) (bool, error) {
	call, cancel := context.WithTimeout(ctx, redisCall)
	defer cancel()
	now := r.options.Clock()
	args := []any{now.UnixMilli(), limit, member, now.Add(LeaseTime).UnixMilli(), (2 * LeaseTime).Milliseconds()}
	for _, m := range r.leases.leftOf(key) {
		args = append(args, m)
	}
	n, err := leaseScript.Run(call, r.client, []string{r.leaseKey(key)}, args...).Int()
	if err != nil && ctx.Err() == nil {
		err = r.breakers.trip(err, r.part(bucket))
	}
	return n == 1, err
}

func (r *Redis) leaseKey(key string) string { return r.key(bucketOf(key), "places", key) }

// keepLeases moves on the ends of what is held and gives back what was left.
func (r *Redis) keepLeases() {
	defer r.work.Done()
	tick := time.NewTicker(r.options.renewEvery)
	defer tick.Stop()
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-tick.C:
			_ = r.renewLeases(r.ctx) // the next time, or never: then they end
			r.leases.age()
		case <-r.leases.back:
			_ = r.renewLeases(r.ctx) // at the next tick
		case <-r.leases.tell:
		}
		_ = r.returnLeases(r.ctx)
	}
}

func (r *Redis) renewLeases(ctx context.Context) error {
	now := r.options.Clock()
	until := float64(now.Add(LeaseTime).UnixMilli())
	return r.eachKey(ctx, snapshot(&r.leases.mu, r.leases.held), func(p redis.Pipeliner, key string, members []string) {
		places := make([]redis.Z, len(members))
		for i, m := range members {
			places[i] = redis.Z{Score: until, Member: m}
		}
		p.ZAdd(ctx, r.leaseKey(key), places...)
		p.PExpire(ctx, r.leaseKey(key), 2*LeaseTime)
	})
}

func (r *Redis) returnLeases(ctx context.Context) error {
	left := snapshot(&r.leases.mu, r.leases.left)
	err := r.eachKey(ctx, left, func(p redis.Pipeliner, key string, members []string) {
		p.ZRem(ctx, r.leaseKey(key), members)
	})
	if err == nil {
		r.leases.forget(left)
	}
	return err
}

// eachKey sends commands for the keys that are within reach.
func (r *Redis) eachKey(ctx context.Context, all map[string][]string, command func(redis.Pipeliner, string, []string)) error {
	maps.DeleteFunc(all, func(key string, _ []string) bool {
		return r.breakers.cause(r.part(bucketOf(key))) != nil
	})
	if len(all) == 0 {
		return nil
	}
	call, cancel := context.WithTimeout(ctx, redisCall)
	defer cancel()
	_, err := r.client.Pipelined(call, func(p redis.Pipeliner) error {
		for key, members := range all {
			command(p, key, members)
		}
		return nil
	})
	return err
}

func (l *redisLeases) member(origin string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	return origin + ":" + strconv.Itoa(l.next)
}

func (l *redisLeases) hold(key, member string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[key] == nil {
		l.held[key] = map[string]bool{}
	}
	l.held[key][member] = true
}

// leaveOne gives a place back without waiting.
func (l *redisLeases) leaveOne(key, member string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if delete(l.held[key], member); len(l.held[key]) == 0 {
		delete(l.held, key)
	}
	if l.left[key] == nil {
		l.left[key] = map[string]int{}
	}
	l.left[key][member] = 0
	select {
	case l.tell <- struct{}{}:
	default: // it is told already
	}
}

func (l *redisLeases) leftOf(key string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	members := make([]string, 0, len(l.left[key]))
	for m := range l.left[key] {
		members = append(members, m)
	}
	return members
}

func snapshot[T any](mu *sync.Mutex, of map[string]map[string]T) map[string][]string {
	mu.Lock()
	defer mu.Unlock()
	all := map[string][]string{}
	for key, members := range of {
		for m := range members {
			all[key] = append(all[key], m)
		}
	}
	return all
}

// age drops what was left so long ago that it has ended on a server that could not be told.
func (l *redisLeases) age() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, members := range l.left {
		for m := range members {
			if members[m]++; members[m] > 4 {
				delete(members, m)
			}
		}
		if len(members) == 0 {
			delete(l.left, key)
		}
	}
}

// forget drops what the server knows to be left.
func (l *redisLeases) forget(left map[string][]string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, members := range left {
		for _, m := range members {
			delete(l.left[key], m)
		}
		if len(l.left[key]) == 0 {
			delete(l.left, key)
		}
	}
}

func (l *redisLeases) holding(key string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.held[key])
}

func (l *redisLeases) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, members := range l.held {
		n += len(members)
	}
	return n
}

// leave gives everything back when the store closes; a server that is out of reach finds out by itself.
func (l *redisLeases) leave(r *Redis) {
	for key, members := range snapshot(&l.mu, l.held) {
		for _, m := range members {
			l.leaveOne(key, m)
		}
	}
	_ = r.returnLeases(context.Background())
}

type redisLease struct {
	leases *redisLeases
	key    string
	member string
	once   sync.Once
}

func (l *redisLease) Release() { l.once.Do(func() { l.leases.leaveOne(l.key, l.member) }) }
