package rbl

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"mailweir/internal/dns"
)

// Here is decided what an answer means. From the bottom up: can a list have said it at all
// (plausible), what do its codes mean (explain), for which entries do they count (judge), and what
// does that change of the verdict (take).

// take judges the answer of one list and adds it up with those of the others.
func (b *board) take(i int, a *dns.Answer) State {
	m := b.set.members[i]
	b.answers[i] = a
	took := b.result.Lists[i].Took
	r := m.judge(a)
	r.Took = took
	b.result.Lists[i] = r
	if r.State == Errored {
		return r.State // it stays in the tally as one that could have changed things
	}
	b.tally.add(m, r.Score)
	if r.State == Hit && !m.monitored && r.Score > 0 && (b.top < 0 || b.outweighs(i, b.top)) {
		b.top = i
	}
	return r.State
}

func (b *board) outweighs(i, j int) bool {
	x, y := b.result.Lists[i].Score, b.result.Lists[j].Score
	return x > y || x == y && i < j
}

// judge says what one list's answer means: not listed, a hit of these entries, or an error that is
// never a hit.
func (m *member) judge(a *dns.Answer) ListResult {
	r := ListResult{Zone: m.list.zone, Monitored: m.monitored}
	switch a.Status {
	case dns.NoName, dns.NoData:
		r.State = Clear
		return r
	case dns.Failed:
		r.State, r.Err = Errored, a.Err
		return r
	}
	for _, ip := range a.Addrs {
		c, err := m.list.info.explain(ip, m.names(ip))
		if err == nil {
			r.Codes = append(r.Codes, c)
			continue
		}
		r.Err = err
		if plausible(ip) != nil {
			// Somebody else's answer, or the list's own "I do not answer you": nothing beside it
			// can be believed.
			r.State, r.Codes = Errored, nil
			return r
		}
	}
	if len(r.Codes) == 0 {
		r.State = Errored
		return r
	}
	// A code that the list has since invented may stand beside known ones; those still count.
	r.State, r.Err = Uncounted, nil
	for i := range m.entries {
		if e := &m.entries[i]; slices.ContainsFunc(r.Codes, e.counts) {
			r.State = Hit
			r.Score += e.Weight
		}
	}
	return r
}

// names reports whether a filter of the administrator's names an address.
func (m *member) names(ip netip.Addr) bool {
	return slices.ContainsFunc(m.entries, func(e Entry) bool { return e.Filter != nil && e.Filter.Matches(ip) })
}

// counts reports whether a code that has passed explain counts for this entry.
func (e *Entry) counts(c Code) bool {
	switch {
	case e.Filter != nil:
		return e.Filter.Matches(c.Addr)
	case e.info != nil:
		return c.Sense == e.sense()
	}
	return true
}

var (
	loopback   = netip.MustParsePrefix("127.0.0.0/8")
	errorCodes = netip.MustParsePrefix("127.255.255.0/24")
)

// explain says what one A record means, or why it is an error. explicit is set when the
// administrator's filter names it.
func (z *zoneInfo) explain(ip netip.Addr, explicit bool) (Code, error) {
	c := Code{Addr: ip}
	if err := plausible(ip); err != nil {
		return c, err
	}
	switch {
	case z != nil:
		return z.lookUp(ip)
	case ip == netip.AddrFrom4([4]byte{127, 0, 0, 1}) && !explicit:
		// RFC 5782 section 5 keeps 127.0.0.1 out of lists as a subject; as an answer it is what
		// blocking resolvers and lists that refuse to answer (SURBL, URIBL) return, so nobody gets
		// it counted without asking for it.
		return c, fmt.Errorf("answer 127.0.0.1 is what a blocked resolver gets; name it in a filter if this list means it")
	}
	return c, nil
}

// plausible refuses what no list of any kind means as a listing.
func plausible(ip netip.Addr) error {
	switch {
	case !loopback.Contains(ip):
		return fmt.Errorf("answer %s is outside 127.0.0.0/8: somebody else answers for this zone", ip)
	case errorCodes.Contains(ip):
		return fmt.Errorf("answer %s is an error code: %s", ip, errorCodeText(ip))
	}
	return nil
}

// errorCodeText is Spamhaus's meaning of these codes, which other lists follow.
func errorCodeText(ip netip.Addr) string {
	switch ip.As4()[3] {
	case 252:
		return "typing error in the zone name"
	case 254:
		return "asked through a public or unattributable resolver"
	case 255:
		return "too many questions, or not registered"
	}
	return "never a listing"
}

// lookUp finds a code in the closed set.
func (z *zoneInfo) lookUp(ip netip.Addr) (Code, error) {
	c := Code{Addr: ip}
	var texts []string
	rest := ip.As4()[3]
	for _, m := range z.meanings {
		if !m.codes.Matches(ip) {
			continue
		}
		if m.bits == 0 {
			return Code{ip, m.sense, m.text}, nil
		}
		if rest&m.bits != 0 {
			rest &^= m.bits
			c.Sense = max(c.Sense, m.sense)
			texts = append(texts, m.text)
		}
	}
	if len(texts) > 0 && rest == 0 {
		c.Meaning = strings.Join(texts, ", ")
		return c, nil
	}
	return c, fmt.Errorf("answer %s is not one of the codes of %s", ip, z.zone)
}
