package dns

import (
	"hash/maphash"
	"sync"
	"time"
)

const shardCount = 64

// cacheKey stands for a question in the cache. The name itself is not kept: a million names would
// cost twice the memory. Two independent hashes of 64 bits, seeded at random at start, make a
// collision among a million names less likely than 1 in 10^26, and nobody outside can compute one.
type cacheKey [2]uint64

type cached struct {
	answer  *Answer
	expires int64 // Unix nanoseconds
}

// shard is a part of the cache with the questions that are being asked just now: one lock over
// both, so that no question goes out while its answer is being stored.
type shard struct {
	mu      sync.Mutex
	answers map[cacheKey]cached
	flights map[cacheKey]*flight
	limit   int
	evicted uint64
}

type cache struct {
	seeds  [2]maphash.Seed
	shards [shardCount]shard
}

func newCache(names int) *cache {
	c := &cache{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
	for i := range c.shards {
		c.shards[i] = shard{
			answers: map[cacheKey]cached{}, flights: map[cacheKey]*flight{},
			limit: max(1, names/shardCount),
		}
	}
	return c
}

func (c *cache) key(q Question) cacheKey {
	name := q.wireName()
	salt := uint64(q.Type) * 0x9e3779b97f4a7c15
	return cacheKey{maphash.String(c.seeds[0], name) ^ salt, maphash.String(c.seeds[1], name) ^ salt}
}

func (c *cache) shard(k cacheKey) *shard { return &c.shards[k[0]%shardCount] }

// get needs the lock.
func (s *shard) get(k cacheKey, now time.Time) (cached, bool) {
	e, ok := s.answers[k]
	if ok && e.expires > now.UnixNano() {
		return e, true
	}
	return cached{}, false
}

// put needs the lock.
func (s *shard) put(k cacheKey, a *Answer, now time.Time, ttl time.Duration) cached {
	if _, known := s.answers[k]; !known && len(s.answers) >= s.limit {
		s.evict(now)
	}
	e := cached{answer: a, expires: now.Add(ttl).UnixNano()}
	s.answers[k] = e
	return e
}

// evict drops whichever of a few entries expires first, and every expired one it sees. Go's maps
// start their iteration at a random place, so this is random sampling without a list to maintain.
func (s *shard) evict(now time.Time) {
	const sample = 8
	var first cacheKey
	var expires int64
	seen := 0
	for k, e := range s.answers {
		if e.expires <= now.UnixNano() {
			delete(s.answers, k)
		} else if expires == 0 || e.expires < expires {
			first, expires = k, e.expires
		}
		if seen++; seen == sample {
			break
		}
	}
	if len(s.answers) >= s.limit {
		delete(s.answers, first)
		s.evicted++
	}
}

func (c *cache) size() (names int, evicted uint64) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		names += len(s.answers)
		evicted += s.evicted
		s.mu.Unlock()
	}
	return names, evicted
}
