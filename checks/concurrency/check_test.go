package concurrency

import (
	"context"
	"strings"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/policytest"
	"mailweir/internal/state"
)

const busy = "rcpt 451 4.7.0 Account service temporarily unavailable"

func TestConcurrency(t *testing.T) {
	one := policytest.Letter{Client: "192.0.2.1"}
	for _, c := range []struct {
		name  string
		flags []string
		held  []policytest.Letter // transactions that are under way
		mail  policytest.Letter
		said  string
	}{
		{"client below", nil, []policytest.Letter{one}, one, ""},
		{"client at the limit", nil, []policytest.Letter{one, one}, one, busy},
		{"another client", nil, []policytest.Letter{one, one}, policytest.Letter{Client: "192.0.2.2"}, ""},
		{
			"same /64", nil, []policytest.Letter{{Client: "2001:db8::1"}, {Client: "2001:db8::2"}}, policytest.Letter{Client: "2001:db8::3"}, busy,
		},
		{"exempt client", []string{"--concurrency-exempt=inline:{192.0.2.1=x}"}, []policytest.Letter{one, one}, one, ""},
		{"permitted client", []string{"--permit-clients=inline:{192.0.2.1=OK}"}, []policytest.Letter{one, one}, one, ""},
		{"inbound relay", []string{"--inbound-relays=inline:{192.0.2.1=x}"}, []policytest.Letter{one, one}, one, ""},
		{"trusted", nil, []policytest.Letter{{Client: "127.0.0.1"}, {Client: "127.0.0.1"}}, policytest.Letter{Client: "127.0.0.1"}, ""},
		{"login", nil, []policytest.Letter{one, one}, policytest.Letter{Client: "192.0.2.1", Login: "bob"}, ""},
		{"postmaster alone", nil, []policytest.Letter{one, one}, policytest.Letter{Client: "192.0.2.1", To: []string{"postmaster@ours.example"}}, ""},
		{"clients off", []string{"--concurrency-client=0"}, []policytest.Letter{one, one}, one, ""},
		{
			"domain",
			[]string{"--concurrency-client=0", "--concurrency-domain=1"},
			[]policytest.Letter{one},
			policytest.Letter{Client: "192.0.2.2", To: []string{"other@ours.example"}},
			busy,
		},
		{
			"domain, two recipients",
			[]string{"--concurrency-domain=1"},
			nil,
			policytest.Letter{To: []string{"one@ours.example", "two@ours.example"}},
			"",
		},
		{
			"domains apart",
			[]string{"--concurrency-domain=1", "--local-domains=inline:{also.example=x}"},
			[]policytest.Letter{one},
			policytest.Letter{To: []string{"user@also.example"}},
			"",
		},
		{
			"not into others' domains",
			[]string{"--concurrency-domain=1"},
			[]policytest.Letter{{To: []string{"a@else.example"}}},
			policytest.Letter{Client: "192.0.2.2", To: []string{"a@else.example"}},
			"",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := policytest.Only(Check).Host(t, append([]string{"--concurrency=enforce", "--concurrency-client=2", "--concurrency-domain=100"}, c.flags...)...)
			var sessions []*policytest.Session
			for _, l := range c.held {
				s, said := h.Begin(l)
				policytest.WantSaid(t, "one that is under way", said, "")
				sessions = append(sessions, s)
			}
			s, said := h.Begin(c.mail)
			policytest.WantSaid(t, "the last", said, c.said)
			for _, s := range append(sessions, s) {
				h.Leave(s)
			}
		})
	}
}

// Transactions count, not connections: however one ends, its lease is free at once.
func TestConcurrencyGivesBack(t *testing.T) {
	h := policytest.Only(Check).Host(t, "--concurrency=enforce", "--concurrency-client=1", "--concurrency-domain=1")
	s, said := h.Begin(policytest.Letter{})
	policytest.WantSaid(t, "first", said, "")
	next := func(what, want string) {
		t.Helper()
		other, said := h.Begin(policytest.Letter{})
		policytest.WantSaid(t, what, said, want)
		h.Leave(other)
	}
	next("while it is under way", busy)
	s.Abort()
	next("after RSET", "")
	policytest.WantSaid(t, "again", policytest.Begin(s, policytest.Letter{}), "")
	next("while it is under way again", busy)
	s.EndOfHeaders()
	s.EndOfMessage("4AbC")
	next("on a connection that is idle", "")
	policytest.WantSaid(t, "and again", policytest.Begin(s, policytest.Letter{}), "")
	h.Leave(s)
	next("after the connection was lost", "")
}

// A lease in a domain is for recipients who were accepted: clients that only knock keep nobody
// out.
func TestConcurrencyRefusedRecipients(t *testing.T) {
	const blocked, waits = "rcpt 550 5.7.1 blocked", "rcpt 451 4.7.1 blocked"
	// other refuses bad@ours.example, and has late@ours.example wait.
	other := policytest.Scripted("blocked", policy.Hooks{Rcpt: func(r *policy.Recipient) (policy.Verdict, error) {
		switch r.Address.Local {
		case "bad":
			return policy.Object(policytest.ScriptedReply("blocked")), nil
		case "late":
			return policy.Object(policytest.ScriptedReply("blocked")).Deferred(), nil
		}
		return policy.Pass, nil
	}})
	into := func(to ...string) policytest.Letter { return policytest.Letter{Client: "192.0.2.2", To: to} }
	for _, c := range []struct {
		name  string
		flags []string
		held  policytest.Letter
		said  string // to the one that is under way
		then  string // to the next one
	}{
		{"refused", nil, into("bad@ours.example"), blocked, ""},
		{"deferred", nil, into("late@ours.example"), waits, ""},
		{"refused after one that was accepted", nil, into("user@ours.example", "bad@ours.example"), blocked, busy},
		{"accepted after one that was refused", nil, into("bad@ours.example", "user@ours.example"), blocked, busy},
		{"monitored", []string{"--blocked=monitor"}, into("bad@ours.example"), "", busy},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := policytest.Only(Check, other).Host(t, append([]string{"--concurrency=enforce", "--concurrency-domain=1"}, c.flags...)...)
			first, said := h.Begin(c.held)
			policytest.WantSaid(t, "the one that is under way", said, c.said)
			second, said := h.Begin(policytest.Letter{})
			policytest.WantSaid(t, "the next", said, c.then)
			h.Leave(second)
			h.Leave(first)
		})
	}
}

// The cause names the figure, and the reply says which of the two limits it was.
func TestConcurrencyReplies(t *testing.T) {
	h := policytest.Only(Check).Host(t, "--concurrency=enforce", "--concurrency-client=1")
	s, _ := h.Begin(policytest.Letter{})
	other, _ := h.Begin(policytest.Letter{})
	h.Leave(s)
	h.Leave(other)
	events := h.Taken()
	if len(events) != 1 || events[0].Reply != "concurrency-client" || events[0].Cause != "192.0.2.1 has 1 transactions under way" {
		t.Errorf("%+v", events)
	}
}

// watchedStore tells when a lease has been asked for.
type watchedStore struct {
	*state.Memory
	asked chan bool
}

func (w watchedStore) Acquire(ctx context.Context, key string, limit int) (state.Lease, bool, error) {
	lease, ok, err := w.Memory.Acquire(ctx, key, limit)
	w.asked <- ok
	return lease, ok, err
}

// Nobody waits for a monitored check, and its objection is recorded all the same.
func TestConcurrencyMonitored(t *testing.T) {
	asked := make(chan bool, 10)
	h := policytest.Only(Check).HostOn(t, func(clock func() time.Time) state.Store {
		return watchedStore{state.NewMemory(clock, 10), asked}
	}, "--concurrency-client=1", "--concurrency-domain=0")
	first, said := h.Begin(policytest.Letter{})
	policytest.WantSaid(t, "first", said, "")
	if !<-asked {
		t.Fatal("no lease for the first")
	}
	second, said := h.Begin(policytest.Letter{})
	policytest.WantSaid(t, "second", said, "")
	h.Leave(second)
	if events := strings.Join(h.Recorded(), "\n"); events != "concurrency would_refuse" {
		t.Errorf("events %q", events)
	}
	h.Leave(first)
}

// A state that cannot even count locally refuses nobody, unless the administrator wants to wait for
// it.
func TestConcurrencyOnError(t *testing.T) {
	h := policytest.Only(Check).HostOn(t, policytest.Broken(space), "--concurrency=enforce")
	if said := h.Visit(policytest.Letter{}); len(said) > 0 {
		t.Error(said)
	}
	h = policytest.Only(Check).HostOn(t, policytest.Broken(space), "--concurrency=enforce", "--concurrency-on-error=defer")
	policytest.WantSaid(t, "defer", strings.Join(h.Visit(policytest.Letter{}), "\n"), "rcpt 451 4.7.1 Internal resource temporarily unavailable")
}
