package policytest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/runner"
	"mailweir/internal/state"
)

// Host is a runner with any number of sessions, and an observer that keeps what it is told.
type Host struct {
	T      testing.TB
	World  *policy.Backends
	Runner *runner.Runner
	Now    *Clock

	mu      sync.Mutex
	open    map[string]chan struct{} // closed when all that a connection taught has been learned
	events  []*policy.Event
	settled *policy.Transaction // that was settled last
}

// Session is one that a test plays by hand.
type Session = runner.Session

// NewHost runs a policy until the test ends.
func NewHost(t testing.TB, world *policy.Backends, p *runner.Policy) *Host {
	h := &Host{T: t, World: world, open: map[string]chan struct{}{}}
	h.Runner = runner.NewRunner(p, h, runner.DefaultLimits)
	t.Cleanup(h.Runner.Close)
	return h
}

// Host runs a policy of the rig's checks, with a clock that only moves when it is told to.
func (r Rig) Host(t testing.TB, flags ...string) *Host {
	t.Helper()
	return r.HostOn(t, func(clock func() time.Time) state.Store { return state.NewMemory(clock, 100_000) }, flags...)
}

// HostOn is a host with a store of the test's own.
func (r Rig) HostOn(t testing.TB, store func(clock func() time.Time) state.Store, flags ...string) *Host {
	t.Helper()
	world, now := NewWorld(), new(Clock)
	world.Clock = now.Time
	world.State = store(now.Time)
	p, err := r.Build(world, flags...)
	if err != nil {
		t.Fatal(err)
	}
	h := NewHost(t, world, p)
	h.Now = now
	return h
}

// After moves the clock.
func (h *Host) After(d time.Duration) { h.Now.Move(d) }

// Visit plays a letter and waits until everything has been learned from it. It returns what was
// refused.
func (h *Host) Visit(l Letter) []string {
	s := h.Runner.NewSession()
	said := l.Send(s)
	h.Leave(s)
	return said
}

// Sent is what came of one letter, once everything has been learned from it.
type Sent struct {
	Said   []string
	Events []*policy.Event
}

// Send plays a letter and returns what was refused and recorded.
func (h *Host) Send(l Letter) Sent {
	h.Taken()
	said := h.Visit(l)
	return Sent{said, h.Taken()}
}

// Begin plays a letter up to its recipients and leaves the transaction open.
func (h *Host) Begin(l Letter) (*runner.Session, string) {
	s := h.Runner.NewSession()
	s.Connect(l.Connect())
	s.Helo(policy.HeloFacts{Name: l.Helo})
	return s, Begin(s, l)
}

// Begin begins a transaction and returns what is said to it, one line each.
func Begin(s *runner.Session, l Letter) string {
	if a := s.Mail(l.Mail()); a.Refuses() {
		return "mail " + a.Line.String()
	}
	if l.To == nil {
		l.To = []string{"user@ours.example"}
	}
	var said []string
	for _, to := range l.To {
		if a := s.Rcpt(policy.RcptFacts{Recipient: to}); a.Refuses() {
			said = append(said, "rcpt "+a.Line.String())
		}
	}
	return strings.Join(said, "\n")
}

// Guess plays a transaction with recipients that the MTA refuses with that code, and others that it
// does not.
func (h *Host) Guess(l Letter, code string, refused, accepted int) {
	s := h.Runner.NewSession()
	s.Connect(l.Connect())
	s.Helo(policy.HeloFacts{})
	s.Mail(l.Mail())
	domain := "ours.example"
	if code == "5.7.1" {
		domain = "else.example"
	}
	for i := range refused {
		s.RcptRefusedByMTA(policy.RcptFacts{Recipient: fmt.Sprintf("u%d@%s", i, domain), Refusal: code})
	}
	for i := range accepted {
		s.Rcpt(policy.RcptFacts{Recipient: fmt.Sprintf("ok%d@ours.example", i)})
	}
	if accepted > 0 {
		s.EndOfHeaders()
		s.EndOfMessage("4AbC")
	}
	h.Leave(s)
}

// Objections plays a letter as explain does, and returns what objects to it.
func (h *Host) Objections(l Letter) []runner.Finding {
	return slices.DeleteFunc(h.Findings(l), func(f runner.Finding) bool { return f.Says != runner.SaysObjects })
}

// Findings plays a letter as explain does, and returns what the checks say.
func (h *Host) Findings(l Letter) (list []runner.Finding) {
	s := h.Runner.NewExplainer(func(f runner.Finding) { list = append(list, f) })
	l.Send(s)
	s.Close()
	return list
}

// Leave ends a session and waits until everything has been learned from it.
func (h *Host) Leave(s *runner.Session) {
	h.mu.Lock()
	done := h.open[s.ID()]
	h.mu.Unlock()
	s.Close()
	<-done
}

// Taken returns the events so far and forgets them. What is recorded off the way of the answer is
// there once the session has left.
func (h *Host) Taken() []*policy.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	events := h.events
	h.events = nil
	return events
}

// Recorded returns the events so far, CHECK ACTION, and forgets them.
func (h *Host) Recorded() []string { return Lines(h.Taken()) }

// Lines tells events in one line each, CHECK ACTION.
func Lines(events []*policy.Event) (lines []string) {
	for _, e := range events {
		lines = append(lines, e.Check+" "+e.Action.String())
	}
	return lines
}

// unexamined is what the observer of the daemon makes of the limits that the last message reached.
func (h *Host) unexamined() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []string
	for _, u := range h.settled.Unexamined {
		list = append(list, u.Where)
	}
	return "limits reached: " + strings.Join(list, ", ")
}

// Record keeps an event.
func (h *Host) Record(e *policy.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

// Opened begins to wait for a connection.
func (h *Host) Opened(conn *policy.Connection) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open[conn.ID] = make(chan struct{})
}

// Closed tells who waits for the connection.
func (h *Host) Closed(conn *policy.Connection) {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.open[conn.ID])
	delete(h.open, conn.ID)
}

// Settled keeps the transaction.
func (h *Host) Settled(t *policy.Transaction) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.settled = t
}

// Defect fails the test.
func (h *Host) Defect(err error) { h.T.Error(err) }

// Keeps says that all is kept.
func (*Host) Keeps() bool { return true }

// Dropped fails the test.
func (h *Host) Dropped() { h.T.Error("the queue behind the answers is full") }

// Identify gives no id.
func (*Host) Identify(*policy.Event) string { return "" }

// Took takes no notice.
func (*Host) Took(policy.Stage, time.Duration) {}

// WantSaid compares what was said.
func WantSaid(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: said %q, want %q", what, got, want)
	}
}
