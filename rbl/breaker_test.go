package rbl

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"mailweir/internal/dns/dnstest"
)

// Ten failures in a row rest a list, whatever kind they are; an answer between starts the count
// again; the test ends the rest.
func TestNoAnswersBreaker(t *testing.T) {
	for name, bad := range map[string]dnstest.Behaviour{
		"SERVFAIL": dnstest.Code(dnstest.ServerFailure), "error code": dnstest.Always("A 127.255.255.254"), "parked": dnstest.Always("A 192.0.2.80"),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.liar.Set("bl.example", except(bad))
			s := b.set(t, SetOptions{}, "bl.example")
			b.liar.Set("good.example", honest(nil))
			for i := range failureLimit {
				if !b.lists.Status()[0].Asked {
					t.Fatalf("rests after %d failures", i)
				}
				look(t, s, fmt.Sprintf("192.0.2.%d", i))
				look(t, s, fmt.Sprintf("192.0.2.%d", i)) // the same failure again, from the cache: not counted
			}
			st := b.lists.Status()[0]
			if st.Asked || !strings.HasPrefix(st.Why, "no-answers: ") {
				t.Fatalf("still asked after %d failures: %q", failureLimit, st.Why)
			}
			before := b.liar.Questions()
			look(t, s, "192.0.2.200")
			if b.liar.Questions() != before {
				t.Error("asked while suspended")
			}
			b.log.take()
			b.clock.Advance(firstRetry)
			b.lists.startDue().Wait()
			if got := b.log.take(); !strings.HasPrefix(got, "bl.example no-answers ends") {
				t.Errorf("after the test: %q", got)
			}
		})
	}
}

func TestAnswerEndsRowOfFailures(t *testing.T) {
	b := newBench(t)
	good := map[string]bool{"5.2.0.192": true}
	b.liar.Set("bl.example", except(func(key string, m *dnstest.Msg, tcp bool) [][]byte {
		if good[key] {
			return dnstest.One(dnstest.NX(m))
		}
		return dnstest.Code(dnstest.ServerFailure)(key, m, tcp)
	}))
	s := b.set(t, SetOptions{}, "bl.example")
	for i := range failureLimit + 2 {
		look(t, s, fmt.Sprintf("192.0.2.%d", i))
	}
	if st := b.lists.Status()[0]; !st.Asked || st.Errors != failureLimit+1 {
		t.Errorf("asked %v, %d errors", st.Asked, st.Errors)
	}
}

// A list that is dnstest.Silent is given up at each caller's deadline, and after ten of those it
// costs nobody any more time.
func TestSilentListIsRested(t *testing.T) {
	b := newBench(t)
	b.liar.Set("bl.example", except(dnstest.Silent))
	s := b.set(t, SetOptions{}, "bl.example")
	for i := range failureLimit {
		r := lookFor(s, fmt.Sprintf("192.0.2.%d", i), 20*time.Millisecond)
		if r.Verdict != Unknown || r.Lists[0].Err == nil || !strings.Contains(r.Lists[0].Err.Error(), "no answer in time") {
			t.Fatalf("%v, %v", r.Verdict, r.Lists[0].Err)
		}
	}
	r := lookFor(s, "192.0.2.99", time.Minute)
	if r.Verdict != NotListed || r.Lists[0].State != Suspended {
		t.Errorf("%v, %v", r.Verdict, r.Lists[0].State)
	}
}

// A caller who goes away is no failure of the list.
func TestCancelIsNoFailure(t *testing.T) {
	b := newBench(t)
	b.liar.Set("bl.example", except(dnstest.Silent))
	s := b.set(t, SetOptions{}, "bl.example")
	for i := range 2 * failureLimit {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		r := s.Lookup(ctx, netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}))
		if r.Lists[0].State != NotAsked || r.Verdict != Unknown {
			t.Fatalf("%v, %v", r.Lists[0].State, r.Verdict)
		}
	}
	if st := b.lists.Status()[0]; !st.Asked || st.Errors != 0 {
		t.Errorf("asked %v, %d errors", st.Asked, st.Errors)
	}
}
