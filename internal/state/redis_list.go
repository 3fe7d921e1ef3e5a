package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// call runs one question that needs every bucket, unless one is known to be lost.
func (r *Redis) call(ctx context.Context, ask func(context.Context, rueidis.Client) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := r.backend.AnyLost(); err != nil {
		return err
	}
	client, err := r.client()
	if err == nil {
		err = ask(ctx, client)
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case r.spec.cluster:
		return fmt.Errorf("%w: %w", ErrDown, err) // which bucket it was is for Do to find out
	}
	return r.lose(err, 0)
}

// List merges the pages of the buckets. Keys are spread evenly, so each bucket is asked for little
// more than its share of the page: a whole page of each would be sixteen times as much.
func (r *Redis) List(ctx context.Context, prefix, after string, limit int) ([]Entry, error) {
	if limit <= 0 {
		return nil, nil
	}
	var entries []Entry
	err := r.call(ctx, func(ctx context.Context, client rueidis.Client) (err error) {
		var pages [redisBuckets]redisPage
		share := min(limit, 8+2*limit/redisBuckets)
		for whole := false; !whole; {
			if err = r.readOn(ctx, client, &pages, prefix, after, share); err != nil {
				return err
			}
			entries, whole = mergePages(&pages, limit)
		}
		return nil
	})
	return entries, err
}

// redisPage is what has been read of one bucket, in the order of keys.
type redisPage struct {
	entries []Entry
	whole   bool // there is no more
	err     error
}

// readOn reads as many entries more of each bucket that has more.
func (r *Redis) readOn(ctx context.Context, client rueidis.Client, pages *[redisBuckets]redisPage, prefix, after string, more int) error {
	var all sync.WaitGroup
	for bucket := range pages {
		page := &pages[bucket]
		if page.whole {
			continue
		}
		from := after
		if n := len(page.entries); n > 0 {
			from = page.entries[n-1].Key
		}
		all.Go(func() { page.err = r.listBucket(ctx, client, bucket, prefix, from, more, page) })
	}
	all.Wait()
	var errs [redisBuckets]error
	for bucket := range pages {
		errs[bucket] = pages[bucket].err
	}
	return errors.Join(errs[:]...)
}

// mergePages returns the first entries of all buckets, and whether these are all up to limit:
// behind the last entry of a bucket that has more, another one of it may come.
func mergePages(pages *[redisBuckets]redisPage, limit int) (entries []Entry, whole bool) {
	border, open := "", false
	for i := range pages {
		page := &pages[i]
		entries = append(entries, page.entries...)
		if n := len(page.entries); !page.whole && (!open || page.entries[n-1].Key < border) {
			border, open = page.entries[n-1].Key, true
		}
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Key, b.Key) })
	whole = !open || len(entries) >= limit && entries[limit-1].Key <= border
	return entries[:min(len(entries), limit)], whole
}

// listBucket reads as many entries more of a bucket.
func (r *Redis) listBucket(ctx context.Context, client rueidis.Client, bucket int, prefix, after string, more int, page *redisPage) error {
	space := spaceOf(prefix)
	keys := []string{r.names.key(bucket, "rows", space), r.names.key(bucket, "names", space)}
	from := "[" + prefix
	if after >= prefix {
		from = "(" + after
	}
	enough := len(page.entries) + more
	for {
		call, cancel := context.WithTimeout(ctx, redisCall)
		args := []string{from, past(prefix), number(r.options.Clock().UnixMilli()), strconv.Itoa(enough - len(page.entries))}
		words, err := listScript.run(call, client, keys, args).AsStrSlice()
		cancel()
		if err != nil {
			return err
		}
		for i := 0; i+1 < len(words); i += 2 {
			if found, err := decodeText(words[i+1]); err == nil { // else another hand has spoilt it
				page.entries = append(page.entries, found.entry(words[i]))
			}
		}
		last := words[len(words)-1]
		page.whole = last == ""
		if page.whole || len(page.entries) >= enough {
			return nil
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
	err := r.call(ctx, func(ctx context.Context, client rueidis.Client) error {
		ctx, cancel := context.WithTimeout(ctx, 2*redisCall)
		defer cancel()
		first, err := r.endingKeys(ctx, client, space, before, limit)
		if err == nil {
			entries, err = r.rows(ctx, client, space, first)
		}
		return err
	})
	return entries, err
}

func (r *Redis) endingKeys(ctx context.Context, client rueidis.Client, space string, before time.Time, limit int) ([]ending, error) {
	from, to := "("+number(r.options.Clock().UnixMilli()), "("+number(before.UnixMilli())
	commands := make(rueidis.Commands, redisBuckets)
	for bucket := range commands {
		commands[bucket] = client.B().Zrangebyscore().Key(r.names.key(bucket, "ends", space)).Min(from).Max(to).
			Withscores().Limit(0, int64(limit)).Build()
	}
	var found []ending
	for _, answer := range client.DoMulti(ctx, commands...) {
		ends, err := answer.AsZScores()
		if err != nil {
			return nil, err
		}
		for _, z := range ends {
			found = append(found, ending{z.Member, int64(z.Score)})
		}
	}
	slices.SortFunc(found, compareEndings)
	return found[:min(len(found), limit)], nil
}

func (r *Redis) rows(ctx context.Context, client rueidis.Client, space string, of []ending) ([]Entry, error) {
	commands := make(rueidis.Commands, len(of))
	for i, x := range of {
		commands[i] = client.B().Hget().Key(r.names.key(r.names.bucket(x.key), "rows", space)).Field(x.key).Build()
	}
	var entries []Entry
	for i, answer := range client.DoMulti(ctx, commands...) {
		raw, err := answer.ToString()
		if rueidis.IsRedisNil(err) {
			continue // gone meanwhile
		}
		if err != nil {
			return nil, err
		}
		if found, err := decodeText(raw); err == nil && found.until == of[i].until { // else it is spoilt, or renewed meanwhile
			entries = append(entries, found.entry(of[i].key))
		}
	}
	return entries, nil
}

// Stats counts rows on the server.
func (r *Redis) Stats(ctx context.Context) (Stats, error) {
	stats := Stats{Leases: r.leases.count()}
	err := r.call(ctx, func(ctx context.Context, client rueidis.Client) error {
		spaces := map[string]SpaceStats{}
		for bucket := range redisBuckets {
			if err := r.countBucket(ctx, client, bucket, spaces); err != nil {
				return err
			}
		}
		for _, s := range spaces {
			stats.Spaces = append(stats.Spaces, s)
		}
		sortSpaces(stats.Spaces)
		return r.describe(ctx, client, &stats)
	})
	return stats, err
}

func (r *Redis) countBucket(ctx context.Context, client rueidis.Client, bucket int, spaces map[string]SpaceStats) error {
	names, err := client.Do(ctx, client.B().Smembers().Key(r.names.key(bucket, "spaces", "")).Build()).AsStrSlice()
	if err != nil {
		return err
	}
	evicted, err := client.Do(ctx, client.B().Hgetall().Key(r.names.key(bucket, "evicted", "")).Build()).AsStrMap()
	if err != nil {
		return err
	}
	for _, name := range names {
		rows, err := client.Do(ctx, client.B().Hlen().Key(r.names.key(bucket, "rows", name)).Build()).AsInt64()
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
func (r *Redis) describe(ctx context.Context, client rueidis.Client, stats *Stats) error {
	info, err := client.Do(ctx, client.B().Info().Build()).ToString()
	if err != nil {
		return err
	}
	if !r.spec.cluster {
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
