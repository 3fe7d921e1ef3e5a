package rbl

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"mailweir/internal/dns"
)

// testOutcome is what a test of a list found.
type testOutcome struct {
	why        string // empty: fit for use
	unanswered bool   // why is that a question got no usable answer
	noIPv4     bool   // its IPv4 test entry is missing, as it is where a list is of IPv6 addresses alone
	noIPv6     bool   // its IPv6 test entry is missing
}

// The test entries of RFC 5782 section 5.
var (
	listed4   = netip.MustParseAddr("127.0.0.2")
	unlisted4 = netip.MustParseAddr("127.0.0.1")
	listed6   = netip.MustParseAddr("::ffff:7f00:2")
	unlisted6 = netip.MustParseAddr("::ffff:7f00:1")
)

const (
	listedName   = "test"
	unlistedName = "invalid"
)

// Test asks for a list's test entries now and says what is wrong, nil if nothing is. Its health is
// not touched.
func (s *Set) Test(ctx context.Context, zone string) error {
	for _, m := range s.members {
		if m.list.zone == zone {
			if o := s.lists.selfTest(ctx, m.list); o.why != "" {
				return errors.New(o.why)
			}
			return nil
		}
	}
	return fmt.Errorf("no list %s is in use", hideKey(zone))
}

// selfTest asks for all test entries at once, past the cache.
func (l *Lists) selfTest(ctx context.Context, li *list) testOutcome {
	li.mu.Lock()
	untested := li.untested
	li.mu.Unlock()
	if li.kind == Domains {
		positive := listedName
		if li.info != nil && li.info.testName != "" {
			positive = li.info.testName
		}
		return l.testPair(ctx, li, untested, positive, unlistedName)
	}
	var six testOutcome
	var wg sync.WaitGroup
	wg.Go(func() {
		six = l.testPair(ctx, li, untested, testKey(listed6), testKey(unlisted6))
	})
	four := l.testPair(ctx, li, untested, testKey(listed4), testKey(unlisted4))
	wg.Wait()
	switch {
	case four.why == notListed && li.info == nil && six.why == "":
		// A list of IPv6 addresses alone: section 5 asks it for the IPv6 entries only. Well-known
		// lists all know IPv4.
		return testOutcome{noIPv4: true}
	case four.why != "":
		return four
	case six.why == "" || untested:
		return four
	case six.why == notListed:
		// Most lists know IPv4 only; they need no IPv6 entry, and are then not asked about IPv6
		// clients.
		four.noIPv6 = li.info == nil || !li.info.ipv6
		return four
	case six.unanswered:
		return four
	}
	return six
}

func testKey(ip netip.Addr) string { return string(dns.AppendReversed(nil, ip)) }

const notListed = "its test entry is not listed"

// testPair asks for one entry that must be listed and one that must not.
func (l *Lists) testPair(ctx context.Context, li *list, untested bool, positive, negative string) testOutcome {
	var wg sync.WaitGroup
	var yes, no dns.Answer
	wg.Go(func() { yes = l.resolver.AskFresh(ctx, li.question(dns.A, positive)) })
	no = l.resolver.AskFresh(ctx, li.question(dns.A, negative))
	wg.Wait()
	if no.Status == dns.Failed {
		return testOutcome{why: "its test was not answered: " + no.Err.Error(), unanswered: true}
	}
	for _, ip := range no.Addrs {
		if err := plausible(ip); err != nil {
			return testOutcome{why: err.Error()}
		}
	}
	if untested {
		return testOutcome{}
	}
	if len(no.Addrs) > 0 {
		return testOutcome{why: fmt.Sprintf("it lists %s, which no list may: it answers %s", negative, no)}
	}
	if yes.Status == dns.Failed {
		return testOutcome{why: "its test was not answered: " + yes.Err.Error(), unanswered: true}
	}
	err := errors.New(notListed)
	for _, ip := range yes.Addrs {
		if _, err = li.info.explain(ip, true); err == nil {
			break
		}
	}
	if err != nil {
		return testOutcome{why: err.Error()}
	}
	return testOutcome{}
}

// question is a question to this list about a key, which is what stands left of the zone.
func (li *list) question(t dns.Type, key string) dns.Question {
	q := dns.Question{Name: key + "." + li.zone, Type: t}
	if li.wire != nil {
		return q.AskedAs(key + "." + *li.wire)
	}
	return q
}
