package checks

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// noon is when everything happens.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// hand is a clock that a test moves. Work that nobody waits for any more may look at it meanwhile.
type hand struct{ past atomic.Int64 } // since noon

func (h *hand) time() time.Time { return noon.Add(time.Duration(h.past.Load())) }

func (h *hand) move(d time.Duration) { h.past.Add(int64(d)) }

func newWorld() *policy.World {
	clock := func() time.Time { return noon }
	return &policy.World{Connections: func() int { return 1 }, Clock: clock, State: state.NewMemory(clock, 1000)}
}

// rig builds policies of some checks and plays mail through them.
type rig struct {
	registry *policy.Registry
	flags    []string // in front of those of the test
}

// only is a rig of these checks alone, which answer at every stage in this order.
func only(checks ...*policy.Check) rig {
	unavailable := &policy.Reply{ID: "unavailable", Row: "T4", Code: 451, Enhanced: "4.7.1", Text: "Internal resource temporarily unavailable"}
	unprocessed := &policy.Reply{ID: "unprocessed", Row: "T12", Code: 451, Enhanced: "4.3.0", Text: "Unable to process email at this time"}
	fault := &policy.Check{
		Name: "fault", Mode: policy.Enforce, OnError: policy.Delay,
		Replies: []*policy.Reply{{ID: "fault", Row: "T13", Code: 451, Enhanced: "4.3.0", Text: "Unable to process email at this time"}, unavailable, unprocessed},
	}
	order := map[policy.Stage][]*policy.Check{}
	for _, stage := range policy.Stages() {
		order[stage] = checks
	}
	return rig{registry: &policy.Registry{
		Checks: append([]*policy.Check{fault}, checks...), Order: order,
		Fault: fault, Unavailable: unavailable, Unprocessed: unprocessed,
	}}
}

// scripted declares a check of the test's own, which enforces. Its reply is "550 5.7.1 NAME".
func scripted(name string, hooks policy.Hooks) *policy.Check {
	return &policy.Check{
		Name: name, Mode: policy.Enforce, Replies: []*policy.Reply{scriptedReply(name)},
		Setup: func(*policy.Flags) policy.Build {
			return func(*policy.Env) (policy.Hooks, error) { return hooks, nil }
		},
	}
}

// refuses is a scripted check that refuses each recipient of whom want is true.
func refuses(name string, want func(*policy.Recipient) bool) *policy.Check {
	return scripted(name, policy.Hooks{Rcpt: func(r *policy.Recipient) (policy.Verdict, error) {
		if want(r) {
			return policy.Object(scriptedReply(name)), nil
		}
		return policy.Pass, nil
	}})
}

// refusesMessage is a scripted check that refuses each message of whose header want is true.
func refusesMessage(name string, want func(*policy.Message) bool) *policy.Check {
	return scripted(name, policy.Hooks{Headers: func(m *policy.Message) (policy.Verdict, error) {
		if want(m) {
			return policy.Object(scriptedReply(name)), nil
		}
		return policy.Pass, nil
	}})
}

func scriptedReply(name string) *policy.Reply {
	return &policy.Reply{ID: name, Row: "P0", Code: 550, Enhanced: "5.7.1", Text: name}
}

// build makes a policy from flags. Our domain is ours.example.
func (r rig) build(world *policy.World, flags ...string) (*policy.Policy, error) {
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	draft := policy.NewDraft(r.registry, set)
	if err := set.Parse(slices.Concat([]string{"--local-domains=inline:{ours.example=x}"}, r.flags, flags)); err != nil {
		return nil, err
	}
	return draft.Build(world, nil)
}

// letter is one message and where it comes from. What is left out is a stranger's ordinary mail.
type letter struct {
	client string // "none" for a local submission
	name   string // verified host name
	helo   string
	login  string
	door   string // {daemon_name}
	from   string // "<>" for the null sender
	to     []string
	size   int64 // declared
	utf8   bool
	header []string
	body   string
}

func (l letter) connect() policy.ConnectFacts {
	if l.client == "none" {
		return policy.ConnectFacts{NoNetwork: true, DaemonName: l.door}
	}
	if l.client == "" {
		l.client = "192.0.2.1"
	}
	return policy.ConnectFacts{Client: netip.MustParseAddr(l.client), Port: 25252, Name: l.name, DaemonName: l.door}
}

func (l letter) mail() policy.MailFacts {
	if l.from == "" {
		l.from = "sender@else.example"
	}
	return policy.MailFacts{Sender: strings.TrimSuffix(strings.TrimPrefix(l.from, "<"), ">"), Size: l.size, SMTPUTF8: l.utf8, Login: l.login}
}

// send plays the letter as an MTA does and returns what was refused, one line each.
func (l letter) send(s *policy.Session) (said []string) {
	s.Connect(l.connect())
	if a := s.Helo(policy.HeloFacts{Name: l.helo}); a.Refuses() {
		return []string{"helo " + a.Line.String()}
	}
	if a := s.Mail(l.mail()); a.Refuses() {
		return []string{"mail " + a.Line.String()}
	}
	if l.to == nil {
		l.to = []string{"user@ours.example"}
	}
	accepted := 0
	for _, to := range l.to {
		if a := s.Rcpt(policy.RcptFacts{Recipient: to, Spelling: "<" + to + ">"}); a.Refuses() {
			said = append(said, "rcpt "+a.Line.String())
		} else {
			accepted++
		}
	}
	if accepted == 0 {
		return said
	}
	for _, field := range l.header {
		name, value, _ := strings.Cut(field, ": ")
		s.Header(policy.Field{Name: name, Value: value}, "4AbC")
	}
	s.EndOfHeaders()
	s.Body([]byte(l.body))
	a := s.EndOfMessage("4AbC")
	if a.Refuses() {
		said = append(said, "end "+a.Line.String())
	}
	if !a.Change.Empty() {
		said = append(said, "end change "+a.Change.String())
	}
	return said
}

// scenario is a letter under some flags, what is refused, and the events.
type scenario struct {
	name   string
	flags  []string
	mail   letter
	said   string // one line each
	events string // CHECK ACTION, one line each; "" expects just one for each line of said
	cause  string // part of the first event's cause
	// reached is what was not examined of a message that nothing was said about, as it is recorded.
	reached string
}

// play runs scenarios, each with the flags that all share in front of its own.
func (r rig) play(t *testing.T, shared []string, list []scenario) {
	t.Helper()
	for _, c := range list {
		t.Run(c.name, func(t *testing.T) {
			p, err := r.build(newWorld(), append(append([]string(nil), shared...), c.flags...)...)
			if err != nil {
				t.Fatal(err)
			}
			c.check(t, p)
		})
	}
}

// check sends the letter to a policy and compares. It returns the events.
func (c scenario) check(t *testing.T, p *policy.Policy) []*policy.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	p.Ready(ctx)
	h := newHost(t, nil, p)
	got := h.send(c.mail)
	if said := strings.Join(got.said, "\n"); said != c.said {
		t.Errorf("said:\n%s\nwant:\n%s", said, c.said)
	}
	switch events := eventLines(got.events); {
	case c.events == "" && len(events) != len(got.said), c.events != "" && c.events != strings.Join(events, "\n"):
		t.Errorf("events:\n%s\nwant:\n%s", strings.Join(events, "\n"), c.events)
	case c.reached != "" && h.unexamined() != c.reached:
		t.Errorf("recorded %q, want %q", h.unexamined(), c.reached)
	case c.cause != "" && !strings.Contains(got.events[0].Cause, c.cause):
		t.Errorf("cause %q is without %q", got.events[0].Cause, c.cause)
	}
	return got.events
}

// file writes a file and returns its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// wantError builds a policy that must fail with these words.
func (r rig) wantError(t *testing.T, words string, flags ...string) {
	t.Helper()
	p, err := r.build(newWorld(), flags...)
	if err == nil {
		p.Close()
		t.Fatalf("%v: no error, want %q", flags, words)
	}
	if !strings.Contains(err.Error(), words) {
		t.Errorf("%v: %v, want %q", flags, err, words)
	}
}
