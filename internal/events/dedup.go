package events

import (
	"cmp"
	"net/netip"
	"sync"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/policy"
)

// A flood can fill neither log nor memory, whatever clients choose. Events that are alike stand
// alone up to a number of lines; the rest share an id and two lines: the first of them, and their
// sum. They are alike by check, reply and action, and besides by client and sender domain, or else
// by client, or else by nothing more, in each second: so every id stands in the log.
const (
	domainLines = 10
	clientLines = 100
	dedupSpan   = time.Minute
	dedupKeys   = 10_000 // clients, and pairs of client and domain, that are watched at once

	// checkLines bound each check by itself. One check in a flood, and the usual lines of others,
	// stay below what journald takes, on average 333 lines a second (RateLimitBurst=10000 in 30 s,
	// in journald.conf(5), and more where the disk has room). Four checks flooded at once for half
	// a minute may exceed it: there is no bound for all checks together.
	checkLines = 100
	checkSpan  = time.Second

	shareLines = 2 // that a shared id costs
)

// dedupKey is what events have in common. What they need not have is left empty.
type dedupKey struct {
	check, reply, domain string
	client               netip.Prefix
	action               policy.Action
}

// keysOf counts an IPv6 client's /64 as one client: any of its addresses costs nothing.
func keysOf(e *policy.Event) (check, client, domain dedupKey) {
	check = dedupKey{check: e.Check, reply: e.Reply, action: e.Action}
	bits := e.Client.BitLen()
	if e.Client.Is6() {
		bits = 64
	}
	client = check
	client.client, _ = e.Client.Prefix(bits) // an unknown client is the zero prefix
	domain = client
	domain.domain = address.Parse(e.Sender).Domain
	return check, client, domain
}

type dedups struct {
	clock func() time.Time

	mu      sync.Mutex
	seconds level // counts the lines of a check
	checks  level
	clients level
	domains level
	shared  map[string]*dedup // by id
	room    int               // octets that open sums may still keep
}

func newDedups(clock func() time.Time) *dedups {
	return &dedups{
		clock:   clock,
		seconds: newLevel("", checkSpan),
		checks:  newLevel(policy.AlikeCheck, checkSpan),
		clients: newLevel(policy.AlikeClient, dedupSpan),
		domains: newLevel(policy.AlikeDomain, dedupSpan),
		shared:  map[string]*dedup{}, room: gatherOctets,
	}
}

// identify returns the event's id, and the sums whose span has ended.
func (ds *dedups) identify(e *policy.Event) (id string, ended []*dedup) {
	check, client, domain := keysOf(e)
	ds.mu.Lock()
	defer ds.mu.Unlock()
	now := ds.clock()
	ended = ds.expire(now)
	if id := cmp.Or(ds.domains.id(domain), ds.clients.id(client), ds.checks.id(check)); id != "" {
		return id, ended // it costs no further line
	}
	second := ds.seconds.get(dedupKey{check: e.Check}, now)
	if second.full(checkLines) {
		return ds.share(ds.checks.get(check, now)), ended
	}
	var ofClient *dedup // an unknown one is nobody in particular
	if e.Client.IsValid() {
		ofClient = ds.clients.get(client, now)
	}
	if ofClient.full(clientLines) {
		second.charge(shareLines)
		return ds.share(ofClient), ended
	}
	ofDomain := ds.domains.get(domain, now)
	if ofDomain.full(domainLines) {
		second.charge(shareLines)
		ofClient.charge(shareLines)
		return ds.share(ofDomain), ended
	}
	second.charge(1)
	ofClient.charge(1)
	ofDomain.charge(1)
	return newID(), ended
}

// share begins to share an id.
func (ds *dedups) share(d *dedup) string {
	d.id = newID()
	ds.shared[d.id] = d
	return d.id
}

// record reports whether an event of the same id has been told of before.
func (ds *dedups) record(e *policy.Event) (repeated bool) {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	d := ds.shared[e.ID]
	if d == nil {
		return false
	}
	d.all.add(e, &ds.room)
	if d.first == nil {
		d.first = e
		return false
	}
	return true
}

// expire takes out what has been open for its span, and returns what has a sum to tell of.
func (ds *dedups) expire(now time.Time) (ended []*dedup) {
	for _, l := range []*level{&ds.seconds, &ds.checks, &ds.clients, &ds.domains} {
		for d := l.expire(now); d != nil; d = l.expire(now) {
			delete(ds.shared, d.id)
			ds.room += d.all.octets
			if d.first != nil && d.all.times > 1 {
				ended = append(ended, d)
			}
		}
	}
	return ended
}

// ended closes what has been open for its span.
func (ds *dedups) ended() []*dedup {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	return ds.expire(ds.clock())
}

// end closes everything.
func (ds *dedups) end() []*dedup {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	return ds.expire(ds.clock().Add(dedupSpan))
}

func newID() string { return "mw-" + policy.NewID() }
