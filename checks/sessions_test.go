package checks

import (
	"time"

	"mailweir/internal/policy"
)

// sessions plays letters one after the other under one runner, so that checks can remember.
type sessions struct {
	runner *policy.Runner
	seen   *witness
}

func newSessions(p *policy.Policy) *sessions {
	s := &sessions{seen: newWitness()}
	s.runner = policy.NewRunner(p, s.seen, policy.Limits{Stage: 5 * time.Second, End: 5 * time.Second, Questions: 100})
	return s
}

func (s *sessions) close() { s.runner.Close() }

// sent is what came of one letter, once everything has been learned from it.
type sent struct {
	said   []string
	events []*policy.Event
}

func (s *sessions) send(l letter) sent {
	s.seen.mu.Lock()
	s.seen.list, s.seen.closed = nil, make(chan struct{})
	closed := s.seen.closed
	s.seen.mu.Unlock()
	session := s.runner.NewSession()
	said := l.send(session)
	session.Close()
	<-closed
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	return sent{said, s.seen.list}
}
