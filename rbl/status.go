package rbl

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mailweir/internal/dns"
)

// usage counts what a list did. A client whose result was still remembered is not counted again.
type usage struct {
	asked, hits, alone, errors, skipped, knownGood atomic.Uint64
	latency                                        dns.Histogram
}

// ListStatus is a snapshot of one list.
type ListStatus struct {
	Zone  string
	Kind  Kind
	Asked bool      // false while it is suspended
	Cause Cause     // the most telling cause of its suspension; 0 while it is asked
	Why   string    // why it is suspended
	Until time.Time // when it will be asked again, if that is known

	IPv4     bool // asked about IPv4 clients
	IPv6     bool // asked about IPv6 clients
	LastTest time.Time
	TestWhy  string // what the last test found wrong; empty when it passed

	Queries   uint64            // clients or names looked up, from the cache or the DNS
	Hits      uint64            // of these, listed so that an entry counted
	Alone     uint64            // of these, with no other list hitting
	Errors    uint64            // answers that were failures or error codes
	Skipped   uint64            // not asked, because it was suspended
	KnownGood uint64            // hits on known-good clients: against Hits, the list's precision
	Latency   dns.Latency       // of its answers from the DNS
	Overlap   map[string]uint64 // hits shared with another list, by its zone
}

// Status is a snapshot of every list in use, by name.
func (l *Lists) Status() []ListStatus {
	var all []ListStatus
	for _, li := range l.all() {
		all = append(all, li.status(l.overlap.of(li.zone)))
	}
	slices.SortFunc(all, func(a, b ListStatus) int { return strings.Compare(a.Zone, b.Zone) })
	return all
}

func (li *list) status(overlap map[string]uint64) ListStatus {
	s := ListStatus{
		Zone: li.zone, Kind: li.kind, Asked: true,
		IPv4: li.kind == Addresses && li.hasFamily(false), IPv6: li.kind == Addresses && li.hasFamily(true),
		Queries: li.use.asked.Load(), Hits: li.use.hits.Load(), Alone: li.use.alone.Load(), Errors: li.use.errors.Load(),
		Skipped: li.use.skipped.Load(), KnownGood: li.use.knownGood.Load(), Latency: li.use.latency.Snapshot(), Overlap: overlap,
	}
	if r := li.suspended.Load(); r != nil {
		s.Asked, s.Cause, s.Why, s.Until = false, r.cause, r.why, r.until
	}
	li.mu.Lock()
	defer li.mu.Unlock()
	s.LastTest, s.TestWhy = li.lastAt, li.lastTest.why
	return s
}

// overlaps counts pairs of lists that hit the same client.
type overlaps struct {
	mu    sync.Mutex
	pairs map[[2]string]uint64
}

func (o *overlaps) note(zones []string) {
	if len(zones) < 2 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.pairs == nil {
		o.pairs = map[[2]string]uint64{}
	}
	for i, a := range zones {
		for _, b := range zones[i+1:] {
			o.pairs[[2]string{min(a, b), max(a, b)}]++
		}
	}
}

func (o *overlaps) of(zone string) map[string]uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	with := map[string]uint64{}
	for pair, n := range o.pairs {
		switch zone {
		case pair[0]:
			with[pair[1]] = n
		case pair[1]:
			with[pair[0]] = n
		}
	}
	return with
}
