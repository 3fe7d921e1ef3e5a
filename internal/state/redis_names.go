package state

import (
	"strconv"
	"sync"
)

// redisNames are the names of the server's keys. Those that every step needs are made once.
type redisNames struct {
	prefix string
	spaces sync.Map // *[redisBuckets]bucketNames by space
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
func (n *redisNames) lease(key string) string { return n.key(bucketOf(key), "places", key) }

// of returns the keys for one row. Spaces are few: programs name them.
func (n *redisNames) of(key string) *bucketNames {
	space := spaceOf(key)
	made, ok := n.spaces.Load(space)
	if !ok {
		made, _ = n.spaces.LoadOrStore(space, n.make(space))
	}
	return &made.(*[redisBuckets]bucketNames)[bucketOf(key)]
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
