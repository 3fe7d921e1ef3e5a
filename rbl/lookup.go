package rbl

import (
	"context"
	"math"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"

	"mailweir/internal/dns"
)

// Lookup asks every list about a client at once. It returns as soon as no list that is still silent
// could change the verdict, at the latest when ctx ends: give it a deadline. A v4-mapped address is
// looked up as IPv4. The zero address is not listed.
func (s *Set) Lookup(ctx context.Context, client netip.Addr) *Result {
	client = client.Unmap().WithZone("")
	if !client.IsValid() || s.kind != Addresses {
		return &Result{Subject: client.String()}
	}
	changes := s.lists.changes.Load()
	if r := s.clients.get(client, s.lists.now(), changes); r != nil {
		return r
	}
	b := s.board(client.String(), testKey(client), client.Is6())
	b.remember = func(r *Result, expires int64) { s.clients.put(client, remembered{r, expires, changes}) }
	b.run(ctx)
	return b.result
}

// LookupDomain asks every list about a domain, as Lookup does about a client. What no list can have
// ([DomainKey]) is not listed.
func (s *Set) LookupDomain(ctx context.Context, domain string) *Result {
	key, err := DomainKey(domain)
	if err != nil || s.kind != Domains {
		return &Result{Subject: domain}
	}
	changes := s.lists.changes.Load()
	if r := s.domains.get(key, s.lists.now(), changes); r != nil {
		return r
	}
	b := s.board(key, key, false)
	b.remember = func(r *Result, expires int64) { s.domains.put(key, remembered{r, expires, changes}) }
	b.run(ctx)
	return b.result
}

// LookupDomains looks several domains up at once and returns their results in the same order.
func (s *Set) LookupDomains(ctx context.Context, domains ...string) []*Result {
	results := make([]*Result, len(domains))
	var wg sync.WaitGroup
	for i, domain := range domains[min(1, len(domains)):] {
		wg.Go(func() { results[i+1] = s.LookupDomain(ctx, domain) })
	}
	if len(domains) > 0 {
		results[0] = s.LookupDomain(ctx, domains[0])
	}
	wg.Wait()
	return results
}

// Replay judges a client (or domain) again from recorded answers, asking nobody and counting
// nothing. Lists without a recorded answer count as not asked.
func (s *Set) Replay(subject string, answers func(dns.Question) (dns.Answer, bool)) *Result {
	key, six := subject, false
	if s.kind == Addresses {
		client, err := netip.ParseAddr(subject)
		if err != nil {
			return &Result{Subject: subject}
		}
		client = client.Unmap().WithZone("")
		key, six = testKey(client), client.Is6()
	}
	b := s.board(subject, key, six)
	for i := range s.members {
		if b.answers[i] != nil {
			continue
		}
		a, ok := answers(b.question(i, dns.A))
		if !ok {
			b.tally.drop(s.members[i])
			continue
		}
		b.take(i, &a)
		if text, ok := answers(b.question(i, dns.TXT)); ok {
			b.texts[i] = &text
		}
	}
	b.finish()
	return b.result
}

// tally adds up weights and knows what the rest could still change.
type tally struct {
	threshold, score, would int
	up, down                int // what lists that are silent or have failed could add and take away
}

func (t *tally) drop(m *member) { t.up, t.down = t.up-m.up, t.down-m.down }

func (t *tally) add(m *member, score int) {
	t.drop(m)
	t.would += score
	if !m.monitored {
		t.score += score
	}
}

func (t *tally) verdict() Verdict {
	switch {
	case t.score+t.down >= t.threshold:
		return Listed
	case t.score+t.up < t.threshold:
		return NotListed
	}
	return Unknown
}

// board is the work on one subject.
type board struct {
	set     *Set
	result  *Result
	tally   tally
	asks    []dns.Question // for A, of each list
	answers []*dns.Answer  // of each list
	texts   []*dns.Answer  // TXT of those that were asked for it
	top     int            // the hit with the greatest weight; -1
	open    int            // lists that have not answered
	expires int64          // when the first of the answers expires; 0: not to be remembered
	began   time.Time

	remember func(*Result, int64) // keeps the result until then, Unix nanoseconds
	late     *late                // set when monitored lists are heard after the verdict
}

// nothing stands for the answer of a list that is not asked about such a subject.
var nothing = dns.Answer{Status: dns.NoData}

func (s *Set) board(subject, key string, six bool) *board {
	n := len(s.members)
	b := &board{
		set: s, asks: make([]dns.Question, n), answers: make([]*dns.Answer, n), texts: make([]*dns.Answer, n), top: -1, expires: math.MaxInt64,
		result: &Result{Subject: subject, Lists: make([]ListResult, n)}, tally: tally{threshold: s.threshold},
		began: s.lists.now(),
	}
	for i, m := range s.members {
		b.result.Lists[i] = ListResult{Zone: m.list.zone, Monitored: m.monitored}
		b.tally.up += m.up
		b.tally.down += m.down
		asked := m.list.key(key)
		if asked == "" || !m.list.hasFamily(six) {
			b.tally.drop(m)
			b.answers[i] = &nothing
			continue
		}
		b.asks[i] = m.list.question(dns.A, asked)
	}
	return b
}

// hasFamily reports whether an address list is asked about IPv6 clients, or about IPv4 ones, as its
// self-test found.
func (li *list) hasFamily(six bool) bool {
	if six {
		return !li.noIPv6.Load()
	}
	return !li.noIPv4.Load()
}

// key is what this list is asked about: for some domain lists only the registered domain. Empty:
// nothing to ask.
func (li *list) key(key string) string {
	if li.kind == Domains && li.info != nil && li.info.base {
		base, err := publicsuffix.EffectiveTLDPlusOne(key)
		if err != nil {
			return ""
		}
		key = base
	}
	if len(key)+1+len(li.zone) > dns.MaxName {
		return ""
	}
	if li.wire != nil && len(key)+1+len(*li.wire) > dns.MaxName {
		return ""
	}
	return key
}

func (b *board) question(i int, t dns.Type) dns.Question {
	q := b.asks[i]
	q.Type = t
	return q
}

// finish fills in what follows from the answers.
func (b *board) finish() {
	r := b.result
	r.Verdict, r.Score, r.Would = b.tally.verdict(), b.tally.score, b.tally.would
	r.Exchanges = make([]Exchange, 0, len(r.Lists)+1)
	for i := range r.Lists {
		li := b.set.members[i].list
		if b.answers[i] != nil && r.Lists[i].State != NotAsked {
			r.Exchanges = append(r.Exchanges, Exchange{b.question(i, dns.A), *b.answers[i]})
		}
		if r.Lists[i].State == Hit {
			r.Lists[i].Reason = li.reason(b.texts[i], r.Subject)
		}
		if t := b.texts[i]; t != nil {
			r.Exchanges = append(r.Exchanges, Exchange{b.question(i, dns.TXT), li.redacted(t)})
		}
	}
	if b.top >= 0 {
		r.Zone, r.Reason = r.Lists[b.top].Zone, r.Lists[b.top].Reason
	}
}
