package remote

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestCacheIsBounded puts far more into a cache than it may hold: what was asked for lately is
// there, and the rest makes room.
func TestCacheIsBounded(t *testing.T) {
	c := newCache(time.Minute)
	now := time.Now()
	value := strings.Repeat("x", 1000)
	c.put("often", answer{"v", true}, now)
	for i := range 100_000 {
		c.put(fmt.Sprint(i), answer{value, true}, now)
		if _, ok := c.get("often", now); !ok {
			t.Fatalf("what is asked for all the time is gone after %d", i)
		}
	}
	held := 0
	for _, half := range []map[string]kept{c.young, c.old} {
		for key, k := range half {
			held += cost(key, k)
		}
	}
	if held > cacheSize || held < cacheSize/4 {
		t.Errorf("%d octets are held, at most %d may be", held, cacheSize)
	}
	if _, ok := c.get("0", now); ok {
		t.Error("the oldest is still there")
	}
	if _, ok := c.get("99999", now); !ok {
		t.Error("the youngest is gone")
	}
}

func TestCacheReplaces(t *testing.T) {
	c := newCache(time.Minute)
	now := time.Now()
	for range 100_000 {
		c.put("a", answer{strings.Repeat("x", 1000), true}, now)
	}
	c.put("a", answer{"new", true}, now)
	if a, ok := c.get("a", now); !ok || a.value != "new" || c.size != cost("a", kept{answer: a}) {
		t.Errorf("%q, %v; size %d", a.value, ok, c.size)
	}
	c.put("large", answer{strings.Repeat("x", cacheSize), true}, now)
	if _, ok := c.get("large", now); ok {
		t.Error("what is larger than the cache is in it")
	}
}
