package runner

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"go.uber.org/goleak"

	"mailweir/internal/policy"
	"mailweir/internal/resource"
	"mailweir/internal/state"
	"mailweir/internal/table"
	"mailweir/internal/table/tabletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a runner with checks of the test's own and an observer that keeps what it is told.
type rig struct {
	t        testing.TB
	seen     *witness
	backends *policy.Backends
	runner   *Runner
	checks   []*policy.Check
	tables   tabletest.Tables // which a flag names as test:NAME
}

var (
	testFault = &policy.Reply{ID: "fault", Row: "T13", Code: 451, Enhanced: "4.3.0", Text: "Unable to process"}
	testLater = &policy.Reply{ID: "unavailable", Row: "T4", Code: 451, Enhanced: "4.7.1", Text: "Temporarily unavailable"}
	testEnd   = &policy.Reply{ID: "unprocessed", Row: "T12", Code: 451, Enhanced: "4.3.0", Text: "Unable to process now"}
)

// check declares a check that enforces; its reply is "550 5.7.1 NAME".
func check(name string, hooks policy.Hooks, change ...func(*policy.Check)) *policy.Check {
	c := &policy.Check{Name: name, Title: name, Mode: policy.Enforce, Replies: []*policy.Reply{reply(name)}}
	c.Setup = func(*policy.Flags) policy.Build { return func(*policy.Env) (policy.Hooks, error) { return hooks, nil } }
	for _, f := range change {
		f(c)
	}
	return c
}

// reply is the declaration of "550 5.7.1 NAME".
func reply(name string) *policy.Reply {
	return &policy.Reply{ID: name, Row: "P0", Code: 550, Enhanced: "5.7.1", Text: name}
}

// no objects with "550 5.7.1 NAME".
func no(name string) (policy.Verdict, error) { return policy.Object(reply(name)), nil }

// newRig builds a policy of these checks in this order. Local domains are ours.example.
func newRig(t testing.TB, flags string, checks ...*policy.Check) *rig {
	t.Helper()
	return newRigWith(t, Limits{Stage: 5 * time.Second, End: 5 * time.Second, Questions: 100}, flags, checks...)
}

func newRigWith(t testing.TB, limits Limits, flags string, checks ...*policy.Check) *rig {
	t.Helper()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	r := &rig{t: t, seen: &witness{}, checks: checks}
	r.backends = &policy.Backends{Clock: clock, State: state.NewMemory(clock, 1000)}
	r.backends.Tables = func(_ *resource.Holder, kind, source string) (table.Waiting, error) {
		return r.tables.Open(kind, source)
	}
	r.runner = NewRunner(r.policy(flags), r.seen, limits)
	t.Cleanup(r.runner.Close)
	return r
}

func (r *rig) registry() *policy.Registry {
	fault := &policy.Check{Name: "fault", Mode: policy.Enforce, OnError: policy.Delay, Replies: []*policy.Reply{testFault, testLater, testEnd}}
	all := append([]*policy.Check{fault}, r.checks...)
	order := map[policy.Stage][]*policy.Check{}
	for _, stage := range policy.Stages() {
		order[stage] = r.checks
	}
	return &policy.Registry{Checks: all, Order: order, Fault: fault, Unavailable: testLater, Unprocessed: testEnd}
}

// policy builds another policy of the same checks.
func (r *rig) policy(flags string) *Policy {
	r.t.Helper()
	registry := r.registry()
	if err := registry.Validate(); err != nil {
		r.t.Fatal(err)
	}
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	draft := NewDraft(registry, set)
	var args []string
	if !strings.Contains(flags, "--local-domains=") {
		args = append(args, "--local-domains=inline:{ours.example=x}")
	}
	for _, flag := range strings.Split(" "+flags, " --")[1:] {
		args = append(args, "--"+flag)
	}
	if err := set.Parse(args); err != nil {
		r.t.Fatal(err)
	}
	p, err := draft.Build(r.backends, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

// idle waits for everything that runs beside the sessions.
func (r *rig) idle() { r.runner.pool.working.Wait() }

// letter is one message and where it comes from.
type letter struct {
	client, name, door, login, from string
	port                            uint16
	noNetwork                       bool
	denied                          policy.EditKinds
	to                              []string
	fields                          []policy.Field
	body                            string
}

// mail is a letter from an untrusted client to these recipients.
func mail(to ...string) letter {
	return letter{client: "192.0.2.1", port: 25, from: "sender@else.example", to: to}
}

func (l letter) connect() policy.ConnectFacts {
	f := policy.ConnectFacts{Port: l.port, Name: l.name, NoNetwork: l.noNetwork, DaemonPort: l.door, Denied: l.denied}
	if l.client != "" {
		f.Client = netip.MustParseAddr(l.client)
	}
	return f
}

// send opens a session, plays the letter as an MTA would, and returns what was refused, one line
// each.
func (r *rig) send(l letter) string {
	s := r.runner.NewSession()
	defer s.Close()
	s.Connect(l.connect())
	if a := s.Helo(policy.HeloFacts{Name: "helo.example"}); a.Refuses() {
		return "helo " + a.Line.String()
	}
	return r.again(s, l)
}

// again plays one more message on a session.
func (r *rig) again(s *Session, l letter) string {
	if a := s.Mail(policy.MailFacts{Sender: l.from, Login: l.login}); a.Refuses() {
		return "mail " + a.Line.String()
	}
	var said []string
	accepted := 0
	for _, to := range l.to {
		if a := s.Rcpt(policy.RcptFacts{Recipient: to, Spelling: "<" + to + ">", QueueID: "4AbC"}); a.Refuses() {
			said = append(said, "rcpt "+to+" "+a.Line.String())
		} else {
			accepted++
		}
	}
	if accepted == 0 {
		s.Abort()
		return strings.Join(said, "\n")
	}
	for _, f := range l.fields {
		s.Header(f, "4AbC")
	}
	s.EndOfHeaders()
	s.Body([]byte(l.body))
	a := s.EndOfMessage("4AbC")
	if a.Refuses() {
		said = append(said, "end "+a.Line.String())
	}
	var changes []policy.Edit
	for _, e := range a.Edits {
		if e.Kind == policy.EditRemoveRecipient {
			said = append(said, e.String())
		} else {
			changes = append(changes, e)
		}
	}
	if len(changes) > 0 {
		said = append(said, "change "+policy.EditText(changes))
	}
	return strings.Join(said, "\n")
}

// witness is an observer that keeps what it is told.
type witness struct {
	mu             sync.Mutex
	id             string
	list           []*policy.Event
	outcomes       []policy.Outcome
	transactions   []*policy.Transaction
	defects        []error
	dropped        int
	opened, closed int
	careless       bool // it keeps no transaction
}

func (w *witness) keep(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

func (w *witness) Identify(*policy.Event) string { return w.id }
func (w *witness) Record(e *policy.Event)        { w.keep(func() { w.list = append(w.list, e) }) }
func (w *witness) Settled(t *policy.Transaction) {
	w.keep(func() {
		w.outcomes, w.transactions = append(w.outcomes, t.Outcome), append(w.transactions, t)
	})
}

func (w *witness) Defect(err error)                 { w.keep(func() { w.defects = append(w.defects, err) }) }
func (w *witness) Keeps() bool                      { return !w.careless }
func (w *witness) Dropped()                         { w.keep(func() { w.dropped++ }) }
func (w *witness) Opened(*policy.Connection)        { w.keep(func() { w.opened++ }) }
func (w *witness) Closed(*policy.Connection)        { w.keep(func() { w.closed++ }) }
func (w *witness) Took(policy.Stage, time.Duration) {}

// events returns one line an event: what happened, by which check, to whom.
func (w *witness) events() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var lines []string
	for _, e := range w.list {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Check, e.Action, strings.Join(e.Recipients, ","))))
	}
	return lines
}

// wantEvents waits for late words and compares the events in any order: those of late words come
// when they come.
func wantEvents(t *testing.T, r *rig, want ...string) {
	t.Helper()
	r.idle()
	got := r.seen.events()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("events:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func wantSaid(t *testing.T, got string, want ...string) {
	t.Helper()
	if got != strings.Join(want, "\n") {
		t.Errorf("the MTA was told:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}
