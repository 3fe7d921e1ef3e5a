package policy

import "context"

// admit waits for a place where a check limits how many messages are examined at once. It is called at
// the end of the message: before it an MTA waits for no filter that stops reading, at the end it hears
// of progress. Without a place the message is answered as mail that could not be processed.
func (s *Session) admit() {
	m, p := s.msg, s.policy()
	if m.condemned || s.explaining() || len(p.hooks.admit) == 0 || len(p.hooks.message) == 0 {
		return
	}
	for _, b := range p.hooks.admit {
		place := b.hooks.Admit(s.runner.ctx)
		if place != nil {
			m.hold(place)
			continue
		}
		v := Object(p.registry.Unprocessed).Because("%s: too many messages are examined at once", b.Name)
		s.keep(b, StageEnd, said{verdict: v}, &m.scope, nil)
		m.condemned = b.mode.Refuses()
	}
}

// place is a Lease that calls a function.
type place func()

// Release gives the place back.
func (p place) Release() { p() }

// hold keeps a place for as long as the scope lives.
func (s *scope) hold(leave func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leases = append(s.leases, place(leave))
}

// AdmitWithin is for Admit hooks: it takes a place from a channel that has one free element for each, waiting at most until the
// context ends. It returns how to give the place back, nil without one.
func AdmitWithin(ctx context.Context, places chan struct{}) (leave func()) {
	select {
	case places <- struct{}{}:
		return func() { <-places }
	case <-ctx.Done():
		return nil
	}
}
