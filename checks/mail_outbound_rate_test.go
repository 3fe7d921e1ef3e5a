package checks

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// Sessions of one login that are under way at once, as many hosts as there are: exactly the rate is accepted.
func TestOutboundRateAtOnce(t *testing.T) {
	store := state.NewMemory(func() time.Time { return noon }, 1000)
	var accepted atomic.Int64
	var wg sync.WaitGroup
	for range 2 {
		host := only(OutboundLimit).hostOn(t, func(func() time.Time) state.Store { return store }, "--outbound-limit=enforce", "--outbound-limit-rate=10/1h")
		for i := range 4 {
			wg.Go(func() {
				mail := letter{login: "bob", from: "bob@ours.example"}
				for n := range 9 {
					mail.to = append(mail.to, fmt.Sprintf("user%d.%d@else.example", i, n))
				}
				refused := len(host.visit(mail))
				accepted.Add(int64(9 - refused))
			})
		}
	}
	wg.Wait()
	if accepted.Load() != 10 {
		t.Errorf("%d recipients were accepted, want 10", accepted.Load())
	}
}

// What is under way counts, and no longer when it is given up or a recipient is refused by another check.
func TestOutboundRateReserves(t *testing.T) {
	const off = "rcpt 550 5.7.1 off"
	other := refuses("off", func(r *policy.Recipient) bool { return r.Msg.Sender.Domain == "off.example" })
	h := only(other, OutboundLimit).host(t, "--outbound-limit=enforce", "--outbound-limit-rate=2/1h")
	two := letter{login: "bob", from: "bob@ours.example", to: []string{"a@else.example", "b@else.example"}}
	first, said := h.begin(two)
	wantSaid(t, "two", said, "")
	second, said := h.begin(two)
	wantSaid(t, "while they are under way", said, exceeding+"\n"+exceeding)
	first.Abort()
	wantSaid(t, "after RSET, on the same connection", envelope(first, two), "")
	first.Abort()
	refused := two
	refused.from = "bob@off.example"
	wantSaid(t, "refused by another check", envelope(first, refused), off+"\n"+off)
	wantSaid(t, "at once after that", envelope(second, two), "")
	h.leave(first)
	h.leave(second)
}

// In monitor mode all is counted, so that the event tells by how much the rate is exceeded.
func TestOutboundRateMonitored(t *testing.T) {
	h := only(OutboundLimit).host(t, "--outbound-limit-rate=2/1h")
	for range 2 {
		if said := h.visit(letter{login: "bob", to: []string{"a@else.example", "b@else.example"}}); len(said) > 0 {
			t.Error(said)
		}
	}
	var causes []string
	for _, e := range h.taken() {
		causes = append(causes, e.Cause)
	}
	slices.Sort(causes) // they are recorded beside the answers, in any order
	const want = "3 recipients of login \"bob\", limit 2/1h\n4 recipients of login \"bob\", limit 2/1h"
	if got := strings.Join(causes, "\n"); got != want {
		t.Errorf("events:\n%s\nwant:\n%s", got, want)
	}
}
