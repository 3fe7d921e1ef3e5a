package postgrey

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/importing"
)

// memory is what has been read of databases.
type memory struct {
	*options
	triplets []importing.Triplet
	clients  []importing.Client
	// hashed are entries of a postgrey with --privacy, odd such as it does not write.
	hashed, odd int
	// unused are counts of a postgrey that does not look at them.
	unused int
	passed int
	told   tally
}

// tally is what the database has of each kind.
type tally struct{ passed, waiting, clients, unused, hashed, odd int }

// entry takes one entry of either database.
func (m *memory) entry(key, value string) {
	if isHash(key) {
		m.hashed++
		return
	}
	first, last, ok := strings.Cut(value, ",")
	last, _, _ = strings.Cut(last, ",") // a third part is the client's host
	a, firstErr := strconv.ParseInt(first, 10, 64)
	b, lastErr := strconv.ParseInt(last, 10, 64)
	if !ok || firstErr != nil || lastErr != nil || a < 0 || b < 0 {
		m.odd++
		return
	}
	if !strings.Contains(key, "/") {
		m.client(key, a, time.Unix(b, 0))
		return
	}
	m.triplet(key, time.Unix(a, 0), time.Unix(b, 0))
}

// client takes COUNT,LAST of a client.
func (m *memory) client(key string, passes int64, last time.Time) {
	client, err := netip.ParseAddr(key)
	switch {
	case err != nil || passes > 1<<30:
		m.odd++
		return
	case m.passes == 0:
		m.unused++
		return
	}
	m.clients = append(m.clients, importing.Client{Client: client.Unmap(), Passes: int(passes), Known: int(passes) >= m.passes, Until: last.Add(m.keep)})
}

// triplet takes FIRST,LAST of NET/SENDER/RECIPIENT. What was seen again after the delay has passed.
func (m *memory) triplet(key string, first, last time.Time) {
	client, sender, recipient, ok := cutKey(key, m.byHost)
	if !ok {
		m.odd++
		return
	}
	t := importing.Triplet{Client: client, Sender: sender, Recipient: recipient, First: first, Until: first.Add(m.window)}
	if last.Sub(first) >= m.delay {
		t.Passed, t.Until = true, last.Add(m.keep)
		m.passed++
	}
	m.triplets = append(m.triplets, t)
}

// cutKey parts a key. Senders and recipients may have slashes in them, domains have none.
func cutKey(key string, byHost bool) (client netip.Addr, sender, recipient string, ok bool) {
	net, rest, _ := strings.Cut(key, "/")
	client, err := netip.ParseAddr(net)
	if err != nil || client.Zone() != "" {
		return client, "", "", false
	}
	if byHost { // then the client stands there as 192.0.2.1/32
		if _, rest, ok = strings.Cut(rest, "/"); !ok {
			return client, "", "", false
		}
	}
	at := strings.IndexByte(rest, '@')
	end := -1
	if at >= 0 {
		end = strings.IndexByte(rest[at:], '/')
	}
	switch {
	case end >= 0:
		sender, recipient = rest[:at+end], rest[at+end+1:]
	case strings.HasPrefix(rest, "/"): // the null sender
		recipient = rest[1:]
	default: // a sender without a domain
		sender, recipient, _ = strings.Cut(rest, "/")
	}
	return client.Unmap(), sender, recipient, recipient != ""
}

// isHash reports whether a key is the SHA-1 that --privacy makes of it.
func isHash(key string) bool {
	if len(key) != 40 {
		return false
	}
	return strings.Trim(key, "0123456789abcdef") == ""
}

// tell accounts for a database, in numbers of what has been read since the last one.
func (m *memory) tell(r *importing.Result, at importing.Place) {
	before := m.told
	now := tally{m.passed, len(m.triplets) - m.passed, len(m.clients), m.unused, m.hashed, m.odd}
	m.told = now
	count := func(n int, what, one, reason string, item func(importing.Place, string, string, ...any)) {
		if n == 1 {
			what = one
		}
		if n > 0 {
			item(at, strconv.Itoa(n)+" "+what, reason)
		}
	}
	count(now.passed-before.passed, "triplets that have passed", "triplet that has passed", "their mail passes here, too, as long as it would there", r.Carried)
	count(now.waiting-before.waiting, "triplets that have not passed", "triplet that has not passed", "the time that they have waited counts here, too", r.Carried)
	count(now.clients-before.clients, "clients from which mail has passed", "client from which mail has passed", "here they count for the client's net", r.Changed)
	count(now.unused-before.unused, "clients from which mail has passed", "client from which mail has passed", "--auto-whitelist-clients=0: postgrey does not look at them", r.Left)
	count(now.hashed-before.hashed, "hashed entries", "hashed entry", "--privacy: whose they are cannot be read", r.Left)
	count(now.odd-before.odd, "other entries", "other entry", "postgrey does not write such", r.Left)
}

// all is everything that was read; nil for nothing.
func (m *memory) all() *importing.Memory {
	if len(m.triplets)+len(m.clients) == 0 {
		return nil
	}
	ipv4, ipv6 := m.ipv4, m.ipv6
	if m.byHost {
		ipv4, ipv6 = 32, 128
	}
	return &importing.Memory{IPv4: ipv4, IPv6: ipv6, Triplets: m.triplets, Clients: m.clients}
}
