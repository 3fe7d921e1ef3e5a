package replay

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"mailweir/checks"
	"mailweir/internal/dns"
	"mailweir/internal/policy"
	"mailweir/internal/policytest"
	"mailweir/internal/record"
	"mailweir/internal/record/files"
	"mailweir/internal/runner"
	"mailweir/internal/state"
	"mailweir/rbl"
)

// names is what the DNS knows: "A NAME" or "TXT NAME", and the answer in print.
type names map[string]string

func (n names) ask(q dns.Question) dns.Answer {
	said, ok := n[q.String()]
	if !ok {
		said = "no such name"
	}
	a, err := dns.ParseAnswer(said)
	if err != nil {
		panic(err)
	}
	return a
}

// recorder is a running mailweir of all checks whose decisions are recorded.
type recorder struct {
	t     testing.TB
	world *policy.Backends
	clock *policytest.Clock
	host  *runner.Runner

	mu      sync.Mutex
	ids     int
	entries []record.Entry
	changes []record.Change
	open    map[string]chan struct{}
}

func build(world *policy.Backends, flags []string) (*runner.Policy, error) {
	return policytest.Rig{Registry: checks.Registry()}.BuildBare(world, flags...)
}

func newRecorder(t testing.TB, dns names, flags ...string) *recorder {
	t.Helper()
	r := &recorder{t: t, clock: &policytest.Clock{}, open: map[string]chan struct{}{}}
	r.world = policytest.NewWorld()
	r.world.Clock = r.clock.Time
	r.world.State = state.Traced(state.NewMemory(r.clock.Time, 100_000))
	resolver, lists := fakeDNS(t, dns, r.clock.Time)
	r.world.DNS, r.world.Lists = resolver, lists
	p, err := build(r.world, flags)
	if err != nil {
		t.Fatal(err)
	}
	r.host = runner.NewRunner(p, r, runner.DefaultLimits)
	r.changes = []record.Change{{Operation: record.PolicyLoad, Time: r.clock.Time(), Changes: Alterations(p, nil)}}
	return r
}

func fakeDNS(t testing.TB, n names, clock func() time.Time) (*dns.Resolver, *rbl.Lists) {
	resolver, err := dns.NewResolver(dns.ResolverOptions{Recorded: n.ask, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	lists := rbl.NewLists(resolver, rbl.ListsOptions{Recorded: true})
	t.Cleanup(func() { lists.Close(); resolver.Close() })
	return resolver, lists
}

// send plays a letter and waits until all has been recorded.
func (r *recorder) send(l policytest.Letter) []string {
	s := r.host.NewSession()
	said := l.Send(s)
	r.mu.Lock()
	done := r.open[s.ID()]
	r.mu.Unlock()
	s.Close()
	<-done
	return said
}

func (r *recorder) Identify(*policy.Event) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids++
	return fmt.Sprintf("mw-%08d", r.ids)
}

func (r *recorder) Record(e *policy.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.Version = policy.EventVersion
	r.entries = append(r.entries, record.Entry{Event: e})
}

func (r *recorder) Settled(t *policy.Transaction) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t.Version, t.Ended = policy.EventVersion, r.clock.Time()
	r.entries = append(r.entries, record.Entry{Message: t})
}

func (r *recorder) Opened(c *policy.Connection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open[c.ID] = make(chan struct{})
}

func (r *recorder) Closed(c *policy.Connection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.open[c.ID])
}

func (r *recorder) Defect(err error)               { r.t.Error(err) }
func (r *recorder) Keeps() bool                    { return true }
func (r *recorder) Dropped()                       { r.t.Error("dropped") }
func (*recorder) Took(policy.Stage, time.Duration) {}

// replay ends the recording, and judges what was recorded under these flags.
func (r *recorder) replay(t testing.TB, flags ...string) (*Sums, []Result) {
	t.Helper()
	r.host.Close()
	return replayed(t, inMemory{r.entries, r.changes}, flags...)
}

// stored replays from the store of files, as the command does.
func (r *recorder) stored(t testing.TB, flags ...string) (*Sums, []Result) {
	t.Helper()
	r.host.Close()
	store, err := files.Open(t.Context(), t.TempDir(), files.Options{Clock: r.clock.Time})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.Write(t.Context(), r.entries, r.changes); err != nil {
		t.Fatal(err)
	}
	return replayed(t, store, flags...)
}

// inMemory is a record of few entries.
type inMemory struct {
	entries []record.Entry
	changes []record.Change
}

func (m inMemory) Search(_ context.Context, q record.Query) (page record.Page, err error) {
	q = q.Normal()
	for i, e := range m.entries {
		if e.Position = record.Position(i + 1); q.Match(e) && e.Position > q.After {
			page.Entries = append(page.Entries, e)
		}
	}
	return page, nil
}

func (m inMemory) Changes(context.Context, record.ChangeQuery) ([]record.Change, error) {
	return m.changes, nil
}

func (inMemory) Counts(context.Context, time.Time, time.Time, time.Duration) ([]record.Count, error) {
	return nil, nil
}

func (inMemory) Extent(context.Context) (record.Extent, error) { return record.Extent{}, nil }

func replayed(t testing.TB, reader record.Reader, flags ...string) (*Sums, []Result) {
	t.Helper()
	world, err := NewWorld()
	if err != nil {
		t.Fatal(err)
	}
	defer world.Close()
	p, err := build(world.Backends(), flags)
	if err != nil {
		t.Fatal(err)
	}
	known, err := Known(t.Context(), reader)
	if err != nil {
		t.Fatal(err)
	}
	j := NewJudge(world, p, reader, known)
	defer j.Close()
	var all []Result
	sums, err := j.Run(context.Background(), time.Time{}, time.Time{}, func(r Result) error {
		all = append(all, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums, all
}

// told is a result in one line.
func lineOf(r Result) string {
	var blind []string
	for _, u := range r.Unknown {
		blind = append(blind, u.Check+" ("+u.Why+")")
	}
	text := fmt.Sprintf("%s %s: %s %s → %s %s %s", r.Kind, r.Recipient, r.From.Fate, r.From.Check, r.To.Fate, r.To.Check, strings.Join(blind, ", "))
	return strings.Join(strings.Fields(text), " ")
}

func reversed(client, zone string) string {
	return "A " + string(dns.AppendReversed(nil, netip.MustParseAddr(client))) + "." + zone
}
