package rbl

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"
)

// goodNets remembers, for an hour, the nets of clients whose mail is known to be good, and which
// lists hit them. Each net counts once, from when it was first seen, for the sender who spoke for
// it then: whoever has one domain can send from any number of nets as it, listed ones above all.
type goodNets struct {
	mu      sync.Mutex
	nets    map[netip.Prefix]*goodNet
	order   []*goodNet     // oldest first
	senders map[string]int // how many nets count for each
	hits    map[*list]*goodHits
}

type goodNet struct {
	net    netip.Prefix
	sender string // the registered domain
	seen   time.Time
	hits   []*list
}

// goodHits is how many of the nets a list hits, in all and of each sender.
type goodHits struct {
	nets    int
	senders map[string]int
}

// KnownGood reports a client whose mail is known to be good whatever lists say: untrusted, with a
// permit or auto-allow honoured by SPF pass of the sender's domain. zones are the lists that list
// it ([Result.Hits]). A list that hits more than a quarter of at least 20 such nets within an hour
// is suspended for one, if those that it hits belong to senders of five domains or more. A net is
// an IPv4 address or an IPv6 /64, and the mail of one registered domain makes two nets known at
// most.
func (l *Lists) KnownGood(client netip.Addr, domain string, zones []string) {
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
	for li, why := range l.good.note(now, net, registered(domain), hit) {
		l.report(li.set(now, KnownGood, suspension{why: why, until: now.Add(knownGoodRest)})...)
	}
}

// registered is the domain that somebody has registered, of which a name is a part: below a suffix
// of ICANN's, because the suffixes of hosting providers give a new name for the asking.
func registered(domain string) string {
	domain = strings.ToLower(strings.TrimSuffix(domain, "."))
	suffix, icann := publicsuffix.PublicSuffix(domain)
	for !icann {
		_, parent, ok := strings.Cut(suffix, ".")
		if !ok {
			break
		}
		suffix, icann = publicsuffix.PublicSuffix(parent)
	}
	rest := strings.TrimSuffix(strings.TrimSuffix(domain, suffix), ".")
	if rest == "" {
		return domain
	}
	return rest[strings.LastIndexByte(rest, '.')+1:] + "." + suffix
}

// note returns the lists that must be suspended, with the reason.
func (g *goodNets) note(now time.Time, net netip.Prefix, sender string, hit []*list) map[*list]string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.nets == nil {
		g.nets, g.senders, g.hits = map[netip.Prefix]*goodNet{}, map[string]int{}, map[*list]*goodHits{}
	}
	for len(g.order) > 0 && (now.Sub(g.order[0].seen) >= knownGoodSpan || len(g.order) >= maxGoodNets) {
		g.dropOldest()
	}
	n := g.count(now, net, sender)
	if n == nil {
		return nil
	}
	for _, li := range hit {
		g.hit(n, li)
	}
	if len(g.nets) < knownGoodNets {
		return nil
	}
	var guilty map[*list]string
	for _, li := range hit {
		of := g.hits[li]
		if of.nets*knownGoodPart > len(g.nets) && len(of.senders) >= knownGoodSenders && li.suspended.Load() == nil {
			if guilty == nil {
				guilty = map[*list]string{}
			}
			guilty[li] = fmt.Sprintf("it lists %d of %d nets whose mail was known to be good in the last hour, of %d sender domains", of.nets, len(g.nets), len(of.senders))
		}
	}
	return guilty
}

// count finds a net, or takes it in; nil where as many count for its sender as may.
func (g *goodNets) count(now time.Time, net netip.Prefix, sender string) *goodNet {
	if n, ok := g.nets[net]; ok {
		return n
	}
	if g.senders[sender] >= knownGoodOfSender {
		return nil
	}
	n := &goodNet{net: net, sender: sender, seen: now}
	g.nets[net] = n
	g.senders[sender]++
	g.order = append(g.order, n)
	return n
}

// hit notes that a list hits a net.
func (g *goodNets) hit(n *goodNet, li *list) {
	if slices.Contains(n.hits, li) {
		return
	}
	n.hits = append(n.hits, li)
	if g.hits[li] == nil {
		g.hits[li] = &goodHits{senders: map[string]int{}}
	}
	g.hits[li].nets++
	g.hits[li].senders[n.sender]++
}

func (g *goodNets) dropOldest() {
	n := g.order[0]
	g.order[0] = nil
	g.order = g.order[1:]
	delete(g.nets, n.net)
	takeOne(g.senders, n.sender)
	for _, li := range n.hits {
		of := g.hits[li]
		if of.nets--; of.nets == 0 {
			delete(g.hits, li)
		}
		takeOne(of.senders, n.sender)
	}
}

func takeOne(of map[string]int, sender string) {
	if of[sender]--; of[sender] <= 0 {
		delete(of, sender)
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
