package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"mailweir/internal/state"
	"mailweir/test/testbed"
)

// redisRows is how many triplets there are on the server: what a decision costs there hardly depends on it.
const redisRows = 100_000

// redis measures decisions of greylisting on a Redis, beside the bare commands that they come down to, from the same client library.
func (b *bench) redis() error {
	h := b.Part()
	defer h.Close()
	server := testbed.StartRedis(h)
	turns, err := startTurnstile(h, server.Address)
	if err != nil {
		return err
	}
	contenders, err := redisContenders(h, server.Address, turns.address)
	if err != nil {
		return err
	}
	fmt.Printf("Decisions of greylisting on Redis (%d triplets, 30 of 100 decisions about new ones, %d sessions at once):\n\n", redisRows, stateWorkers)
	row("decision", "round trips", "decisions/s", "of the bare commands", "CPU µs", "CPU µs of the server", "undecided")
	row("---", "--:", "--:", "--:", "--:", "--:", "--:")
	trips := make([]float64, len(contenders))
	for i, c := range contenders {
		if trips[i], err = turns.perDecision(c.counted); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	rates, own, theirs := make([]sample, len(contenders)), make([]sample, len(contenders)), make([]sample, len(contenders))
	for range b.rounds {
		for i, c := range contenders {
			before, err := cpuTime(server.PID())
			if err != nil {
				return err
			}
			cpu, begun := ownCPU(), time.Now()
			n, err := flatOut(c.decide, b.duration)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			took := time.Since(begun)
			after, err := cpuTime(server.PID())
			if err != nil {
				return err
			}
			rates[i] = append(rates[i], float64(n)/took.Seconds())
			own[i] = append(own[i], float64((ownCPU()-cpu).Microseconds())/float64(n))
			theirs[i] = append(theirs[i], float64((after-before).Microseconds())/float64(n))
		}
	}
	for i, c := range contenders {
		row(c.name, fmt.Sprintf("%.2f", trips[i]), rates[i], rates[i].against(rates[0]), own[i], theirs[i], c.undecided())
	}
	fmt.Println()
	return nil
}

// redisContender makes decisions, and others through the turnstile.
type redisContender struct {
	name            string
	decide, counted decision
	undecided       func() int64
}

// redisContenders are what is compared; the first is the yardstick. The triplets are on the server afterwards.
func redisContenders(h testbed.TB, server, counting string) ([]redisContender, error) {
	none := func() int64 { return 0 }
	list := []redisContender{
		{name: "bare commands", undecided: none},
		{name: "the store", undecided: none},
		{name: "greylisting, all other checks off"},
		{name: "whole default policy"},
	}
	for i, address := range []string{server, counting} {
		bare := redis.NewClient(&redis.Options{Addr: address, Protocol: 2, PoolSize: 2 * stateWorkers})
		h.Cleanup(func() { _ = bare.Close() })
		store, err := state.OpenRedis(context.Background(), "redis://"+address, state.Options{})
		if err != nil {
			return nil, err
		}
		h.Cleanup(func() { _ = store.Close() })
		if i == 0 {
			if err := fillRedis(bare, store); err != nil {
				return nil, err
			}
		}
		decisions := []decision{bareCommands(bare), decideBare(store)}
		for _, flags := range [][]string{greylistingAlone(), greylisting} {
			p, err := openPolicy(store, flags...)
			if err != nil {
				return nil, err
			}
			h.Cleanup(p.close)
			if i == 0 {
				list[len(decisions)].undecided = p.undecided.Load
			}
			decisions = append(decisions, p.decision())
		}
		for j, d := range decisions {
			if i == 0 {
				list[j].decide = d
			} else {
				list[j].counted = d
			}
		}
	}
	return list, nil
}

// fillRedis writes the triplets, for the store and for the bare commands.
func fillRedis(bare *redis.Client, store *state.Redis) error {
	ctx := context.Background()
	const page = 1000
	for i := 0; i < redisRows; i += page {
		var steps []state.Step
		_, err := bare.Pipelined(ctx, func(p redis.Pipeliner) error {
			for j := i; j < i+page; j++ {
				key, stamp := knownTriplet(j).knownKey(), time.Now().UTC().Format(stampForm)
				steps = append(steps, state.Put(key, []byte(stamp), keepKnown-10*24*time.Hour))
				writeBare(ctx, p, key, stamp, true)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if _, err := store.Do(ctx, steps...); err != nil {
			return err
		}
	}
	return nil
}

// writeBare writes a row, its place in the order of expiry and, when it is new, in the order of keys.
func writeBare(ctx context.Context, p redis.Pipeliner, key, value string, isNew bool) {
	end := time.Now().Add(keepPending).UnixMilli()
	p.HSet(ctx, "bare:rows", key, fmt.Sprintf("c%d %s", end, value))
	p.ZAdd(ctx, "bare:ends", redis.Z{Score: float64(end), Member: key})
	if isNew {
		p.ZAdd(ctx, "bare:names", redis.Z{Member: key})
	}
}

// bareCommands does what a decision comes down to with nothing around it: three reads at once, then the writes at once.
func bareCommands(client *redis.Client) decision {
	ctx := context.Background()
	return func(t triplet, isNew bool) (time.Duration, error) {
		begun := time.Now()
		_, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, key := range []string{t.knownKey(), t.pendingKey(), t.netKey()} {
				p.HGet(ctx, "bare:rows", key)
			}
			return nil
		})
		if err != nil && err != redis.Nil {
			return 0, err
		}
		key := t.knownKey()
		if isNew {
			key = t.pendingKey()
		}
		_, err = client.Pipelined(ctx, func(p redis.Pipeliner) error {
			writeBare(ctx, p, key, begun.UTC().Format(stampForm), isNew)
			return nil
		})
		return time.Since(begun), err
	}
}

// flatOut has all workers decide as fast as they can, and returns how often they did.
func flatOut(decide decision, during time.Duration) (int, error) {
	var count atomic.Int64
	failures := make(chan error, stateWorkers)
	var work sync.WaitGroup
	for end := time.Now().Add(during); len(failures) == 0 && time.Now().Before(end); {
		for range stateWorkers {
			work.Go(func() {
				for range 50 {
					if _, err := decide(someTriplet(redisRows)); err != nil {
						failures <- err
						return
					}
					count.Add(1)
				}
			})
		}
		work.Wait()
	}
	close(failures)
	return int(count.Load()), <-failures
}
