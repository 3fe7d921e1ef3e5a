package state

import (
	"cmp"
	"context"
	_ "embed" // the script
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed redis_list.lua
var listSource string

var listScript = redis.NewScript(listSource)

// call runs one question that needs every bucket, unless one is known to be out of reach.
func (r *Redis) call(ctx context.Context, ask func(ctx context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if lost := r.breakers.lost(); len(lost) > 0 {
		return cmp.Or(r.breakers.cause(lost[0]), ErrDown)
	}
	begun := time.Now()
	err := ask(ctx)
	switch {
	case err == nil:
		return nil
	case left(ctx, begun):
		return ctx.Err()
	case r.cluster == nil:
		return r.breakers.trip(err, 0)
	default:
		return fmt.Errorf("%w: %w", ErrDown, err) // which bucket it was is for Do to find out
	}
}

// List merges the pages of the buckets.
func (r *Redis) List(ctx context.Context, prefix, after string, limit int) ([]Entry, error) {
	var entries []Entry
	err := r.call(ctx, func(ctx context.Context) error {
		for bucket := range redisBuckets {
			found, err := r.listBucket(ctx, bucket, prefix, after, limit)
			if err != nil {
				return err
			}
			entries = append(entries, found...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Key, b.Key) })
	return entries[:min(len(entries), limit)], nil
}

func (r *Redis) listBucket(ctx context.Context, bucket int, prefix, after string, limit int) ([]Entry, error) {
	space := spaceOf(prefix)
	keys := []string{r.key(bucket, "rows", space), r.key(bucket, "names", space)}
	from := "[" + prefix
	if after >= prefix {
		from = "(" + after
	}
	var entries []Entry
	for {
		call, cancel := context.WithTimeout(ctx, redisCall)
		words, err := listScript.Run(call, r.client, keys, from, past(prefix), r.options.Clock().UnixMilli(), limit-len(entries)).StringSlice()
		cancel()
		if err != nil {
			return nil, err
		}
		for i := 0; i+1 < len(words); i += 2 {
			if found, err := decodeText(words[i+1]); err == nil { // else another hand has spoilt it
				entries = append(entries, found.entry(words[i]))
			}
		}
		last := words[len(words)-1]
		if last == "" || len(entries) >= limit {
			return entries, nil
		}
		from = "(" + last
	}
}

// past is the end of the range of keys with a prefix, as ZRANGEBYLEX has it.
func past(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			return "(" + prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return "+"
}

// Ending merges what ends first in the buckets, and reads those rows.
func (r *Redis) Ending(ctx context.Context, space string, before time.Time, limit int) ([]Entry, error) {
	var entries []Entry
	err := r.call(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 2*redisCall)
		defer cancel()
		first, err := r.endingKeys(ctx, space, before, limit)
		if err == nil {
			entries, err = r.rows(ctx, space, first)
		}
		return err
	})
	return entries, err
}

func (r *Redis) endingKeys(ctx context.Context, space string, before time.Time, limit int) ([]ending, error) {
	now := r.options.Clock().UnixMilli()
	answers := make([]*redis.ZSliceCmd, redisBuckets)
	_, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for bucket := range answers {
			answers[bucket] = p.ZRangeByScoreWithScores(ctx, r.key(bucket, "ends", space), &redis.ZRangeBy{
				Min: "(" + strconv.FormatInt(now, 10), Max: "(" + strconv.FormatInt(before.UnixMilli(), 10), Count: int64(limit),
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var found []ending
	for _, answer := range answers {
		for _, z := range answer.Val() {
			found = append(found, ending{fmt.Sprint(z.Member), int64(z.Score)})
		}
	}
	slices.SortFunc(found, compareEndings)
	return found[:min(len(found), limit)], nil
}

func (r *Redis) rows(ctx context.Context, space string, of []ending) ([]Entry, error) {
	answers := make([]*redis.StringCmd, len(of))
	_, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, x := range of {
			answers[i] = p.HGet(ctx, r.key(bucketOf(x.key), "rows", space), x.key)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	var entries []Entry
	for i, answer := range answers {
		if errors.Is(answer.Err(), redis.Nil) {
			continue // gone meanwhile
		}
		found, err := decodeText(answer.Val())
		if err == nil && found.until == of[i].until { // else it is spoilt, or renewed meanwhile
			entries = append(entries, found.entry(of[i].key))
		}
	}
	return entries, nil
}

// Stats counts rows on the server.
func (r *Redis) Stats(ctx context.Context) (Stats, error) {
	stats := Stats{Leases: r.leases.count()}
	err := r.call(ctx, func(ctx context.Context) error {
		spaces := map[string]SpaceStats{}
		for bucket := range redisBuckets {
			if err := r.countBucket(ctx, bucket, spaces); err != nil {
				return err
			}
		}
		for _, s := range spaces {
			stats.Spaces = append(stats.Spaces, s)
		}
		sortSpaces(stats.Spaces)
		return r.describe(ctx, &stats)
	})
	return stats, err
}

func (r *Redis) countBucket(ctx context.Context, bucket int, spaces map[string]SpaceStats) error {
	names, err := r.client.SMembers(ctx, r.key(bucket, "spaces", "")).Result()
	if err != nil {
		return err
	}
	evicted, err := r.client.HGetAll(ctx, r.key(bucket, "evicted", "")).Result()
	if err != nil {
		return err
	}
	for _, name := range names {
		rows, err := r.client.HLen(ctx, r.key(bucket, "rows", name)).Result()
		if err != nil {
			return err
		}
		gone, _ := strconv.ParseInt(evicted[name], 10, 64) // none
		was := spaces[name]
		spaces[name] = SpaceStats{Space: name, Rows: was.Rows + rows, Evicted: was.Evicted + gone}
	}
	return nil
}

// describe tells the memory of a single server, and what an administrator should know of it.
func (r *Redis) describe(ctx context.Context, stats *Stats) error {
	node, err := r.node(ctx, 0)
	if err != nil {
		return err
	}
	info, err := node.Info(ctx).Result()
	if err != nil {
		return err
	}
	if r.cluster == nil {
		stats.Bytes = infoNumber(info, "used_memory")
	}
	if infoNumber(info, "maxmemory") > 0 && !strings.Contains(info, "maxmemory_policy:noeviction") {
		stats.Notes = append(stats.Notes, "redis: maxmemory-policy is not noeviction: the server may throw away whole spaces")
	}
	if !withAppending.MatchString(info) {
		stats.Notes = append(stats.Notes, "redis: appendonly is off: a restart of the server loses what it has not saved, entered or not")
	}
	return nil
}

func infoNumber(info, name string) int64 {
	for line := range strings.Lines(info) {
		if value, found := strings.CutPrefix(line, name+":"); found {
			n, _ := strconv.ParseInt(strings.TrimSpace(value), 10, 64) // unknown
			return n
		}
	}
	return 0
}
