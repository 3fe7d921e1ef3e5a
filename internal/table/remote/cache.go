package remote

import "time"

const (
	// notFoundFor is the longest that "not found" is kept: what somebody has just entered is to be
	// found soon.
	notFoundFor = 10 * time.Second
	// cacheSize bounds the octets of one table's cache, in both halves together.
	cacheSize = 8 << 20
	// entryCost is about what an entry costs beside its key and value.
	entryCost = 128
)

type answer struct {
	value string
	found bool
}

type kept struct {
	answer
	until time.Time
}

// cache keeps answers in two halves. When the young one is full it becomes the old one, and what
// was old is gone; what is asked for again moves to the young one. It is not safe for use by many
// at once.
type cache struct {
	keep       time.Duration
	young, old map[string]kept
	size       int // of the young half
}

func newCache(keep time.Duration) cache { return cache{keep: keep, young: map[string]kept{}} }

func (c *cache) get(key string, now time.Time) (answer, bool) {
	k, ok := c.young[key]
	if !ok {
		if k, ok = c.old[key]; ok && now.Before(k.until) {
			delete(c.old, key)
			c.add(key, k)
		}
	}
	if !ok || !now.Before(k.until) {
		return answer{}, false
	}
	return k.answer, true
}

func (c *cache) put(key string, a answer, now time.Time) {
	keep := c.keep
	if !a.found {
		keep = min(keep, notFoundFor)
	}
	if keep > 0 {
		delete(c.old, key)
		c.add(key, kept{a, now.Add(keep)})
	}
}

func (c *cache) add(key string, k kept) {
	if was, ok := c.young[key]; ok {
		c.size -= cost(key, was)
		delete(c.young, key)
	}
	n := cost(key, k)
	if n > cacheSize/2 {
		return
	}
	if c.size+n > cacheSize/2 {
		c.young, c.old, c.size = map[string]kept{}, c.young, 0
	}
	c.young[key] = k
	c.size += n
}

func cost(key string, k kept) int { return len(key) + len(k.value) + entryCost }
