package would_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"mailweir/internal/mailauth"
	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/files"
	"mailweir/internal/record/would"
	"mailweir/internal/trace"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// start is when the histories begin that are told here, and now is when they are looked at.
var (
	start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	now   = start.Add(week)
)

// mail is one message of a history, in short. Times count from start.
type mail struct {
	at               time.Duration
	from, to, client string // several recipients with blanks between
	fate             policy.Fate
	check            string // that refused or deferred it
	// would are the monitored checks that objected to each recipient, whole those that did to the
	// message. Each of their decisions is recorded, unless folded, and the message, unless lost.
	would, whole string
	folded, lost bool
	direction    string // inbound
	spf          mailauth.SPFResult
	permit       string // what was noted of a permit
	action       policy.Action
	line         policy.Line
}

// permitTrace is what an event has of a permit that did not count.
var permitTrace = []trace.Query{{Question: "permit inline:x", Answer: "does not count: nothing vouches for the sender"}}

// history is what is recorded.
type history struct {
	entries []record.Entry
	changes []record.Change
	ids     int
}

func (h *history) id() string {
	h.ids++
	return fmt.Sprintf("mw-%08d", h.ids)
}

// add records mail.
func (h *history) add(list ...mail) {
	for _, m := range list {
		h.one(m)
	}
}

func (h *history) one(m mail) {
	if m.client == "" {
		m.client = "192.0.2.1"
	}
	if m.from == "" {
		m.from = "a@else.example"
	}
	if m.to == "" {
		m.to = "bob@ours.example"
	}
	if m.direction == "" {
		m.direction = "inbound"
	}
	if m.action == 0 {
		m.action = policy.ActionWould
	}
	session, recipients := fmt.Sprintf("s%d", len(h.entries)), strings.Fields(m.to)
	decided := start.Add(m.at)
	event := func(check string, about []string) {
		e := &policy.Event{
			ID: h.id(), Time: decided, Check: check, Mode: policy.Monitor, Action: m.action, Line: m.line, Cause: "because of " + check,
			Session: session, Transaction: 1, Client: netip.MustParseAddr(m.client), Sender: m.from, HasSender: true,
			Recipients: about, Count: len(about), Direction: m.direction, SPF: m.spf,
		}
		if m.permit != "" {
			e.Trace = []trace.Query{{Question: "permit inline:x", Answer: m.permit}}
		}
		h.entries = append(h.entries, record.Entry{Event: e})
	}
	outcome := policy.Outcome{Fate: m.fate, Check: m.check, Would: strings.Fields(m.whole)}
	t := &policy.Transaction{
		Begun: decided, Ended: decided.Add(time.Second), Session: session, Number: 1, Client: netip.MustParseAddr(m.client),
		Sender: m.from, RecipientCount: len(recipients), SPF: m.spf, Outcome: outcome,
	}
	for _, r := range recipients {
		o := outcome
		o.Would = strings.Fields(m.would)
		t.Recipients = append(t.Recipients, policy.RecipientOutcome{Recipient: r, Direction: m.direction, Outcome: o})
		t.Would = append(t.Would, o.Would...)
		for _, check := range o.Would {
			if !m.folded {
				event(check, []string{r})
			}
		}
	}
	for _, check := range strings.Fields(m.whole) {
		if !m.folded {
			event(check, recipients)
		}
	}
	slices.Sort(t.Would)
	t.Would = slices.Compact(t.Would)
	if !m.lost {
		h.entries = append(h.entries, record.Entry{Message: t})
	}
}

// sum records that decisions were brought together: the first of them, of the message at that
// time, stands for so many until last.
func (h *history) sum(check string, alike policy.Alike, at, last time.Duration, times int, from, client string) {
	session := ""
	for _, e := range h.entries {
		if e.Message != nil && e.Message.Begun.Equal(start.Add(at)) {
			session = e.Message.Session
		}
	}
	h.entries = append(h.entries, record.Entry{Event: &policy.Event{
		ID: h.id(), Time: start.Add(at), Check: check, Mode: policy.Monitor, Action: policy.ActionWould, Cause: "because of " + check,
		Session: session, Transaction: 1, Client: netip.MustParseAddr(client), Sender: from, HasSender: true,
		Recipients: []string{"bob@ours.example"}, Count: 1, Direction: "inbound",
		Dedup: &policy.Dedup{Alike: alike, Times: times, Last: start.Add(last)},
	}})
}

// kept writes the history as it would have been written in its time, and opens it to be read.
func (h *history) kept(t *testing.T) record.Reader {
	t.Helper()
	var clock time.Time
	store, err := files.Open(t.Context(), t.TempDir(), files.Options{Clock: func() time.Time { return clock }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	slices.SortStableFunc(h.entries, func(a, b record.Entry) int { return a.Time().Compare(b.Time()) })
	write := func(entries []record.Entry, changes []record.Change) {
		if err := store.Write(context.Background(), entries, changes); err != nil {
			t.Fatal(err)
		}
	}
	for len(h.entries) > 0 {
		n := 0 // half a day in one commit
		for half := h.entries[0].Time().Truncate(day / 2); n < len(h.entries) && h.entries[n].Time().Truncate(day/2).Equal(half); n++ {
			clock = h.entries[n].Time()
		}
		write(h.entries[:n], nil)
		h.entries = h.entries[n:]
	}
	for _, c := range h.changes {
		clock = c.Time
		write(nil, []record.Change{c})
	}
	return store
}

// look tells what would have been refused in the last week.
func look(t *testing.T, h *history, checks ...string) *would.Report {
	t.Helper()
	return lookAt(t, h.inMemory(), checks...)
}

func lookAt(t *testing.T, r record.Reader, checks ...string) *would.Report {
	t.Helper()
	report, err := would.Look(t.Context(), r, would.Options{Since: start, Until: now, Checks: checks})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// of is what the report says of a check.
func of(t *testing.T, r *would.Report, check string) *would.Check {
	t.Helper()
	for _, c := range r.Checks {
		if c.Name == check {
			return c
		}
	}
	t.Fatalf("the report says nothing of %s", check)
	return nil
}

// reader is a record that says something else about its extent, or gives its pages in pieces.
type reader struct {
	record.Reader
	extent *record.Extent
	pieces bool
	asked  *[]record.Query
}

func (r reader) Extent(ctx context.Context) (record.Extent, error) {
	e, err := r.Reader.Extent(ctx)
	if r.extent != nil {
		e.Days = r.extent.Days
	}
	return e, err
}

// Search gives one entry a page, and before it a page that found none in a tenth of a second.
func (r reader) Search(ctx context.Context, q record.Query) (record.Page, error) {
	if r.asked != nil {
		*r.asked = append(*r.asked, q)
	}
	if !r.pieces || q.Limit == 1 {
		return r.Reader.Search(ctx, q)
	}
	q.Limit = 1
	page, err := r.Reader.Search(ctx, q)
	if err != nil || len(page.Entries) == 0 {
		return page, err
	}
	if at := page.Entries[0].Position.Time().Add(-time.Millisecond); record.PositionAt(at) > q.After+1<<10 {
		return record.Page{More: true, Reached: at}, nil
	}
	return page, nil
}

// memory is a record that answers as the files do, at once: TestReport compares the two.
type memory struct {
	entries []record.Entry
	changes []record.Change
}

// inMemory gives the history as a record.
func (h *history) inMemory() *memory {
	m := &memory{entries: slices.Clone(h.entries), changes: slices.Clone(h.changes)}
	slices.SortStableFunc(m.entries, func(a, b record.Entry) int { return a.Time().Compare(b.Time()) })
	for i := range m.entries {
		m.entries[i].Position = record.PositionAt(m.entries[i].Time()) + record.Position(i)
	}
	for i := range m.changes {
		m.changes[i].Position = record.PositionAt(m.changes[i].Time)
	}
	return m
}

func (m *memory) Search(_ context.Context, q record.Query) (page record.Page, err error) {
	q = q.Normal()
	for _, e := range m.entries {
		if e.Position <= q.After || q.Before > 0 && e.Position >= q.Before || !q.Match(e) {
			continue
		}
		if len(page.Entries) == q.Limit {
			page.More = true
			break
		}
		page.Entries = append(page.Entries, e)
	}
	return page, nil
}

func (m *memory) Counts(_ context.Context, since, until time.Time, bucket time.Duration) (list []record.Count, err error) {
	for _, e := range m.entries {
		at := e.Time().Truncate(bucket)
		if at.Before(since.Truncate(bucket)) || !e.Time().Before(until) {
			continue
		}
		c := record.Count{Time: at, Kind: record.Messages, N: 1}
		if v := e.Event; v != nil {
			c.Kind, c.Check, c.Mode, c.Action = record.Decisions, v.Check, v.Mode, v.Action
		}
		list = append(list, c)
	}
	return list, nil
}

func (m *memory) Changes(context.Context, record.ChangeQuery) ([]record.Change, error) {
	return m.changes, nil
}

func (m *memory) Extent(context.Context) (x record.Extent, err error) {
	if n := len(m.entries); n > 0 {
		x.Oldest, x.Newest = m.entries[0].Time(), m.entries[n-1].Time()
	}
	return x, nil
}

// failing is a record that answers so many questions and then no more.
type failing struct {
	record.Reader
	after int
}

func (f *failing) fail() error {
	if f.after--; f.after < 0 {
		return errors.New("it is gone")
	}
	return nil
}

func (f *failing) Search(ctx context.Context, q record.Query) (record.Page, error) {
	if err := f.fail(); err != nil {
		return record.Page{}, err
	}
	return f.Reader.Search(ctx, q)
}

func (f *failing) Extent(ctx context.Context) (record.Extent, error) {
	if err := f.fail(); err != nil {
		return record.Extent{}, err
	}
	return f.Reader.Extent(ctx)
}

func (f *failing) Counts(ctx context.Context, since, until time.Time, bucket time.Duration) ([]record.Count, error) {
	if err := f.fail(); err != nil {
		return nil, err
	}
	return f.Reader.Counts(ctx, since, until, bucket)
}

func (f *failing) Changes(ctx context.Context, q record.ChangeQuery) ([]record.Change, error) {
	if err := f.fail(); err != nil {
		return nil, err
	}
	return f.Reader.Changes(ctx, q)
}
