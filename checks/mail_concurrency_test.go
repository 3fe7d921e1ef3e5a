package checks

import (
	"context"
	"strings"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/state"
)

const busy = "rcpt 451 4.7.0 Account service temporarily unavailable"

func TestConcurrency(t *testing.T) {
	one := letter{client: "192.0.2.1"}
	for _, c := range []struct {
		name  string
		flags []string
		held  []letter // transactions that are under way
		mail  letter
		said  string
	}{
		{"client below", nil, []letter{one}, one, ""},
		{"client at the limit", nil, []letter{one, one}, one, busy},
		{"another client", nil, []letter{one, one}, letter{client: "192.0.2.2"}, ""},
		{
			"same /64", nil, []letter{{client: "2001:db8::1"}, {client: "2001:db8::2"}}, letter{client: "2001:db8::3"}, busy,
		},
		{"exempt client", []string{"--concurrency-exempt=inline:{192.0.2.1=x}"}, []letter{one, one}, one, ""},
		{"permitted client", []string{"--permit-clients=inline:{192.0.2.1=OK}"}, []letter{one, one}, one, ""},
		{"inbound relay", []string{"--inbound-relays=inline:{192.0.2.1=x}"}, []letter{one, one}, one, ""},
		{"trusted", nil, []letter{{client: "127.0.0.1"}, {client: "127.0.0.1"}}, letter{client: "127.0.0.1"}, ""},
		{"login", nil, []letter{one, one}, letter{client: "192.0.2.1", login: "bob"}, ""},
		{"postmaster alone", nil, []letter{one, one}, letter{client: "192.0.2.1", to: []string{"postmaster@ours.example"}}, ""},
		{"clients off", []string{"--concurrency-client=0"}, []letter{one, one}, one, ""},
		{
			"domain",
			[]string{"--concurrency-client=0", "--concurrency-domain=1"},
			[]letter{one},
			letter{client: "192.0.2.2", to: []string{"other@ours.example"}},
			busy,
		},
		{
			"domain, two recipients",
			[]string{"--concurrency-domain=1"},
			nil,
			letter{to: []string{"one@ours.example", "two@ours.example"}},
			"",
		},
		{
			"domains apart",
			[]string{"--concurrency-domain=1", "--local-domains=inline:{also.example=x}"},
			[]letter{one},
			letter{to: []string{"user@also.example"}},
			"",
		},
		{
			"not into others' domains",
			[]string{"--concurrency-domain=1"},
			[]letter{{to: []string{"a@else.example"}}},
			letter{client: "192.0.2.2", to: []string{"a@else.example"}},
			"",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := only(Concurrency).host(t, append([]string{"--concurrency=enforce", "--concurrency-client=2", "--concurrency-domain=100"}, c.flags...)...)
			var sessions []*policy.Session
			for _, l := range c.held {
				s, said := h.begin(l)
				wantSaid(t, "one that is under way", said, "")
				sessions = append(sessions, s)
			}
			s, said := h.begin(c.mail)
			wantSaid(t, "the last", said, c.said)
			for _, s := range append(sessions, s) {
				h.leave(s)
			}
		})
	}
}

// Transactions count, not connections: however one ends, its place is free at once.
func TestConcurrencyGivesBack(t *testing.T) {
	h := only(Concurrency).host(t, "--concurrency=enforce", "--concurrency-client=1", "--concurrency-domain=1")
	s, said := h.begin(letter{})
	wantSaid(t, "first", said, "")
	next := func(what, want string) {
		t.Helper()
		other, said := h.begin(letter{})
		wantSaid(t, what, said, want)
		h.leave(other)
	}
	next("while it is under way", busy)
	s.Abort()
	next("after RSET", "")
	wantSaid(t, "again", envelope(s, letter{}), "")
	next("while it is under way again", busy)
	s.EndOfHeaders()
	s.EndOfMessage("4AbC")
	next("on a connection that is idle", "")
	wantSaid(t, "and again", envelope(s, letter{}), "")
	h.leave(s)
	next("after the connection was lost", "")
}

// A place in a domain is for recipients who were accepted: strangers who only knock keep nobody out.
func TestConcurrencyRefusedRecipients(t *testing.T) {
	const blocked, waits = "rcpt 550 5.7.1 blocked", "rcpt 451 4.7.1 blocked"
	// other refuses bad@ours.example, and has late@ours.example wait.
	other := scripted("blocked", policy.Hooks{Rcpt: func(r *policy.Recipient) (policy.Verdict, error) {
		switch r.Address.Local {
		case "bad":
			return policy.Object(scriptedReply("blocked")), nil
		case "late":
			return policy.Object(scriptedReply("blocked")).Deferred(), nil
		}
		return policy.Pass, nil
	}})
	into := func(to ...string) letter { return letter{client: "192.0.2.2", to: to} }
	for _, c := range []struct {
		name  string
		flags []string
		held  letter
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
			h := only(Concurrency, other).host(t, append([]string{"--concurrency=enforce", "--concurrency-domain=1"}, c.flags...)...)
			first, said := h.begin(c.held)
			wantSaid(t, "the one that is under way", said, c.said)
			second, said := h.begin(letter{})
			wantSaid(t, "the next", said, c.then)
			h.leave(second)
			h.leave(first)
		})
	}
}

// The cause names the figure, and the reply says which of the two limits it was.
func TestConcurrencyReplies(t *testing.T) {
	h := only(Concurrency).host(t, "--concurrency=enforce", "--concurrency-client=1")
	s, _ := h.begin(letter{})
	other, _ := h.begin(letter{})
	h.leave(s)
	h.leave(other)
	events := h.taken()
	if len(events) != 1 || events[0].Reply != "concurrency-client" || events[0].Cause != "192.0.2.1 has 1 transactions under way" {
		t.Errorf("%+v", events)
	}
}

// watchedStore tells when a place has been asked for.
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
	h := only(Concurrency).hostOn(t, func(clock func() time.Time) state.Store {
		return watchedStore{state.NewMemory(clock, 10), asked}
	}, "--concurrency-client=1", "--concurrency-domain=0")
	first, said := h.begin(letter{})
	wantSaid(t, "first", said, "")
	if !<-asked {
		t.Fatal("no place for the first")
	}
	second, said := h.begin(letter{})
	wantSaid(t, "second", said, "")
	h.leave(second)
	if events := strings.Join(h.recorded(), "\n"); events != "concurrency would refuse" {
		t.Errorf("events %q", events)
	}
	h.leave(first)
}

// A state that cannot even count locally refuses nobody, unless the administrator wants to wait for it.
func TestConcurrencyOnError(t *testing.T) {
	h := only(Concurrency).hostOn(t, broken(concurrencySpace), "--concurrency=enforce")
	if said := h.visit(letter{}); len(said) > 0 {
		t.Error(said)
	}
	h = only(Concurrency).hostOn(t, broken(concurrencySpace), "--concurrency=enforce", "--concurrency-on-error=defer")
	wantSaid(t, "defer", strings.Join(h.visit(letter{}), "\n"), "rcpt 451 4.7.1 Internal resource temporarily unavailable")
}
