package main

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/rueidis"

	"mailweir/internal/state"
	"mailweir/test/testbed"
)

// redisRows is how many triplets there are on the server: what a decision costs there hardly
// depends on it.
const redisRows = 100_000

// redis measures decisions of greylisting on a Redis, beside the bare commands that they come down
// to, from the same client library.
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
			n, err := decideAtOnce(c.decide, stateWorkers, b.duration)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			took := time.Since(begun)
			after, err := cpuTime(server.PID())
			if err != nil {
				return err
			}
			rates[i] = append(rates[i], n/took.Seconds())
			own[i] = append(own[i], float64((ownCPU()-cpu).Microseconds())/n)
			theirs[i] = append(theirs[i], float64((after-before).Microseconds())/n)
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

// redisContenders are what is compared; the first is the yardstick. The triplets are on the server
// afterwards.
func redisContenders(h testbed.TB, server, counting string) ([]redisContender, error) {
	none := func() int64 { return 0 }
	list := []redisContender{
		{name: "bare commands", undecided: none},
		{name: "the store", undecided: none},
		{name: "greylisting, all other checks off"},
		{name: "whole default policy"},
	}
	for i, address := range []string{server, counting} {
		bare, err := rueidis.NewClient(rueidis.ClientOption{
			InitAddress: []string{address}, ForceSingleClient: true, PipelineMultiplex: -1, AlwaysPipelining: true, DisableCache: true,
		})
		if err != nil {
			return nil, err
		}
		h.Cleanup(bare.Close)
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
func fillRedis(bare rueidis.Client, store *state.Redis) error {
	const page = 1000
	for i := 0; i < redisRows; i += page {
		var commands rueidis.Commands
		for j := i; j < i+page; j++ {
			key, stamp := knownTriplet(j).knownKey(), time.Now().UTC().Format(stampForm)
			commands = append(commands, writeBare(bare.B(), key, stamp, true)...)
		}
		for _, answer := range bare.DoMulti(context.Background(), commands...) {
			if err := answer.Error(); err != nil {
				return err
			}
		}
	}
	return fillStore(store)
}

// writeBare writes a row, its place in the order of expiry and, when it is new, in the order of
// keys.
func writeBare(build rueidis.Builder, key, value string, isNew bool) rueidis.Commands {
	end := time.Now().Add(keepPending).UnixMilli()
	commands := rueidis.Commands{
		build.Hset().Key("bare:rows").FieldValue().FieldValue(key, fmt.Sprintf("c%d %s", end, value)).Build(),
		build.Zadd().Key("bare:ends").ScoreMember().ScoreMember(float64(end), key).Build(),
	}
	if isNew {
		commands = append(commands, build.Zadd().Key("bare:names").ScoreMember().ScoreMember(0, key).Build())
	}
	return commands
}

// bareCommands does what a decision comes down to with nothing around it: three reads at once, then
// the writes at once.
func bareCommands(client rueidis.Client) decision {
	ctx := context.Background()
	return func(t triplet, isNew bool) (time.Duration, error) {
		begun := time.Now()
		var reads rueidis.Commands
		for _, key := range []string{t.knownKey(), t.pendingKey(), t.netKey()} {
			reads = append(reads, client.B().Hget().Key("bare:rows").Field(key).Build())
		}
		client.DoMulti(ctx, reads...)
		key := t.knownKey()
		if isNew {
			key = t.pendingKey()
		}
		for _, answer := range client.DoMulti(ctx, writeBare(client.B(), key, begun.UTC().Format(stampForm), isNew)...) {
			if err := answer.Error(); err != nil {
				return 0, err
			}
		}
		return time.Since(begun), nil
	}
}
