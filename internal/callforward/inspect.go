package callforward

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mailweir/internal/state"
)

// mostTried bounds the domains that an inspection tries: each is a question.
const mostTried = 5

// Inspect says, for a person, whether the server answers and where it is used for nothing. It asks
// for a random name of each of these domains, of five at most, unless that has been done within the
// hour: whoever watches over us may ask every few seconds.
func (s *Server) Inspect(ctx context.Context, domains []string) (text string, remarks []string, err error) {
	if text, err = s.peer.look(ctx); err != nil {
		return "", nil, fmt.Errorf("%s: %w", s.name, err)
	}
	for _, domain := range domains[:min(len(domains), mostTried)] {
		if !s.domains.startTest(domain) {
			continue
		}
		f, err := s.test(ctx, domain)
		switch {
		case err != nil:
			remarks = append(remarks, fmt.Sprintf("whether it accepts a random name of %s could not be told: %v", domain, err))
		case f.self: // told below
		case f.verdict == unclear:
			remarks = append(remarks, fmt.Sprintf("it refuses a random name of %s by %q, which does not say that it does not exist: unknown recipients of it will be deferred", domain, f.said))
		case f.verdict == bare:
			remarks = append(remarks, fmt.Sprintf("it refuses a random name of %s by %q, without an enhanced code: that counts when it has accepted somebody of the domain", domain, f.said))
		}
	}
	return text, append(remarks, s.suspensions(ctx)...), nil
}

// suspensions are those that this process knows of, and those in the state.
func (s *Server) suspensions(ctx context.Context) (remarks []string) {
	all := s.domains.all()
	rows, _ := s.domains.store.List(ctx, state.Prefix(space, "suspended", s.name), "", mostDomains)
	for _, row := range rows {
		if _, parts := state.Parts(row.Key); len(parts) == 3 && all[parts[2]] == "" {
			all[parts[2]] = string(row.Value)
		}
	}
	for _, domain := range slices.Sorted(maps.Keys(all)) {
		remarks = append(remarks, fmt.Sprintf("for %s %s: it is used for nothing there, and nobody there is refused", domain, all[domain]))
	}
	return remarks
}

// look connects and tells what the server says of itself.
func (s *mailServer) look(ctx context.Context) (string, error) {
	c, err := s.open(ctx)
	if err != nil {
		return "", err
	}
	defer c.quit()
	words := []string{fmt.Sprintf("%s greets as %s", s.shown(c), c.greeting)}
	switch {
	case c.encrypted:
		words = append(words, "STARTTLS")
	case c.startTLS:
		words = append(words, "STARTTLS fails, asked in clear")
	}
	if c.smtputf8 {
		words = append(words, "SMTPUTF8")
	}
	return strings.Join(words, ", "), nil
}

func (s *mailServer) shown(c *conn) string {
	if s.target.network == "unix" {
		return s.target.path
	}
	return c.RemoteAddr().String()
}
