package rbl

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// goodNets remembers, for an hour, the nets of clients whose mail is known to be good, and which
// lists hit them. Each net counts once, from when it was first seen.
type goodNets struct {
	mu    sync.Mutex
	nets  map[netip.Prefix]*goodNet
	order []*goodNet // oldest first
	hits  map[*list]int
}

type goodNet struct {
	net  netip.Prefix
	seen time.Time
	hits []*list
}

// KnownGood reports a client whose mail is known to be good whatever lists say: untrusted, with a
// permit or auto-allow honoured by SPF pass. zones are the lists that list it ([Result.Hits]). A
// list that hits more than a quarter of at least 20 such nets within an hour is suspended for one.
// A net is an IPv4 address or an IPv6 /64.
func (l *Lists) KnownGood(client netip.Addr, zones []string) {
	bits := 64
	client = client.Unmap().WithZone("")
	if client.Is4() {
		bits = 32
	}
	net, err := client.Prefix(bits)
	if err != nil {
		return
	}
	var hit []*list
	for _, li := range l.all() {
		if slices.Contains(zones, li.zone) {
			hit = append(hit, li)
			li.use.knownGood.Add(1)
		}
	}
	now := l.now()
	for li, why := range l.good.note(now, net, hit) {
		l.report(li.set(now, KnownGood, suspension{why: why, until: now.Add(knownGoodRest)})...)
	}
}

// note returns the lists that must be suspended, with the reason.
func (g *goodNets) note(now time.Time, net netip.Prefix, hit []*list) map[*list]string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.nets == nil {
		g.nets, g.hits = map[netip.Prefix]*goodNet{}, map[*list]int{}
	}
	for len(g.order) > 0 && (now.Sub(g.order[0].seen) >= knownGoodSpan || len(g.order) >= maxGoodNets) {
		g.dropOldest()
	}
	n, ok := g.nets[net]
	if !ok {
		n = &goodNet{net: net, seen: now}
		g.nets[net] = n
		g.order = append(g.order, n)
	}
	for _, li := range hit {
		if !slices.Contains(n.hits, li) {
			n.hits = append(n.hits, li)
			g.hits[li]++
		}
	}
	if len(g.nets) < knownGoodNets {
		return nil
	}
	var guilty map[*list]string
	for _, li := range hit {
		if g.hits[li]*knownGoodPart > len(g.nets) && li.suspended.Load() == nil {
			if guilty == nil {
				guilty = map[*list]string{}
			}
			guilty[li] = fmt.Sprintf("it lists %d of %d nets whose mail was known to be good in the last hour", g.hits[li], len(g.nets))
		}
	}
	return guilty
}

func (g *goodNets) dropOldest() {
	n := g.order[0]
	g.order[0] = nil
	g.order = g.order[1:]
	delete(g.nets, n.net)
	for _, li := range n.hits {
		if g.hits[li]--; g.hits[li] <= 0 {
			delete(g.hits, li)
		}
	}
}

// forget drops what is remembered of a list that is no longer in use.
func (g *goodNets) forget(li *list) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.hits, li)
	for _, n := range g.order {
		n.hits = slices.DeleteFunc(n.hits, func(other *list) bool { return other == li })
	}
}
