package state

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"mailweir/internal/backend"
)

// Redis is a store that several hosts share: a Redis or Valkey server, a Sentinel set, or a
// cluster.
//
// Keys of the server are {PREFIX:BUCKET}KIND:SPACE. A row lies in one of 16 buckets by the checksum
// of its key, or of its client's net (place=net); the braces keep a bucket in one slot of a
// cluster, so that a script can work on a row and its places in the orders of expiry and of keys.
// Steps that read are bare commands, steps that
// write are one script each. All of a call go out at once, and the client sends what several
// callers ask at the same time in one go.
type Redis struct {
	single
	options  Options
	spec     *redisSpec
	origin   string // this process among those that write
	backend  *backend.Backend
	watchers watchers
	doubtful atomic.Bool // a step of a person has failed, and may have been done all the same
	leases   redisLeases
	names    redisNames

	connection atomic.Pointer[rueidis.Client] // nil until a server was there for the first time
	connecting sync.Mutex
	failure    error // of the last try to connect, which ended then
	failed     time.Time

	ctx  context.Context // ends with Close
	stop context.CancelFunc
	work sync.WaitGroup
}

// redisBuckets is how many nodes of a cluster can share a space. In a cluster each bucket is a part
// that can be lost without the others, for a lost node takes only its buckets with it; else there
// is one part for all.
const redisBuckets = 16

// OpenRedis opens the store that spec names. A server that is unavailable is no error: the store is
// down until it answers.
func OpenRedis(ctx context.Context, spec string, options Options) (*Redis, error) {
	parsed, err := parseRedis(spec)
	if err != nil {
		return nil, err
	}
	options = options.withDefaults()
	r := &Redis{
		options: options, spec: parsed, origin: rand.Text(), names: newRedisNames(parsed),
	}
	r.backend = backend.New(backend.Options{
		Name: parsed.name, Deadline: redisCall, Unavailable: ErrDown, Probe: r.probe, OnDown: options.OnDown,
		OnUp: func() {
			r.leases.renew() // also of parts that were still lost when a probe said so
			options.OnUp()
		},
	})
	r.single.doer = r
	r.ctx, r.stop = context.WithCancel(context.Background())
	r.leases.init()
	if err := r.begin(ctx); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	r.work.Go(r.keepLeases)
	r.work.Go(r.listen)
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
			return fmt.Errorf("state: %s: %w: %w", r.spec.name, ErrRefused, err)
		case errors.Is(err, ErrNewer), ctx.Err() != nil:
			return fmt.Errorf("state: %s: %w", r.spec.name, err)
		default:
			_ = r.lose(err, part)
		}
	}
	return nil
}

// refuses reports a server that answers and does not let us in, or has no database of that number.
func refuses(err error) bool {
	for _, answer := range []string{"DB index", "invalid DB index", "NOAUTH", "WRONGPASS", "NOPERM"} {
		if answers(err, answer) {
			return true
		}
	}
	return false
}

// answers reports an error that the server has answered and that begins so.
func answers(err error, prefix string) bool {
	var answer *rueidis.RedisError
	return errors.As(err, &answer) && strings.HasPrefix(answer.Error(), prefix)
}

// client returns the connection. The library makes none without a server, so it is made when one is
// there.
func (r *Redis) client() (rueidis.Client, error) {
	if c := r.connection.Load(); c != nil {
		return *c, nil
	}
	r.connecting.Lock()
	defer r.connecting.Unlock()
	if c := r.connection.Load(); c != nil {
		return *c, nil
	}
	if r.failure != nil && time.Since(r.failed) < redisAgain {
		return nil, r.failure // another part has just tried
	}
	c, err := r.spec.connect()
	if r.failure, r.failed = err, time.Now(); err != nil {
		return nil, err
	}
	r.connection.Store(&c)
	return c, nil
}

// redisAgain is the least pause between two tries to connect.
const redisAgain = 50 * time.Millisecond

// reconnect has the next caller of client make another one, which reads passwords again.
func (r *Redis) reconnect() {
	r.connecting.Lock()
	defer r.connecting.Unlock()
	if c := r.connection.Swap(nil); c != nil {
		(*c).Close()
	}
}

// ask finds out whether a part is available and has a schema that we know.
func (r *Redis) ask(ctx context.Context, part int) error {
	ctx, cancel := context.WithTimeout(ctx, redisCall)
	defer cancel()
	client, err := r.client()
	if err != nil {
		return err
	}
	key := r.names.key(part, "schema", "")
	answers := client.DoMulti(ctx,
		client.B().Setnx().Key(key).Value(strconv.Itoa(Schema)).Build(), client.B().Get().Key(key).Build())
	version, err := answers[1].ToString()
	if err := cmp.Or(answers[0].Error(), err); err != nil {
		return err
	}
	return schemaFits(version)
}

// probe asks a part that was lost. Who is not let in any more may have another password by now.
func (r *Redis) probe(ctx context.Context, part int) error {
	err := r.ask(ctx, part)
	switch {
	case err == nil:
		r.leases.renew()
	case refuses(err):
		r.reconnect()
	}
	return err
}

// lose marks a part as lost.
func (r *Redis) lose(cause error, part int) error {
	if r.spec.tls != nil && errors.Is(cause, context.DeadlineExceeded) {
		cause = fmt.Errorf("%w (does it speak TLS on that port?)", cause)
	}
	return r.backend.Lose(cause, part)
}

// parts is how many parts there are.
func (r *Redis) parts() int {
	if r.spec.cluster {
		return redisBuckets
	}
	return 1
}

// part returns the part of a bucket.
func (r *Redis) part(bucket int) int {
	if r.spec.cluster {
		return bucket
	}
	return 0
}

func (r *Redis) channel() string { return r.spec.prefix + ":entered" }

// Waits is true: the server is asked over the network.
func (r *Redis) Waits() bool { return true }

// Watch calls changed with each key that an entered step changes, on any host.
func (r *Redis) Watch(prefix string, changed func(string)) (stop func()) {
	return r.watchers.add(prefix, changed)
}

// listen hears of what other hosts enter. Each time the connection is made again, something may
// have been missed.
func (r *Redis) listen() {
	ctx := rueidis.WithOnSubscriptionHook(r.ctx, func(s rueidis.PubSubSubscription) {
		if s.Kind == "subscribe" {
			r.watchers.listens()
		}
	})
	for r.ctx.Err() == nil {
		if client := r.connection.Load(); client != nil {
			subscribe := (*client).B().Subscribe().Channel(r.channel()).Build()
			_ = (*client).Receive(ctx, subscribe, func(m rueidis.PubSubMessage) { r.hear(m.Message) })
		}
		select {
		case <-time.After(redisListen):
		case <-r.ctx.Done():
		}
	}
}

// redisListen is the pause before another try to hear what other hosts enter.
const redisListen = 200 * time.Millisecond

func (r *Redis) hear(payload string) {
	origin, key, found := strings.Cut(payload, " ")
	if found && (origin != r.origin || r.doubtful.Load()) { // our own is told already, if we know that it was done
		r.watchers.tell(key)
	}
}

// Close gives back the places and ends the connections.
func (r *Redis) Close() error {
	r.stop()
	r.work.Wait()
	r.leases.leave(r)
	r.backend.Close()
	r.reconnect()
	return nil
}
