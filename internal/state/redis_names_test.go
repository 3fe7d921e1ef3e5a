package state

import (
	"slices"
	"testing"
	"time"

	"mailweir/test/testbed"
)

// aboutClient are rows that are asked for about one client's mail.
func aboutClient(client, net string) []string {
	return []string{
		Key("known-net", client), Key("reputation", client), Key("tempblock-count", "rule", client), Key("greylist-client", net),
		Key("greylist", net, "a@example.com", "b@example.net"), Key("greylist-pending", "a@example.com", "b@example.net", net),
	}
}

func TestRedisPlaceNet(t *testing.T) {
	byKey, byNet := newRedisNames(&redisSpec{prefix: "p"}), newRedisNames(&redisSpec{prefix: "p", byNet: true})
	for client, net := range map[string]string{"192.0.2.7": "192.0.2.0/24", "2001:db8:1:2::/64": "2001:db8:1:2::/64"} {
		var keyed []int
		for _, key := range aboutClient(client, net) {
			keyed = append(keyed, byKey.bucket(key))
			if got, want := byNet.bucket(key), byNet.bucket(Key("known-net", client)); got != want {
				t.Errorf("%s is in bucket %d, and what else is known of its client in %d", key, got, want)
			}
		}
		slices.Sort(keyed)
		if len(slices.Compact(keyed)) == 1 {
			t.Errorf("all of %s is in one bucket by the checksums of the keys", client)
		}
	}
	spread := map[int]bool{}
	for _, key := range []string{
		"known-net|192.0.2.7", "known-net|192.0.3.7", "known-net|198.51.100.7", "greylist|10.0.0.0/24|a@example.com|b@example.net",
		"account|beef", "account|1.2.3", "recipients|b@example.net", "none", "greylist|",
	} {
		spread[byNet.bucket(key)] = true
	}
	if len(spread) < 5 {
		t.Errorf("rows about others are in %d buckets only", len(spread))
	}
}

// TestRedisPlaceNetMemory: where rows lie otherwise is a memory of its own, into which a migration
// leads.
func TestRedisPlaceNetMemory(t *testing.T) {
	spec := "redis://" + testbed.StartRedis(t).Address
	byKey, byNet := newHost(t, spec, nil), newHost(t, spec+"?place=net", nil)
	keys := aboutClient("192.0.2.7", "192.0.2.0/24")
	for _, key := range keys {
		put(t, byKey, key, "x", time.Hour)
		wantValue(t, byNet, key, "")
	}
	if err := Migrate(t.Context(), byKey, byNet, func(int) {}); err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		wantValue(t, byNet, key, "x")
	}
	listed, err := byNet.List(t.Context(), "greylist|", "", 10)
	if err != nil || len(listed) != 1 {
		t.Errorf("listed: %v, %v", listed, err)
	}
	acquire(t, byNet, Key("concurrency", "client", "192.0.2.7"), 1, true)
	acquire(t, byNet, Key("concurrency", "client", "192.0.2.7"), 1, false)
}
