package checks

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// host is a runner with any number of sessions, and an observer that keeps what it is told.
type host struct {
	t      testing.TB
	world  *policy.World
	runner *policy.Runner
	now    *hand

	mu      sync.Mutex
	open    map[string]chan struct{} // closed when all that a connection taught has been learned
	events  []*policy.Event
	message *policy.Message // that was settled last
}

// newHost runs a policy until the test ends.
func newHost(t testing.TB, world *policy.World, p *policy.Policy) *host {
	h := &host{t: t, world: world, open: map[string]chan struct{}{}}
	h.runner = policy.NewRunner(p, h, policy.Limits{Stage: 5 * time.Second, End: 5 * time.Second, Questions: 1000})
	t.Cleanup(h.runner.Close)
	return h
}

// host runs a policy of the rig's checks, with a clock that only moves when it is told to.
func (r rig) host(t testing.TB, flags ...string) *host {
	t.Helper()
	return r.hostOn(t, func(clock func() time.Time) state.Store { return state.NewMemory(clock, 100_000) }, flags...)
}

// hostOn is a host with a store of the test's own.
func (r rig) hostOn(t testing.TB, store func(clock func() time.Time) state.Store, flags ...string) *host {
	t.Helper()
	world, now := newWorld(), new(hand)
	world.Clock = now.time
	world.State = store(now.time)
	p, err := r.build(world, flags...)
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t, world, p)
	h.now = now
	return h
}

// after moves the clock.
func (h *host) after(d time.Duration) { h.now.move(d) }

// visit plays a letter and waits until everything has been learned from it. It returns what was refused.
func (h *host) visit(l letter) []string {
	s := h.runner.NewSession()
	said := l.send(s)
	h.leave(s)
	return said
}

// sent is what came of one letter, once everything has been learned from it.
type sent struct {
	said   []string
	events []*policy.Event
}

// send plays a letter and returns what was refused and recorded.
func (h *host) send(l letter) sent {
	h.taken()
	said := h.visit(l)
	return sent{said, h.taken()}
}

// begin plays a letter up to its recipients and leaves the transaction open.
func (h *host) begin(l letter) (*policy.Session, string) {
	s := h.runner.NewSession()
	s.Connect(l.connect())
	s.Helo(policy.HeloFacts{Name: l.helo})
	return s, envelope(s, l)
}

// envelope begins a transaction and returns what is said to it, one line each.
func envelope(s *policy.Session, l letter) string {
	if a := s.Mail(l.mail()); a.Refuses() {
		return "mail " + a.Line.String()
	}
	if l.to == nil {
		l.to = []string{"user@ours.example"}
	}
	var said []string
	for _, to := range l.to {
		if a := s.Rcpt(policy.RcptFacts{Recipient: to}); a.Refuses() {
			said = append(said, "rcpt "+a.Line.String())
		}
	}
	return strings.Join(said, "\n")
}

// guess plays a transaction with recipients that the MTA refuses with that code, and others that it does not.
func (h *host) guess(l letter, code string, refused, accepted int) {
	s := h.runner.NewSession()
	s.Connect(l.connect())
	s.Helo(policy.HeloFacts{})
	s.Mail(l.mail())
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
	h.leave(s)
}

// leave ends a session and waits until everything has been learned from it.
func (h *host) leave(s *policy.Session) {
	h.mu.Lock()
	done := h.open[s.ID()]
	h.mu.Unlock()
	s.Close()
	<-done
}

// taken returns the events so far and forgets them. What is recorded off the way of the answer is
// there once the session has left.
func (h *host) taken() []*policy.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	events := h.events
	h.events = nil
	return events
}

// recorded returns the events so far, CHECK ACTION, and forgets them.
func (h *host) recorded() []string { return eventLines(h.taken()) }

func eventLines(events []*policy.Event) (lines []string) {
	for _, e := range events {
		lines = append(lines, e.Check+" "+e.Action.String())
	}
	return lines
}

// unexamined is what the observer of the daemon makes of the limits that the last message reached.
func (h *host) unexamined() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []string
	for _, u := range h.message.Unexamined {
		list = append(list, u.Where)
	}
	return "limits reached: " + strings.Join(list, ", ")
}

// Record keeps an event.
func (h *host) Record(e *policy.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

// Opened begins to wait for a connection.
func (h *host) Opened(conn *policy.Connection) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open[conn.ID] = make(chan struct{})
}

// Closed tells who waits for the connection.
func (h *host) Closed(conn *policy.Connection) {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.open[conn.ID])
	delete(h.open, conn.ID)
}

// Settled keeps the message.
func (h *host) Settled(m *policy.Message, _ policy.Outcome) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.message = m
}

// Defect fails the test.
func (h *host) Defect(err error) { h.t.Error(err) }

// Identify gives no id.
func (*host) Identify(*policy.Event) string { return "" }

// Took takes no notice.
func (*host) Took(policy.Stage, time.Duration) {}

// wantSaid compares what was said.
func wantSaid(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: said %q, want %q", what, got, want)
	}
}
