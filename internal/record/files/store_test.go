package files_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/files"
	"mailweir/internal/trace"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 5000, time.UTC)

// bed is a record in a directory of the test, under a clock of its own.
type bed struct {
	*testing.T
	*files.Store
	dir  string
	now  time.Time
	said []string
}

func newBed(t *testing.T, o files.Options) *bed {
	b := &bed{T: t, dir: t.TempDir(), now: start}
	b.open(o)
	t.Cleanup(func() { _ = b.Store.Close() })
	return b
}

func (b *bed) open(o files.Options) {
	b.Helper()
	o.Clock, o.Warn = func() time.Time { return b.now }, func(s string) { b.said = append(b.said, s) }
	s, err := files.Open(b.Context(), b.dir, o)
	if err != nil {
		b.Fatal(err)
	}
	b.Store = s
}

func (b *bed) write(entries ...record.Entry) []record.Entry {
	b.Helper()
	if err := b.Write(b.Context(), entries, nil); err != nil {
		b.Fatal(err)
	}
	return entries
}

func (b *bed) search(q record.Query) record.Page {
	b.Helper()
	p, err := b.Search(b.Context(), q)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

// refusal is a decision of this moment.
func (b *bed) refusal(id string) record.Entry {
	return record.Entry{Event: &policy.Event{
		Version: 1, ID: id, Time: b.now, Host: "mx1.example", Check: "rbl", Mode: policy.Enforce, Stage: policy.StageConnect,
		AnsweredAt: policy.StageRcpt, Action: policy.ActionRefused, Reply: "rbl", Row: "P11", Cause: "zen.example", Session: "session1",
		Transaction: 1, Client: netip.MustParseAddr("192.0.2.1"), Helo: "client.example", Service: policy.MX, Sender: "a@else.example",
		HasSender: true, Recipients: []string{"bob@example.org"}, Count: 1, Direction: "inbound",
		Trace: []trace.Query{{Question: "A 1.2.0.192.zen.example", Answer: "127.0.0.2"}},
	}}
}

func (b *bed) accepted() record.Entry {
	return record.Entry{Message: &policy.Transaction{
		Version: 1, Begun: b.now, Ended: b.now, Session: "session2", Number: 1, Service: policy.MX, Client: netip.MustParseAddr("2001:db8::1"),
		Sender: "a@else.example", RecipientCount: 1, QueueID: "4AbC", MessageID: "<1@else.example>",
		Recipients: []policy.RecipientOutcome{{Recipient: "carol@example.org", Direction: "inbound"}},
	}}
}

func TestWriteAndSearch(t *testing.T) {
	b := newBed(t, files.Options{})
	want := b.write(b.refusal("mw-aaaaaaaa"), b.accepted())
	got := b.search(record.Query{Forward: true})
	if diff := cmp.Diff(want, got.Entries, cmp.Comparer(func(a, b policy.Line) bool { return a == b }), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	for _, q := range []record.Query{
		{IDs: []string{"MW-AAAAAAAA"}},
		{Recipient: "<Bob@example.org>"},
		{Sender: "@else.example", Kind: record.Decisions},
		{Client: netip.MustParsePrefix("192.0.0.0/16")},
		{Client: netip.MustParsePrefix("192.0.2.1/32")},
		{Text: "ZEN.exam"},
	} {
		if p := b.search(q); len(p.Entries) != 1 || p.Entries[0].Event == nil {
			t.Errorf("%+v: %+v", q, p)
		}
	}
	for _, q := range []record.Query{
		{QueueID: "4AbC"},
		{MessageID: "1@else.example"},
		{Recipient: "carol@example.org"},
		{Fates: []policy.Fate{policy.Accepted}},
		{Session: "session2"},
		{Client: netip.MustParsePrefix("2001:db8::/32")},
		{Recipient: "@example.org", Kind: record.Messages},
	} {
		if p := b.search(q); len(p.Entries) != 1 || p.Entries[0].Message == nil {
			t.Errorf("%+v: %+v", q, p)
		}
	}
}
