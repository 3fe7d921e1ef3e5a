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

// crowd is any number of sessions under one policy, with a clock that only moves when it is told to.
type crowd struct {
	t      *testing.T
	world  *policy.World
	runner *policy.Runner

	mu     sync.Mutex
	now    time.Time
	open   map[string]chan struct{} // closed when all that a connection taught has been learned
	events []*policy.Event
}

func (r rig) crowd(t *testing.T, flags ...string) *crowd {
	t.Helper()
	return r.crowdOn(t, func(clock func() time.Time) state.Store { return state.NewMemory(clock, 100_000) }, flags...)
}

// crowdOn is a crowd with a store of its own.
func (r rig) crowdOn(t *testing.T, store func(clock func() time.Time) state.Store, flags ...string) *crowd {
	t.Helper()
	c := &crowd{t: t, now: noon, open: map[string]chan struct{}{}}
	c.world = &policy.World{Connections: func() int { return 1 }, Clock: c.clock, State: store(c.clock)}
	p, err := r.build(c.world, flags...)
	if err != nil {
		t.Fatal(err)
	}
	c.runner = policy.NewRunner(p, c, policy.Limits{Stage: 5 * time.Second, End: 5 * time.Second, Questions: 1000})
	t.Cleanup(c.runner.Close)
	return c
}

func (c *crowd) clock() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *crowd) after(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// visit plays a letter and waits until everything has been learned from it.
func (c *crowd) visit(l letter) []string {
	s := c.runner.NewSession()
	said := l.send(s)
	c.leave(s)
	return said
}

// begin plays a letter up to its recipients and leaves the transaction open.
func (c *crowd) begin(l letter) (*policy.Session, string) {
	s := c.runner.NewSession()
	s.Connect(l.connect())
	s.Helo(policy.HeloFacts{Name: l.helo})
	return s, envelope(s, l)
}

// guess plays a transaction with recipients that the MTA refuses with that code, and one that it does not.
func (c *crowd) guess(l letter, code string, refused, accepted int) {
	s := c.runner.NewSession()
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
	c.leave(s)
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

// leave ends a session and waits until everything has been learned from it.
func (c *crowd) leave(s *policy.Session) {
	c.mu.Lock()
	done := c.open[s.ID()]
	c.mu.Unlock()
	s.Close()
	<-done
}

// recorded returns the events so far, CHECK ACTION, and forgets them. What is recorded off the way of the answer is there once
// the session has left.
func (c *crowd) recorded() (lines []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.events {
		lines = append(lines, e.Check+" "+e.Action.String())
	}
	c.events = nil
	return lines
}

func (c *crowd) Record(e *policy.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, e)
}

func (c *crowd) Opened(conn *policy.Connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[conn.ID] = make(chan struct{})
}

func (c *crowd) Closed(conn *policy.Connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.open[conn.ID])
	delete(c.open, conn.ID)
}

func (c *crowd) Defect(err error)                      { c.t.Error(err) }
func (*crowd) Identify(*policy.Event) string           { return "" }
func (*crowd) Settled(*policy.Message, policy.Outcome) {}
func (*crowd) Took(policy.Stage, time.Duration)        {}

// wantSaid compares what was said.
func wantSaid(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: said %q, want %q", what, got, want)
	}
}
