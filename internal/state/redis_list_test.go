package state

import (
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

// TestRedisListReads: a page costs the server little more than what is on it, however long the list
// is. Each host reads lists again and again.
func TestRedisListReads(t *testing.T) {
	t.Parallel()
	server := testbed.StartRedis(t)
	h := newHost(t, "redis://"+server.Address, nil)
	const rows, limit = 4000, 100
	fillList(t, h, rows, func(int) bool { return true })
	before := hgets(t, server)
	page, err := h.List(t.Context(), "list|", "", limit)
	if err != nil || len(page) != limit {
		t.Fatalf("%d entries, %v", len(page), err)
	}
	if read := hgets(t, server) - before; read > 4*limit {
		t.Errorf("the server has read %d rows for a page of %d", read, limit)
	}
}

// TestRedisListOneBucket: rows that lie in few buckets make as many pages as any others.
func TestRedisListOneBucket(t *testing.T) {
	t.Parallel()
	server := testbed.StartRedis(t)
	h := newHost(t, "redis://"+server.Address, nil)
	const rows, limit = 250, 100
	keys := fillList(t, h, rows, func(bucket int) bool { return bucket < 2 })
	for after, got := "", 0; got < rows; {
		page, err := h.List(t.Context(), "list|", after, limit)
		if err != nil || len(page) != min(limit, rows-got) {
			t.Fatalf("%d entries after %d, %v", len(page), got, err)
		}
		for _, e := range page {
			if e.Key != keys[got] {
				t.Fatalf("entry %d is %s, want %s", got, e.Key, keys[got])
			}
			got++
		}
		after = page[len(page)-1].Key
	}
}

// fillList puts that many rows into such buckets, and returns their keys in order.
func fillList(t *testing.T, h *host, rows int, lies func(bucket int) bool) (keys []string) {
	t.Helper()
	var steps []Step
	for i := 0; len(keys) < rows; i++ {
		key := fmt.Sprintf("list|%06d", i)
		if !lies(int(crc32.ChecksumIEEE([]byte(key)) % redisBuckets)) {
			continue
		}
		keys, steps = append(keys, key), append(steps, Put(key, []byte("x"), 0))
	}
	if _, err := h.Do(t.Context(), steps...); err != nil {
		t.Fatal(err)
	}
	return keys
}

// hgets is how often rows have been read on the server.
func hgets(t *testing.T, server *testbed.Redis) int {
	t.Helper()
	info, err := server.Ask("INFO", "commandstats")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(info, "cmdstat_hget:calls=")
	word, _, _ := strings.Cut(after, ",")
	n, err := strconv.Atoi(word)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
