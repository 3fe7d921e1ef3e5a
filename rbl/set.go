package rbl

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// SetOptions says how the entries of a [Set] work together.
type SetOptions struct {
	Threshold  int               // listed from this sum of weights on; 1
	Keys       map[string]Secret // for {NAME} in zones
	NoSelfTest []string          // zones without the test entries of RFC 5782 section 5, beyond those known to lack them
	Monitor    []string          // zones that are asked and recorded, without a say in the verdict
	Complete   bool              // wait for every list even when the verdict stands: for explanations, not for mail
	Remember   int               // most subjects whose result is remembered; 4,000 (about 200 octets each for every list)
}

func (o *SetOptions) skipsTest(zone string) bool { return slices.Contains(o.NoSelfTest, zone) }

// Set is the lists of one configuration with their weights and threshold. Close it when the
// configuration is replaced, after the new one was made, so that lists in both keep their state.
type Set struct {
	lists     *Lists
	kind      Kind
	threshold int
	complete  bool
	members   []*member
	clients   memory[netip.Addr]
	domains   memory[string]
	close     sync.Once
}

// member is one list with all its entries: one question however many filters.
type member struct {
	list      *list
	entries   []Entry
	monitored bool
	up, down  int // the most that its entries can add and take away
}

// NewSet makes a set of entries of one kind, from [Parse]. Lists that are new begin their test at
// once and are suspended until it has passed.
func (l *Lists) NewSet(entries []Entry, opt SetOptions) (*Set, error) {
	if opt.Remember <= 0 {
		opt.Remember = 4_000
	}
	if opt.Threshold == 0 {
		opt.Threshold = 1
	}
	if opt.Threshold < 0 {
		return nil, fmt.Errorf("threshold %d: it must be at least 1, else everyone is listed", opt.Threshold)
	}
	if err := checkZoneNames(entries, opt); err != nil {
		return nil, err
	}
	wires := make([]*string, len(entries))
	for i := range entries {
		if entries[i].Kind != entries[0].Kind {
			return nil, errors.New("address lists and domain lists need a set each")
		}
		var err error
		if wires[i], err = wireZone(entries[i].Zone, opt.Keys); err != nil {
			return nil, err
		}
	}
	s := &Set{lists: l, threshold: opt.Threshold, complete: opt.Complete}
	s.clients.limit, s.domains.limit = opt.Remember, opt.Remember
	for i := range entries {
		s.kind = entries[i].Kind
		s.add(&entries[i], wires[i], opt)
	}
	l.wakeUp()
	return s, nil
}

// checkZoneNames finds options about lists that are not there.
func checkZoneNames(entries []Entry, opt SetOptions) error {
	for _, zone := range slices.Concat(opt.NoSelfTest, opt.Monitor) {
		if !slices.ContainsFunc(entries, func(e Entry) bool { return e.Zone == zone }) {
			return fmt.Errorf("list %s is not configured: name it as a list first, written the same way", zone)
		}
	}
	return nil
}

func (s *Set) add(e *Entry, wire *string, opt SetOptions) {
	at := slices.IndexFunc(s.members, func(m *member) bool { return m.list.zone == e.Zone })
	if at < 0 {
		at = len(s.members)
		s.members = append(s.members, &member{
			list: s.lists.acquire(e, wire, opt), monitored: slices.Contains(opt.Monitor, e.Zone),
		})
	}
	m := s.members[at]
	m.entries = append(m.entries, *e)
	if !m.monitored {
		m.up += max(0, e.Weight)
		m.down += min(0, e.Weight)
	}
}

// Close gives the lists up; those that no other set names are tested no more and forgotten.
func (s *Set) Close() {
	s.close.Do(func() {
		for _, m := range s.members {
			s.lists.release(m.list)
		}
	})
}

// Ready waits until every list has ended its first test, whatever came of it, or ctx ends.
func (s *Set) Ready(ctx context.Context) error {
	for _, m := range s.members {
		select {
		case <-m.list.ready:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Zones are the zones of the set, as shown.
func (s *Set) Zones() []string {
	zones := make([]string, len(s.members))
	for i, m := range s.members {
		zones[i] = m.list.zone
	}
	return zones
}

// Monitors reports whether a list of the set is without a say.
func (s *Set) Monitors() bool {
	return slices.ContainsFunc(s.members, func(m *member) bool { return m.monitored })
}

// String names the zones.
func (s *Set) String() string { return fmt.Sprint(s.Zones()) }

// memory keeps results for as long as every answer in them holds and no list's health has changed.
type memory[K comparable] struct {
	mu      sync.RWMutex
	results map[K]remembered
	limit   int
}

type remembered struct {
	result  *Result
	expires int64 // Unix nanoseconds
	changes uint64
}

func (m *memory[K]) get(k K, now time.Time, changes uint64) *Result {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if r, ok := m.results[k]; ok && r.changes == changes && r.expires > now.UnixNano() {
		return r.result
	}
	return nil
}

func (m *memory[K]) put(k K, r remembered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.results == nil {
		m.results = map[K]remembered{}
	}
	if _, known := m.results[k]; !known && len(m.results) >= m.limit {
		for old := range m.results { // any: the answers themselves are still in the resolver's cache
			delete(m.results, old)
			break
		}
	}
	m.results[k] = r
}
