package state

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
)

// Redis is a store that several hosts share: a Redis or Valkey server, a Sentinel set, or a cluster.
//
// Keys of the server are {PREFIX:BUCKET}KIND:SPACE. A row lies in one of 16 buckets by the checksum of its key; the braces keep
// a bucket in one slot of a cluster, so that a script can work on a row and its places in the orders of expiry and of keys.
// Steps that read are bare commands, steps that write are one script each, and all of a call go out in one pipeline.
type Redis struct {
	single
	options  Options
	limits   limits
	prefix   string
	name     string // as --state has it, for errors
	client   redis.UniversalClient
	cluster  *redis.ClusterClient // nil unless it is one
	origin   string               // this process among those that write
	breakers breakers
	watchers watchers
	doubtful atomic.Bool // a step of a person has failed, and may have been done all the same
	leases   redisLeases

	ctx  context.Context // ends with Close
	stop context.CancelFunc
	work sync.WaitGroup
}

// redisBuckets is how many nodes of a cluster can share a space.
const redisBuckets = 16

// OpenRedis opens the store that spec names. A server that is out of reach is no error: the store is down until it answers.
func OpenRedis(ctx context.Context, spec string, options Options) (*Redis, error) {
	parsed, err := parseRedis(spec)
	if err != nil {
		return nil, err
	}
	// The library would write to standard error what the breaker tells.
	logging.Disable()
	options = options.withDefaults()
	r := &Redis{
		options: options, limits: options.limits(), prefix: parsed.prefix, name: parsed.name, origin: rand.Text(),
		client: redis.NewUniversalClient(parsed.client),
		breakers: breakers{
			name: parsed.name, causes: map[int]error{}, onDown: options.OnDown, onUp: options.OnUp, probe: make(chan struct{}, 1),
		},
	}
	r.single.doer = r
	r.cluster, _ = r.client.(*redis.ClusterClient)
	r.ctx, r.stop = context.WithCancel(context.Background())
	r.leases.init()
	if err := r.begin(ctx); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	r.work.Add(3)
	go r.probes()
	go r.keepLeases()
	go r.listen()
	return r, nil
}

// begin asks every part for the first time. Only what waiting cannot mend is an error.
func (r *Redis) begin(ctx context.Context) error {
	errs := make([]error, r.parts())
	var asked sync.WaitGroup
	for part := range errs {
		asked.Go(func() { errs[part] = r.ask(ctx, part) })
	}
	asked.Wait()
	for part, err := range errs {
		switch {
		case err == nil:
		case refuses(err):
			return fmt.Errorf("state: %s: %w: %w", r.name, ErrRefused, err)
		case errors.Is(err, ErrNewer), ctx.Err() != nil:
			return fmt.Errorf("state: %s: %w", r.name, err)
		default:
			_ = r.breakers.trip(err, part)
		}
	}
	return nil
}

// refuses reports a server that answers and does not let us in, or has no database of that number.
func refuses(err error) bool {
	return redis.HasErrorPrefix(err, "ERR DB index") || redis.HasErrorPrefix(err, "ERR invalid DB index") ||
		redis.HasErrorPrefix(err, "NOAUTH") || redis.HasErrorPrefix(err, "WRONGPASS") || redis.HasErrorPrefix(err, "NOPERM")
}

// ask finds out whether a part is within reach and has a schema that we know.
func (r *Redis) ask(ctx context.Context, part int) error {
	ctx, cancel := context.WithTimeout(ctx, redisCall)
	defer cancel()
	key := r.key(part, "schema", "")
	if err := r.client.SetNX(ctx, key, Schema, 0).Err(); err != nil {
		return err
	}
	version, err := r.client.Get(ctx, key).Result()
	if err != nil {
		return err
	}
	return schemaFits(version)
}

// parts is how many breakers there are.
func (r *Redis) parts() int {
	if r.cluster != nil {
		return redisBuckets
	}
	return 1
}

// part returns the breaker of a bucket.
func (r *Redis) part(bucket int) int {
	if r.cluster != nil {
		return bucket
	}
	return 0
}

func bucketOf(key string) int { return int(crc32.ChecksumIEEE([]byte(key)) % redisBuckets) }

// key is the server's key for one kind of thing of a space in a bucket.
func (r *Redis) key(bucket int, kind, space string) string {
	return "{" + r.prefix + ":" + strconv.Itoa(bucket) + "}" + kind + ":" + space
}

func (r *Redis) channel() string { return r.prefix + ":entered" }

// Waits is true: the server is asked over the network.
func (r *Redis) Waits() bool { return true }

// Watch calls changed with each key that an entered step changes, on any host.
func (r *Redis) Watch(prefix string, changed func(string)) (stop func()) {
	return r.watchers.add(prefix, changed)
}

// listen hears of what other hosts enter. Each time the connection is made anew, something may have been missed.
func (r *Redis) listen() {
	defer r.work.Done()
	sub := r.client.Subscribe(r.ctx, r.channel())
	defer sub.Close()
	heard := sub.ChannelWithSubscriptions()
	for {
		select {
		case message, ok := <-heard:
			if !ok {
				return
			}
			switch m := message.(type) {
			case *redis.Subscription:
				r.watchers.tell("")
			case *redis.Message:
				r.hear(m.Payload)
			}
		case <-r.ctx.Done():
			return
		}
	}
}

func (r *Redis) hear(payload string) {
	origin, key, found := cutOrigin(payload)
	if found && (origin != r.origin || r.doubtful.Load()) { // our own is told already, if we know that it was done
		r.watchers.tell(key)
	}
}

// Close gives back the places and ends the connections.
func (r *Redis) Close() error {
	r.stop()
	r.work.Wait()
	r.leases.leave(r)
	err := r.client.Close()
	if errors.Is(err, redis.ErrClosed) {
		return nil
	}
	return err
}
