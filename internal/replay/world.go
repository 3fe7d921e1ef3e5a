package replay

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/dns"
	"mailweir/internal/policy"
	"mailweir/internal/resource"
	"mailweir/internal/state"
	"mailweir/internal/table"
	"mailweir/internal/trace"
	"mailweir/rbl"
)

// World is what a policy can ask while it judges recorded mail: DNS, tables that live elsewhere,
// servers and state say what they said then, about one case after the other.
type World struct {
	backends policy.Backends
	now      atomic.Pointer[past] // nil between cases
}

// NewWorld returns a world for one policy.
func NewWorld() (*World, error) {
	w := &World{}
	resolver, err := dns.NewResolver(dns.ResolverOptions{Recorded: w.ask, Clock: w.clock})
	if err != nil {
		return nil, err
	}
	w.backends.Clock, w.backends.DNS = w.clock, resolver
	w.backends.Lists = rbl.NewLists(resolver, rbl.ListsOptions{Recorded: true})
	w.backends.Connections = func() int { return 1 }
	w.backends.State = remembered{Store: state.NewMemory(w.clock, 1), world: w}
	w.backends.Recorded = true
	w.backends.Tables = func(_ *resource.Holder, kind, source string) (table.Waiting, error) {
		return recordedTable{w, kind + ":" + source}, nil
	}
	w.backends.Mailboxes = func(_ *resource.Holder, kind, source string) (policy.Mailboxes, error) {
		return recordedServer{w, kind + ":" + source}, nil
	}
	return w, nil
}

// Backends are what the policy is built with.
func (w *World) Backends() *policy.Backends { return &w.backends }

// Close ends the use of the world, after its policy.
func (w *World) Close() {
	w.backends.Lists.Close()
	w.backends.DNS.Close()
}

// clock is when the case was judged.
func (w *World) clock() time.Time {
	if p := w.now.Load(); p != nil {
		return p.t.Begun
	}
	return time.Unix(0, 0)
}

// missing is the error of what the record does not have.
func (w *World) missing() error {
	if p := w.now.Load(); p != nil {
		return p.missing
	}
	return trace.ErrNotRecorded
}

// answer is what was answered to a question as the record has it.
func (w *World) answer(question string) (string, bool) {
	p := w.now.Load()
	if p == nil {
		return "", false
	}
	answer, ok := p.queries[question]
	return answer, ok
}

// ask answers a question to the DNS.
func (w *World) ask(q dns.Question) dns.Answer {
	said, ok := w.answer(q.String())
	if !ok {
		return unasked(w.missing())
	}
	a, err := dns.ParseAnswer(said)
	if err != nil {
		return unasked(fmt.Errorf("%w: %w", err, trace.ErrNotRecorded)) // it was cut
	}
	return a
}

func unasked(cause error) dns.Answer {
	return dns.Answer{Err: &dns.Error{Failure: dns.Cancelled, Cause: cause}}
}

// remembered is the state: that of the case at hand.
type remembered struct {
	state.Store // has nothing
	world       *World
}

func (r remembered) of() state.Store {
	if p := r.world.now.Load(); p != nil {
		return p.state
	}
	return state.NewRecorded(nil, trace.ErrNotRecorded, r.world.clock)
}

// Do does steps on what was remembered.
func (r remembered) Do(ctx context.Context, steps ...state.Step) ([]state.Result, error) {
	return r.of().Do(ctx, steps...)
}

// Get reads what was remembered.
func (r remembered) Get(ctx context.Context, key string) ([]byte, bool, error) {
	return r.of().Get(ctx, key)
}

// Acquire takes a place if there was one.
func (r remembered) Acquire(ctx context.Context, key string, limit int) (state.Lease, bool, error) {
	return r.of().Acquire(ctx, key, limit)
}

// List is not known: only single entries are in the record.
func (r remembered) List(context.Context, string, string, int) ([]state.Entry, error) {
	return nil, trace.ErrNotRecorded
}

// recordedTable is a table that lives elsewhere.
type recordedTable struct {
	world *World
	spec  string
}

// Find answers a key. The record has the key that had an entry, or the first of a question where
// none had.
func (t recordedTable) Find(_ context.Context, key string) (string, bool, error) {
	if said, ok := t.world.answer(t.spec + " " + key); ok {
		switch {
		case said == "not found, nor a wider key":
			return "", false, nil
		case strings.HasPrefix(said, "error: "):
			return "", false, errors.New(strings.TrimPrefix(said, "error: "))
		}
		return said, true, nil
	}
	if p := t.world.now.Load(); p != nil {
		for question, said := range p.queries {
			other, ok := strings.CutPrefix(question, t.spec+" ")
			if !ok || strings.HasPrefix(said, "error: ") {
				continue
			}
			missed := said == "not found, nor a wider key"
			if missed && wider(key, other) || !missed && wider(other, key) {
				return "", false, nil
			}
		}
	}
	return "", false, fmt.Errorf("%s %s: %w", t.spec, key, t.world.missing())
}

// wider reports whether a table is asked for a key after another one, which it begins or ends, or
// from which it takes the extension.
func wider(key, first string) bool {
	return key != first && (strings.HasSuffix(first, key) || strings.HasPrefix(first, key) || extended(key, first))
}

func extended(key, first string) bool {
	local, domain, ok := strings.Cut(key, "@")
	return ok && strings.HasPrefix(first, local) && strings.HasSuffix(first, "@"+domain)
}

// recordedServer is one that knows which addresses exist.
type recordedServer struct {
	world *World
	spec  string
}

// Ask says what was said then.
func (s recordedServer) Ask(_ context.Context, to address.Address, _ bool) (bool, string, error) {
	said, ok := s.world.answer(s.spec + " " + to.Key())
	switch {
	case !ok:
		return false, "", fmt.Errorf("%s %s: %w", s.spec, to.Key(), s.world.missing())
	case strings.HasPrefix(said, "error: "):
		return false, "", errors.New(strings.TrimPrefix(said, "error: "))
	}
	return strings.HasPrefix(said, "exists"), "as then: " + said, nil
}

// Ours is false: our own questions are in no record.
func (s recordedServer) Ours(netip.AddrPort, string) bool { return false }

// Suspended says why the server was used for nothing then.
func (s recordedServer) Suspended(string) string {
	said, _ := s.world.answer(s.spec)
	why, _ := strings.CutPrefix(said, "used for nothing: ")
	return why
}

// Suspensions are not in the record.
func (s recordedServer) Suspensions() map[string]string { return nil }
