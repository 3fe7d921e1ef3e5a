package checks

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mailweir/internal/policy"
)

const exceeding = "rcpt 550 5.7.0 Exceeding outbound thread limit"

func TestOutboundSessions(t *testing.T) {
	bob := letter{client: "192.0.2.1", login: "bob", from: "bob@ours.example", to: []string{"a@else.example"}}
	host := letter{client: "127.0.0.3", to: []string{"a@else.example"}}
	for _, c := range []struct {
		name  string
		flags []string
		held  []letter
		mail  letter
		said  string
	}{
		{"below", nil, []letter{bob}, bob, ""},
		{"at the limit", nil, []letter{bob, bob}, bob, exceeding},
		{"another address and spelling", nil, []letter{bob, bob}, letter{client: "198.51.100.9", login: "BOB", to: bob.to}, exceeding},
		{"another login", nil, []letter{bob, bob}, letter{login: "eve", to: bob.to}, ""},
		{"host without a login", nil, []letter{host, host}, host, ""},
		{"listed host", []string{"--outbound-limit-clients=inline:{127.0.0.3=x}"}, []letter{host, host}, host, exceeding},
		{"login on a listed host", []string{"--outbound-limit-clients=inline:{127.0.0.3=x}"}, []letter{host, host}, letter{client: "127.0.0.3", login: "eve", to: bob.to}, ""},
		{"listed stranger", []string{"--outbound-limit-clients=inline:{192.0.2.1=x}"}, []letter{{}, {}}, letter{}, ""},
		{"local submission", []string{"--outbound-limit-clients=static:x"}, []letter{{client: "none"}, {client: "none"}}, letter{client: "none"}, ""},
		{"monitored", []string{"--outbound-limit=monitor"}, []letter{bob, bob}, bob, ""},
		{"off", []string{"--outbound-limit-sessions=0"}, []letter{bob, bob}, bob, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := only(OutboundLimit).host(t, append([]string{"--outbound-limit=enforce", "--outbound-limit-sessions=2"}, c.flags...)...)
			var sessions []*policy.Session
			for _, l := range append(c.held, c.mail) {
				s, said := h.begin(l)
				want := ""
				if sessions = append(sessions, s); len(sessions) > len(c.held) {
					want = c.said
				}
				wantSaid(t, fmt.Sprintf("transaction %d", len(sessions)), said, want)
			}
			for _, s := range sessions {
				h.leave(s)
			}
		})
	}
}

func TestOutboundRate(t *testing.T) {
	h := only(OutboundLimit).host(t, "--outbound-limit=enforce", "--outbound-limit-rate=3/1h")
	bob := letter{login: "bob", from: "bob@ours.example"}
	sends := func(what, want string, to ...string) {
		t.Helper()
		mail := bob
		mail.to = to
		wantSaid(t, what, strings.Join(h.visit(mail), "\n"), want)
	}
	sends("two", "", "a@else.example", "b@else.example")
	sends("our own users count nothing", "", "one@ours.example", "two@ours.example", "three@ours.example")
	sends("one more than is left", exceeding, "c@else.example", "d@else.example")
	sends("the limit is reached", exceeding, "e@else.example")
	sends("our own users are reached all the same", "", "one@ours.example")
	h.after(time.Hour + time.Hour/parts + time.Second)
	sends("when the time has passed", "", "a@else.example", "b@else.example", "c@else.example")
}

// loop refuses messages with a field Received, once all recipients are known.
var loop = refusesMessage("loop", func(m *policy.Message) bool { return len(m.Values("Received")) > 0 })

// What was not sent is not counted.
func TestOutboundRateCountsWhatWasSent(t *testing.T) {
	h := only(OutboundLimit, loop).host(t, "--outbound-limit=enforce", "--outbound-limit-rate=2/1h")
	mail := letter{login: "bob", to: []string{"a@else.example", "b@else.example"}}
	looping := mail
	looping.header = []string{"Received: from x"}
	if said := h.visit(looping); len(said) != 1 || !strings.Contains(said[0], "5.7.1 loop") {
		t.Fatal(said)
	}
	s, _ := h.begin(mail)
	h.leave(s)
	if said := h.visit(mail); len(said) > 0 {
		t.Error(said)
	}
}

// While the state is out of reach each host counts for itself.
func TestOutboundRateOutOfReach(t *testing.T) {
	h := only(OutboundLimit, loop).hostOn(t, broken(outboundRateSpace), "--outbound-limit=enforce", "--outbound-limit-rate=2/1h")
	mail := letter{login: "bob", to: []string{"a@else.example"}, header: []string{"Received: from x"}}
	for range 3 { // is not sent
		if said := h.visit(mail); len(said) != 1 || !strings.Contains(said[0], "5.7.1 loop") {
			t.Fatal(said)
		}
	}
	mail = letter{login: "bob", to: []string{"a@else.example", "b@else.example", "c@else.example"}}
	wantSaid(t, "three", strings.Join(h.visit(mail), "\n"), exceeding)
}

// A state that cannot even count transactions refuses nobody.
func TestOutboundSessionsOnError(t *testing.T) {
	h := only(OutboundLimit).hostOn(t, broken(outboundLimitSpace), "--outbound-limit=enforce", "--outbound-limit-sessions=1")
	mail := letter{login: "bob", to: []string{"a@else.example"}}
	first, said := h.begin(mail)
	wantSaid(t, "first", said, "")
	if said := h.visit(mail); len(said) > 0 {
		t.Error(said)
	}
	h.leave(first)
}

func TestOutboundFlags(t *testing.T) {
	only(OutboundLimit).wantError(t, `--outbound-limit-rate: "20" is not N/TIME, such as 20/5m`, "--outbound-limit-rate=20")
}
