package dns

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// ResolverOptions configures a [Resolver]. Zero values mean the defaults named here.
type ResolverOptions struct {
	Servers []string // host:port of recursive resolvers, asked in this order; needed (see ParseServers, SystemServers)

	AttemptTimeout  time.Duration // of silence, after which the next server is asked as well, or the same again; 1s
	QuestionTimeout time.Duration // for one question in all, however long its askers would wait; 5s

	MinTTL   time.Duration // answers are kept at least so long; 1m, as postscreen_dnsbl_min_ttl
	MaxTTL   time.Duration // and at most so long; 1h, as postscreen_dnsbl_max_ttl
	ErrorTTL time.Duration // failures are kept so long; 5s

	CacheNames int // most answers kept; 200,000 (under 100 octets each)
	InFlight   int // most questions (sockets) open at once; 1,000. As many again times 64 may wait for their turn

	// FixedCase turns the random case of names off from the start. Without it, a server that does
	// not echo the case is found out and spared from then on.
	FixedCase bool

	Clock func() time.Time // for the age of answers; time.Now

	// Recorded answers in the place of the servers, of which none is asked then, and nothing is
	// kept.
	Recorded func(Question) Answer
}

func (o *ResolverOptions) fill() error {
	if len(o.Servers) == 0 && o.Recorded == nil {
		return errors.New("dns: a resolver needs at least one DNS server")
	}
	for _, s := range o.Servers {
		if _, err := netip.ParseAddrPort(s); err != nil {
			return fmt.Errorf("dns: DNS server %q is not host:port with an address as host", s)
		}
	}
	setDefault(&o.AttemptTimeout, time.Second)
	setDefault(&o.QuestionTimeout, 5*time.Second)
	setDefault(&o.MinTTL, time.Minute)
	setDefault(&o.MaxTTL, time.Hour)
	setDefault(&o.ErrorTTL, 5*time.Second)
	setDefault(&o.CacheNames, 200_000)
	setDefault(&o.InFlight, 1000)
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return nil
}

func setDefault[T int | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// Resolver asks recursive DNS servers, keeps what they say, and puts one question for however many
// ask the same at once. It is safe for concurrent use and is meant to live as long as the process.
type Resolver struct {
	opt     ResolverOptions
	ttl     ttlLimits
	cache   *cache
	servers []*server
	first   atomic.Uint32 // index of the server that answered last
	stats   counters

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex // guards what follows
	closed  bool
	running int
	queue   []*flight
}

// NewResolver starts nothing and asks nothing until the first question.
func NewResolver(opt ResolverOptions) (*Resolver, error) {
	if err := opt.fill(); err != nil {
		return nil, err
	}
	r := &Resolver{opt: opt, cache: newCache(opt.CacheNames), ttl: ttlLimits{opt.MinTTL, opt.MaxTTL, opt.ErrorTTL}}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	for _, addr := range opt.Servers {
		s := &server{addr: addr}
		s.fixedCase.Store(opt.FixedCase)
		r.servers = append(r.servers, s)
	}
	return r, nil
}

// Close cancels every open question and returns when the last goroutine has ended. Later questions
// fail.
func (r *Resolver) Close() {
	r.mu.Lock()
	r.closed = true
	queue := r.queue
	r.queue = nil
	r.mu.Unlock()
	r.cancel()
	for _, f := range queue {
		r.finish(f, failed(Cancelled, "resolver closed"), 0)
	}
	r.wg.Wait()
}

// Ask answers from the cache or the DNS. When ctx ends first, the answer is a failure: Timeout
// after a deadline, else Cancelled.
func (r *Resolver) Ask(ctx context.Context, q Question) Answer {
	return *r.ask(ctx, q, false)
}

// AskFresh is Ask without what is kept: the DNS is asked now, and the answer kept.
func (r *Resolver) AskFresh(ctx context.Context, q Question) Answer {
	return *r.ask(ctx, q, true)
}

// Servers are the addresses of those that it asks.
func (r *Resolver) Servers() []string { return slices.Clone(r.opt.Servers) }

// Now is the time by the resolver's clock.
func (r *Resolver) Now() time.Time { return r.opt.Clock() }

func (r *Resolver) ask(ctx context.Context, q Question, fresh bool) *Answer {
	if err := ctx.Err(); err != nil {
		a := contextFailure(err)
		return &a
	}
	ch := make(chan Arrival, 1)
	w := r.join(q, fresh, func(a Arrival) { ch <- a })
	select {
	case a := <-ch:
		return a.Answer
	case <-ctx.Done():
		a := contextFailure(ctx.Err())
		w.giveUp(a.Err.Failure)
		return &a
	}
}

func contextFailure(err error) Answer {
	if errors.Is(err, context.DeadlineExceeded) {
		return failed(Timeout, "")
	}
	return failed(Cancelled, "")
}

// submit starts a goroutine for f, or queues it when enough are running.
func (r *Resolver) submit(f *flight) {
	r.mu.Lock()
	switch {
	case r.closed:
		r.mu.Unlock()
		r.finish(f, failed(Cancelled, "resolver closed"), 0)
	case r.running < r.opt.InFlight:
		r.running++
		r.wg.Add(1)
		r.mu.Unlock()
		go r.work(f)
	case len(r.queue) < r.opt.InFlight*64:
		r.queue = append(r.queue, f)
		r.mu.Unlock()
	default:
		r.mu.Unlock()
		r.stats.count(Overloaded)
		r.finish(f, failed(Overloaded, ""), 0)
	}
}

// work asks f and then whatever is queued.
func (r *Resolver) work(f *flight) {
	defer r.wg.Done()
	for f != nil {
		a, ttl := r.question(f)
		r.finish(f, a, ttl)
		f = r.next()
	}
}

func (r *Resolver) next() *flight {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 || r.closed {
		r.running--
		return nil
	}
	f := r.queue[0]
	r.queue[0] = nil
	r.queue = r.queue[1:]
	return f
}

// finish stores the answer, ends the flight and tells everyone who waits.
func (r *Resolver) finish(f *flight, a Answer, ttl time.Duration) {
	s := r.cache.shard(f.key)
	s.mu.Lock()
	if s.flights[f.key] == f {
		delete(s.flights, f.key)
	}
	out := Arrival{Answer: &a}
	if ttl > 0 {
		e := s.put(f.key, shared(&a), r.opt.Clock(), ttl)
		out.Answer, out.Expires = e.answer, e.expires
	}
	var deliver []func(Arrival)
	for w := range f.waiters {
		deliver = append(deliver, w.deliver)
	}
	f.waiters = nil
	s.mu.Unlock()
	f.cancel()
	for _, d := range deliver {
		d(out)
	}
}

var noName, noData = Answer{Status: NoName}, Answer{Status: NoData}

// shared lets all negative answers be one in memory: they are nearly everything that a list says.
func shared(a *Answer) *Answer {
	switch a.Status {
	case NoName:
		return &noName
	case NoData:
		return &noData
	}
	return a
}
