package outboundlimit

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/policytest"
	"mailweir/internal/state"
)

// Sessions of one login that are under way at once, as many hosts as there are: exactly the rate is
// accepted.
func TestOutboundRateAtOnce(t *testing.T) {
	store := state.NewMemory(func() time.Time { return policytest.Noon }, 1000)
	var accepted atomic.Int64
	var wg sync.WaitGroup
	for range 2 {
		host := policytest.Only(Check).HostOn(t, func(func() time.Time) state.Store { return store }, "--outbound-limit=enforce", "--outbound-limit-rate=10/1h")
		for i := range 4 {
			wg.Go(func() {
				mail := policytest.Letter{Login: "bob", From: "bob@ours.example"}
				for n := range 9 {
					mail.To = append(mail.To, fmt.Sprintf("user%d.%d@else.example", i, n))
				}
				refused := len(host.Visit(mail))
				accepted.Add(int64(9 - refused))
			})
		}
	}
	wg.Wait()
	if accepted.Load() != 10 {
		t.Errorf("%d recipients were accepted, want 10", accepted.Load())
	}
}

// What could not be told to the other hosts when it was given back is told to them later, without
// any more mail of that login here.
func TestOutboundRateToldLater(t *testing.T) {
	store := &policytest.Fallible{Store: state.NewMemory(func() time.Time { return policytest.Noon }, 1000)}
	host := func() *policytest.Host {
		return policytest.Only(Check).HostOn(t, func(func() time.Time) state.Store { return store }, "--outbound-limit=enforce", "--outbound-limit-rate=1/1h")
	}
	here, there := host(), host()
	mail := policytest.Letter{Login: "bob", From: "bob@ours.example", To: []string{"a@else.example"}}
	s, said := here.Begin(mail)
	policytest.WantSaid(t, "here", said, "")
	store.Down.Store(true)
	here.Leave(s) // nothing was sent
	store.Down.Store(false)
	attempt := func(when, want string) {
		t.Helper()
		s, said := there.Begin(mail)
		policytest.WantSaid(t, when, said, want)
		there.Leave(s)
	}
	attempt("before it is told", exceeding)
	here.Runner.Tick(t.Context())
	attempt("when it is told", "")
}

// What is under way counts, and no longer when it is given up or a recipient is refused by another
// check.
func TestOutboundRateReserves(t *testing.T) {
	const off = "rcpt 550 5.7.1 off"
	other := policytest.Refuses("off", func(r *policy.Recipient) bool { return r.Msg.Sender.Domain == "off.example" })
	h := policytest.Only(other, Check).Host(t, "--outbound-limit=enforce", "--outbound-limit-rate=2/1h")
	two := policytest.Letter{Login: "bob", From: "bob@ours.example", To: []string{"a@else.example", "b@else.example"}}
	first, said := h.Begin(two)
	policytest.WantSaid(t, "two", said, "")
	second, said := h.Begin(two)
	policytest.WantSaid(t, "while they are under way", said, exceeding+"\n"+exceeding)
	first.Abort()
	policytest.WantSaid(t, "after RSET, on the same connection", policytest.Begin(first, two), "")
	first.Abort()
	refused := two
	refused.From = "bob@off.example"
	policytest.WantSaid(t, "refused by another check", policytest.Begin(first, refused), off+"\n"+off)
	policytest.WantSaid(t, "at once after that", policytest.Begin(second, two), "")
	h.Leave(first)
	h.Leave(second)
}

// In monitor mode all is counted, so that the event tells by how much the rate is exceeded.
func TestOutboundRateMonitored(t *testing.T) {
	h := policytest.Only(Check).Host(t, "--outbound-limit-rate=2/1h")
	for range 2 {
		if said := h.Visit(policytest.Letter{Login: "bob", To: []string{"a@else.example", "b@else.example"}}); len(said) > 0 {
			t.Error(said)
		}
	}
	var causes []string
	for _, e := range h.Taken() {
		causes = append(causes, e.Cause)
	}
	slices.Sort(causes) // they are recorded beside the answers, in any order
	const want = "3 recipients of login \"bob\", limit 2/1h\n4 recipients of login \"bob\", limit 2/1h"
	if got := strings.Join(causes, "\n"); got != want {
		t.Errorf("events:\n%s\nwant:\n%s", got, want)
	}
}
