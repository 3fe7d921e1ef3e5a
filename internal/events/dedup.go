package events

import (
	"net/netip"
	"sync"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/policy"
)

// Events of the same check, reply, client and sender domain stand alone up to dedupAfter in dedupSpan; the
// rest share one id and one line, so that a flood can fill neither log nor memory.
const (
	dedupAfter = 10
	dedupSpan  = time.Minute
	dedupKeys  = 10_000 // keys that are watched at once; beyond it no other events are brought together
)

type dedupKey struct {
	check, reply, domain string
	client               netip.Prefix
	action               policy.Action
}

// dedup counts the events of one key in one span.
type dedup struct {
	key   dedupKey
	begun time.Time
	count int
	id    string // of the events from dedupAfter on
	// first is the first event of that id; all what it and the others have.
	first *policy.Event
	all   gathering
}

// times is how many events share the id.
func (d *dedup) times() int { return d.count - dedupAfter }

// sum is the event that stands for all of them.
func (d *dedup) sum() *policy.Event {
	e := *d.first
	e.Repeated = false
	e.Dedup = &policy.Dedup{Times: d.all.times, Last: d.all.last}
	d.all.into(&e)
	return &e
}

type dedups struct {
	clock func() time.Time

	mu    sync.Mutex
	open  map[dedupKey]*dedup
	sweep time.Time
	room  int // octets that open sums may still keep
}

func newDedups(clock func() time.Time) *dedups {
	return &dedups{clock: clock, open: map[dedupKey]*dedup{}, sweep: clock(), room: gatherOctets}
}

// keyOf counts an IPv6 client's /64 as one client: any of its addresses costs nothing.
func keyOf(e *policy.Event) dedupKey {
	bits := e.Client.BitLen()
	if e.Client.Is6() {
		bits = 64
	}
	client, _ := e.Client.Prefix(bits) // an unknown client is the zero prefix
	return dedupKey{check: e.Check, reply: e.Reply, client: client, domain: address.Parse(e.Sender).Domain, action: e.Action}
}

// identify returns the event's id, and the sums whose span has ended.
func (ds *dedups) identify(e *policy.Event) (id string, ended []*dedup) {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	now := ds.clock()
	if now.Sub(ds.sweep) >= dedupSpan {
		ds.sweep = now
		ended = ds.expire(now)
	}
	key := keyOf(e)
	d := ds.open[key]
	if d != nil && now.Sub(d.begun) >= dedupSpan {
		ended = ds.finish(d, ended)
		d = nil
	}
	if d == nil {
		if len(ds.open) >= dedupKeys {
			return newID(), ended
		}
		d = &dedup{key: key, begun: now}
		ds.open[key] = d
	}
	d.count++
	switch {
	case d.times() <= 0:
		return newID(), ended
	case d.id == "":
		d.id = newID()
	}
	return d.id, ended
}

// record reports whether an event of the same id has been told of before.
func (ds *dedups) record(e *policy.Event) (repeated bool) {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	d := ds.open[keyOf(e)]
	if d == nil || d.id != e.ID {
		return false
	}
	d.all.add(e, &ds.room)
	if d.first == nil {
		d.first = e
		return false
	}
	return true
}

// finish takes a dedup out, and adds it to the list if it has a sum to tell of.
func (ds *dedups) finish(d *dedup, ended []*dedup) []*dedup {
	delete(ds.open, d.key)
	ds.room += d.all.octets
	if d.first != nil && d.all.times > 1 {
		ended = append(ended, d)
	}
	return ended
}

func (ds *dedups) expire(now time.Time) (ended []*dedup) {
	for _, d := range ds.open {
		if now.Sub(d.begun) >= dedupSpan {
			ended = ds.finish(d, ended)
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
func (ds *dedups) end() (ended []*dedup) {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	for _, d := range ds.open {
		ended = ds.finish(d, ended)
	}
	return ended
}

func newID() string { return "mw-" + policy.NewID() }
