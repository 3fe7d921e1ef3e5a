package state

import (
	"hash/crc32"
	"net/netip"
	"strconv"
	"strings"
	"sync"
)

// redisNames are the names of the server's keys. Those that every step needs are made once.
type redisNames struct {
	prefix string
	byNet  bool     // rows about a client lie where its net does
	spaces sync.Map // *[redisBuckets]bucketNames by space
}

// netName ends the prefix where rows lie by nets, and no other.
const netName = "@net"

func newRedisNames(spec *redisSpec) redisNames {
	if spec.byNet { // a memory of its own: nobody finds a row where others do not look for it
		return redisNames{prefix: spec.prefix + netName, byNet: true}
	}
	return redisNames{prefix: spec.prefix}
}

// bucket is the bucket of a row.
func (n *redisNames) bucket(key string) int {
	if n.byNet {
		if net := netIn(key); net.IsValid() {
			octets := net.Addr().As16()
			return int(crc32.ChecksumIEEE(octets[:]) % redisBuckets)
		}
	}
	return int(crc32.ChecksumIEEE([]byte(key)) % redisBuckets)
}

// netIn is the net that the first address or net in a key is in, an IPv4 /24 or an IPv6 /64: about
// one client, some keys have its address and others a net around it.
func netIn(key string) (none netip.Prefix) {
	_, rest, _ := strings.Cut(key, separator)
	for part := range strings.SplitSeq(rest, separator) {
		word, _, _ := strings.Cut(part, "/")
		if word == "" || strings.Trim(word, "0123456789abcdef.:") != "" {
			continue // quickly: most parts are names
		}
		if client, err := netip.ParseAddr(word); err == nil {
			bits := 24
			if client.Is6() {
				bits = 64
			}
			net, _ := client.Prefix(bits) // it has as many
			return net
		}
	}
	return none
}

// bucketNames are the keys of a space in one bucket, in the order in which the script for steps has
// them.
type bucketNames struct {
	rows string
	step []string // rows, ends, names, spaces, evicted
}

// key is the server's key for one kind of thing of a space in a bucket.
func (n *redisNames) key(bucket int, kind, space string) string {
	return "{" + n.prefix + ":" + strconv.Itoa(bucket) + "}" + kind + ":" + space
}

// lease is the server's key for the holders of leases under a key.
func (n *redisNames) lease(key string) string { return n.key(n.bucket(key), "places", key) }

// of returns the keys for one row. Spaces are few: programs name them.
func (n *redisNames) of(key string) *bucketNames {
	space := spaceOf(key)
	made, ok := n.spaces.Load(space)
	if !ok {
		made, _ = n.spaces.LoadOrStore(space, n.make(space))
	}
	return &made.(*[redisBuckets]bucketNames)[n.bucket(key)]
}

func (n *redisNames) make(space string) *[redisBuckets]bucketNames {
	var all [redisBuckets]bucketNames
	for bucket := range all {
		rows := n.key(bucket, "rows", space)
		all[bucket] = bucketNames{rows: rows, step: []string{
			rows, n.key(bucket, "ends", space), n.key(bucket, "names", space),
			n.key(bucket, "spaces", ""), n.key(bucket, "evicted", ""),
		}}
	}
	return &all
}
