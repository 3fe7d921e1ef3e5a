package state

import (
	"context"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// redisLeases are the places that this process holds on the server. Each is a member with an end
// that is moved on while the process lives; so the places of one that died are free after
// LeaseTime, and those that were taken while the server was unavailable appear there when it is
// back.
type redisLeases struct {
	mu   sync.Mutex
	next int
	held map[string]map[string]bool // members by key
	left map[string]map[string]*leaving
	// renewing says that what was held lately is on its way to the server.
	renewing bool

	tell chan struct{}
	back chan struct{} // a server is back, and may not know what is held
}

// leaving is a place that was given back, which the server may not know yet.
type leaving struct {
	ticks int  // ago
	told  bool // the server is being told
	late  bool // a renewal was under way, which may write it once more
}

func (l *redisLeases) init() {
	l.held, l.left = map[string]map[string]bool{}, map[string]map[string]*leaving{}
	l.tell, l.back = make(chan struct{}, 1), make(chan struct{}, 1)
}

// renew has everything that is held written again, without waiting.
func (l *redisLeases) renew() {
	select {
	case l.back <- struct{}{}:
	default: // it is told already
	}
}

// Acquire takes one of limit places under key, of those of this process while the server is
// unavailable.
func (r *Redis) Acquire(ctx context.Context, key string, limit int) (Lease, bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	bucket := r.names.bucket(key)
	member := r.leases.member(r.origin)
	taken, err := false, r.backend.Lost(r.part(bucket))
	if err == nil {
		taken, err = r.takePlace(ctx, bucket, key, member, limit)
	}
	switch {
	case ctx.Err() != nil:
		r.leases.leaveOne(key, member) // the server may have given it
		return nil, false, ctx.Err()
	case err != nil:
		if taken = r.leases.holding(key) < limit; !taken {
			r.leases.leaveOne(key, member) // here, too
		}
	}
	if !taken {
		return nil, false, nil
	}
	r.leases.hold(key, member)
	return &redisLease{leases: &r.leases, key: key, member: member}, true, nil
}

// takePlace asks the server, and tells it what was left under this key. What somebody else is just
// telling it need not be told twice, unless the answer depends on it: who has given a place back
// here finds it free.
func (r *Redis) takePlace(ctx context.Context, bucket int, key, member string, limit int) (bool, error) {
	client, err := r.client()
	if err != nil {
		return false, r.lose(err, r.part(bucket))
	}
	left, all := r.leases.leftOf(key, false)
	taken, err := r.askPlace(ctx, client, bucket, key, member, limit, left)
	if !taken && err == nil && !all {
		left, _ = r.leases.leftOf(key, true)
		taken, err = r.askPlace(ctx, client, bucket, key, member, limit, left)
	}
	return taken, err
}

func (r *Redis) askPlace(ctx context.Context, client rueidis.Client, bucket int, key, member string, limit int, left []string) (bool, error) {
	now := r.options.Clock()
	args := append([]string{
		number(now.UnixMilli()), strconv.Itoa(limit), member, number(now.Add(LeaseTime).UnixMilli()), number((2 * LeaseTime).Milliseconds()),
	}, left...)
	var taken int64
	var failure error
	err := r.backend.Bounded(ctx, func(ctx context.Context) error {
		taken, failure = leaseScript.run(ctx, client, []string{r.names.lease(key)}, args).AsInt64()
		return failure
	})
	told := map[string][]string{key: left}
	switch {
	case err == nil && failure == nil:
		r.leases.forget(told, false)
	case err == nil:
		err = r.lose(failure, r.part(bucket))
	}
	r.leases.keep(told)
	return taken == 1, err
}

// leaseAgain is the pause before the server is told again what it did not hear. What was given back
// would otherwise be taken for everybody else until its end.
const leaseAgain = 200 * time.Millisecond

// leaseGather is the pause in which places that are given back are collected: many then go in one
// go, and those that are asked for again here meanwhile go with that question.
const leaseGather = 5 * time.Millisecond

// keepLeases moves on the ends of what is held and gives back what was left.
func (r *Redis) keepLeases() {
	tick := time.NewTicker(r.options.renewEvery)
	defer tick.Stop()
	var again <-chan time.Time // nil: the server has heard everything
	renew := false
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-tick.C:
			renew = true
			r.leases.age()
		case <-r.leases.back:
			renew = true
		case <-r.leases.tell:
			if again == nil {
				again = time.After(leaseGather)
			}
			continue
		case <-again:
		}
		if renew {
			renew = r.renewLeases(r.ctx) != nil
		}
		if again = nil; r.returnLeases(r.ctx) != nil || renew {
			again = time.After(leaseAgain)
		}
	}
}

func (r *Redis) renewLeases(ctx context.Context) error {
	until := float64(r.options.Clock().Add(LeaseTime).UnixMilli())
	held := r.leases.beginRenewal()
	defer r.leases.endRenewal()
	return r.eachKey(ctx, held, func(build rueidis.Builder, key string, members []string) []rueidis.Completed {
		places := build.Zadd().Key(r.names.lease(key)).ScoreMember()
		for _, m := range members {
			places = places.ScoreMember(until, m)
		}
		expire := build.Pexpire().Key(r.names.lease(key)).Milliseconds((2 * LeaseTime).Milliseconds()).Build()
		return []rueidis.Completed{places.Build(), expire}
	})
}

// returnLeases tells the server what was left. It never runs beside a renewal.
func (r *Redis) returnLeases(ctx context.Context) error {
	left := r.leases.allLeft()
	sent := maps.Clone(left)
	err := r.eachKey(ctx, sent, func(build rueidis.Builder, key string, members []string) []rueidis.Completed {
		return []rueidis.Completed{build.Zrem().Key(r.names.lease(key)).Member(members...).Build()}
	})
	if err == nil {
		r.leases.forget(sent, true)
	}
	r.leases.keep(left) // those of a part that is lost
	return err
}

// eachKey sends commands for the keys whose part is available, and leaves all without others.
func (r *Redis) eachKey(ctx context.Context, all map[string][]string, commands func(rueidis.Builder, string, []string) []rueidis.Completed) error {
	maps.DeleteFunc(all, func(key string, _ []string) bool { return r.backend.Lost(r.part(r.names.bucket(key))) != nil })
	if len(all) == 0 {
		return nil
	}
	client, err := r.client()
	if err != nil {
		return err
	}
	var list []rueidis.Completed
	for key, members := range all {
		list = append(list, commands(client.B(), key, members)...)
	}
	call, cancel := context.WithTimeout(ctx, redisCall)
	defer cancel()
	for _, answer := range client.DoMulti(call, list...) {
		if err := answer.Error(); err != nil {
			return err
		}
	}
	return nil
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
		l.left[key] = map[string]*leaving{}
	}
	l.left[key][member] = &leaving{late: l.renewing}
	select {
	case l.tell <- struct{}{}:
	default: // it is told already
	}
}

// leftOf returns what was left under a key and nobody is telling the server, or with again all of
// it, and whether that is all. The caller tells the server.
func (l *redisLeases) leftOf(key string, again bool) (members []string, all bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return tell(l.left[key], again)
}

// allLeft returns all that was left. The caller tells the server.
func (l *redisLeases) allLeft() map[string][]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := make(map[string][]string, len(l.left))
	for key, members := range l.left {
		left[key], _ = tell(members, true)
	}
	return left
}

func tell(left map[string]*leaving, again bool) (members []string, all bool) {
	members = make([]string, 0, len(left))
	for m, l := range left {
		if !l.told || again {
			l.told = true
			members = append(members, m)
		}
	}
	return members, len(members) == len(left)
}

// beginRenewal returns what is held. Of what is left from now on, until endRenewal, the server may
// hear first that it is left and then that it is held.
func (l *redisLeases) beginRenewal() map[string][]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.renewing = true
	return l.allHeld()
}

// endRenewal is called when the server has answered, or is not waited for any more.
func (l *redisLeases) endRenewal() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.renewing = false
}

// allHeld is called under the lock.
func (l *redisLeases) allHeld() map[string][]string {
	all := map[string][]string{}
	for key, members := range l.held {
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
		for m, l := range members {
			if l.ticks++; l.ticks > 4 {
				delete(members, m)
			}
		}
		if len(members) == 0 {
			delete(l.left, key)
		}
	}
}

// forget drops what the server knows to be left. What a renewal may have written after that is
// dropped only by who told the server after the renewal.
func (l *redisLeases) forget(left map[string][]string, renewed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, members := range left {
		for _, m := range members {
			if known := l.left[key][m]; known != nil && (renewed || !known.late) {
				delete(l.left[key], m)
			}
		}
		if len(l.left[key]) == 0 {
			delete(l.left, key)
		}
	}
}

// keep notes that the server may not have been told of these, unless they are forgotten.
func (l *redisLeases) keep(left map[string][]string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, members := range left {
		for _, m := range members {
			if l := l.left[key][m]; l != nil {
				l.told = false
			}
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

// leave gives everything back when the store closes; a server that is unavailable finds out by
// itself.
func (l *redisLeases) leave(r *Redis) {
	l.mu.Lock()
	held := l.allHeld()
	l.mu.Unlock()
	for key, members := range held {
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
