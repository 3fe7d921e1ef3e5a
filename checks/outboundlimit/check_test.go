package outboundlimit

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/policytest"
	"mailweir/internal/state"
)

const exceeding = "rcpt 550 5.7.0 Exceeding outbound thread limit"

func TestOutboundSessions(t *testing.T) {
	bob := policytest.Letter{Client: "192.0.2.1", Login: "bob", From: "bob@ours.example", To: []string{"a@else.example"}}
	host := policytest.Letter{Client: "127.0.0.3", To: []string{"a@else.example"}}
	for _, c := range []struct {
		name  string
		flags []string
		held  []policytest.Letter
		mail  policytest.Letter
		said  string
	}{
		{"below", nil, []policytest.Letter{bob}, bob, ""},
		{"at the limit", nil, []policytest.Letter{bob, bob}, bob, exceeding},
		{"another address and spelling", nil, []policytest.Letter{bob, bob}, policytest.Letter{Client: "198.51.100.9", Login: "BOB", To: bob.To}, exceeding},
		{"another login", nil, []policytest.Letter{bob, bob}, policytest.Letter{Login: "eve", To: bob.To}, ""},
		{"host without a login", nil, []policytest.Letter{host, host}, host, ""},
		{"listed host", []string{"--outbound-limit-clients=inline:{127.0.0.3=x}"}, []policytest.Letter{host, host}, host, exceeding},
		{"login on a listed host", []string{"--outbound-limit-clients=inline:{127.0.0.3=x}"}, []policytest.Letter{host, host}, policytest.Letter{Client: "127.0.0.3", Login: "eve", To: bob.To}, ""},
		{"listed untrusted client", []string{"--outbound-limit-clients=inline:{192.0.2.1=x}"}, []policytest.Letter{{}, {}}, policytest.Letter{}, ""},
		{"local submission", []string{"--outbound-limit-clients=static:x"}, []policytest.Letter{{Client: "none"}, {Client: "none"}}, policytest.Letter{Client: "none"}, ""},
		{"monitored", []string{"--outbound-limit=monitor"}, []policytest.Letter{bob, bob}, bob, ""},
		{"off", []string{"--outbound-limit-sessions=0"}, []policytest.Letter{bob, bob}, bob, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := policytest.Only(Check).Host(t, append([]string{"--outbound-limit=enforce", "--outbound-limit-sessions=2"}, c.flags...)...)
			var sessions []*policytest.Session
			for _, l := range append(c.held, c.mail) {
				s, said := h.Begin(l)
				want := ""
				if sessions = append(sessions, s); len(sessions) > len(c.held) {
					want = c.said
				}
				policytest.WantSaid(t, fmt.Sprintf("transaction %d", len(sessions)), said, want)
			}
			for _, s := range sessions {
				h.Leave(s)
			}
		})
	}
}

func TestOutboundRate(t *testing.T) {
	h := policytest.Only(Check).Host(t, "--outbound-limit=enforce", "--outbound-limit-rate=3/1h")
	bob := policytest.Letter{Login: "bob", From: "bob@ours.example"}
	sends := func(what, want string, to ...string) {
		t.Helper()
		mail := bob
		mail.To = to
		policytest.WantSaid(t, what, strings.Join(h.Visit(mail), "\n"), want)
	}
	sends("two", "", "a@else.example", "b@else.example")
	sends("our own users count nothing", "", "one@ours.example", "two@ours.example", "three@ours.example")
	sends("one more than is left", exceeding, "c@else.example", "d@else.example")
	sends("the limit is reached", exceeding, "e@else.example")
	sends("our own users are reached all the same", "", "one@ours.example")
	h.After(time.Hour + time.Hour/state.TallyParts + time.Second)
	sends("when the time has passed", "", "a@else.example", "b@else.example", "c@else.example")
}

// loop refuses messages with a field Received, once all recipients are known.
var loop = policytest.RefusesMessage("loop", func(m *policy.Message) bool { return len(m.Values("Received")) > 0 })

// What was not sent is not counted.
func TestOutboundRateCountsWhatWasSent(t *testing.T) {
	h := policytest.Only(Check, loop).Host(t, "--outbound-limit=enforce", "--outbound-limit-rate=2/1h")
	mail := policytest.Letter{Login: "bob", To: []string{"a@else.example", "b@else.example"}}
	looping := mail
	looping.Header = []string{"Received: from x"}
	if said := h.Visit(looping); len(said) != 1 || !strings.Contains(said[0], "5.7.1 loop") {
		t.Fatal(said)
	}
	s, _ := h.Begin(mail)
	h.Leave(s)
	if said := h.Visit(mail); len(said) > 0 {
		t.Error(said)
	}
}

// While the state is unavailable each host counts for itself.
func TestOutboundRateOutOfReach(t *testing.T) {
	h := policytest.Only(Check, loop).HostOn(t, policytest.Broken(rateSpace), "--outbound-limit=enforce", "--outbound-limit-rate=2/1h")
	mail := policytest.Letter{Login: "bob", To: []string{"a@else.example"}, Header: []string{"Received: from x"}}
	for range 3 { // is not sent
		if said := h.Visit(mail); len(said) != 1 || !strings.Contains(said[0], "5.7.1 loop") {
			t.Fatal(said)
		}
	}
	mail = policytest.Letter{Login: "bob", To: []string{"a@else.example", "b@else.example", "c@else.example"}}
	policytest.WantSaid(t, "three", strings.Join(h.Visit(mail), "\n"), exceeding)
}

// A state that cannot even count transactions refuses nobody.
func TestOutboundSessionsOnError(t *testing.T) {
	h := policytest.Only(Check).HostOn(t, policytest.Broken(sessionSpace), "--outbound-limit=enforce", "--outbound-limit-sessions=1")
	mail := policytest.Letter{Login: "bob", To: []string{"a@else.example"}}
	first, said := h.Begin(mail)
	policytest.WantSaid(t, "first", said, "")
	if said := h.Visit(mail); len(said) > 0 {
		t.Error(said)
	}
	h.Leave(first)
}

func TestOutboundFlags(t *testing.T) {
	policytest.Only(Check).WantError(t, `--outbound-limit-rate: "20" is not N/TIME, such as 20/5m`, "--outbound-limit-rate=20")
}
