package callforward

import (
	"context"
	"crypto/rand"
	"strings"

	"mailweir/internal/address"
)

// testLater asks for a random name of the domain in the background, if that is due.
func (s *Server) testLater(domain string) {
	if !s.domains.startTest(domain) {
		return
	}
	if !s.enter() {
		s.domains.endTest(domain, 0)
		return
	}
	go func() {
		defer s.work.Done()
		_, _ = s.test(s.ctx, domain)
	}()
}

// test finds out whether the server accepts everybody; the test has been counted as begun. Where
// that cannot be told, what is known stays.
func (s *Server) test(ctx context.Context, domain string) (finding, error) {
	f, err := s.tryRandom(ctx, domain)
	switch {
	case err != nil || f.verdict == unclear && !f.self:
		s.domains.endTest(domain, testSoon)
		return f, err
	case f.self:
		s.domains.suspend(ctx, domain, isUs)
	case f.verdict == exists || f.verdict == uncertain:
		s.domains.suspend(ctx, domain, acceptsAll)
	default:
		s.domains.suspend(ctx, domain, "")
	}
	s.domains.endTest(domain, testAgain)
	return f, nil
}

// tryRandom asks for a name that nobody has, on a connection of its own: some servers answer the
// second recipient otherwise than the first.
func (s *Server) tryRandom(ctx context.Context, domain string) (finding, error) {
	done, err := s.turns.take(ctx, false)
	if err != nil {
		return finding{}, err
	}
	defer done()
	return s.call(ctx, address.Parse(strings.ToLower(rand.Text())+"@"+domain), true)
}
