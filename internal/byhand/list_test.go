package byhand

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/entry"
	"mailweir/internal/policy"
	"mailweir/internal/state"
	"mailweir/internal/trace"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// clock is one that a test moves.
type clock struct{ now time.Time }

func (c *clock) time() time.Time { return c.now }

func newBackends() (*policy.Backends, *clock) {
	c := &clock{noon}
	return &policy.Backends{State: state.NewMemory(c.time, 1000), Clock: c.time}, c
}

func (c *clock) call(b *policy.Backends, life time.Duration) *policy.Call {
	return &policy.Call{Backends: b, By: policy.Person{Name: "root"}, Why: "why", For: life}
}

func put(t *testing.T, b *policy.Backends, c *clock, kind Kind, word string, life time.Duration) {
	t.Helper()
	s, err := ParseSubject(word)
	if err == nil {
		err = enter(t.Context(), c.call(b, life), kind, s)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The most specific entry is found, as long as it lives, and after every change.
func TestList(t *testing.T) {
	b, c := newBackends()
	l := NewList(b, Block)
	sender := func(a, want string) {
		t.Helper()
		e, err := l.Sender(t.Context(), address.Parse(a), "+")
		if err != nil || e == nil && want != "" || e != nil && e.Subject.String() != want {
			t.Errorf("%s: %v, %v, want %q", a, e, err, want)
		}
	}
	client := func(a, want string) {
		t.Helper()
		e, err := l.Client(t.Context(), netip.MustParseAddr(a))
		if err != nil || e == nil && want != "" || e != nil && e.Subject.String() != want {
			t.Errorf("%s: %v, %v, want %q", a, e, err, want)
		}
	}
	sender("a@spam.example", "")
	client("192.0.2.1", "")
	if l.HasSenders(t.Context()) || l.HasClients(t.Context()) {
		t.Error("an empty list has something")
	}
	for _, word := range []string{"spam.example", "bob@sub.spam.example", "192.0.2.0/24", "192.0.2.7", "2001:db8::/32", "0.0.0.0/0"} {
		put(t, b, c, Block, word, 0)
	}
	put(t, b, c, Block, "short.example", time.Hour)
	put(t, b, c, Permit, "other.example", 0)
	for a, want := range map[string]string{
		"a@spam.example": "spam.example", "A@SPAM.example.": "spam.example", "a@sub.spam.example": "spam.example",
		"bob+x@sub.spam.example": "bob@sub.spam.example", "a@notspam.example": "", "a@short.example": "short.example", "": "", "spam.example": "", "a@other.example": "",
	} {
		sender(a, want)
	}
	for a, want := range map[string]string{
		"192.0.2.1": "192.0.2.0/24", "192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "198.51.100.1": "0.0.0.0/0", "2001:db8:1::1": "2001:db8::/32", "2001:db9::1": "",
	} {
		client(a, want)
	}
	c.now = c.now.Add(time.Hour)
	sender("a@short.example", "")
	if err := takeBack(t.Context(), c.call(b, 0), Block, Subject{Sender: "spam.example"}, errors.New("absent")); err != nil {
		t.Fatal(err)
	}
	sender("a@spam.example", "")
}

// Nothing is known as long as the state has never been read; what was known stays.
func TestListOutage(t *testing.T) {
	b, c := newBackends()
	away := &failing{Store: b.State}
	b.State = away
	put(t, b, c, Permit, "spam.example", 0)
	away.err = state.ErrDown
	l := NewList(b, Permit)
	if _, err := l.Sender(t.Context(), address.Parse("a@spam.example"), ""); !errors.Is(err, state.ErrUnread) || !errors.Is(err, state.ErrDown) {
		t.Errorf("never read: %v", err)
	}
	if !l.HasSenders(t.Context()) || !l.HasClients(t.Context()) {
		t.Error("never read, and yet there is surely nothing")
	}
	away.err = nil
	find := func(a string, found bool) {
		t.Helper()
		if e, err := l.Sender(t.Context(), address.Parse(a), ""); err != nil || (e != nil) != found {
			t.Errorf("%s: %v, %v, want %v", a, e, err, found)
		}
	}
	find("a@spam.example", true)
	put(t, b, c, Permit, "other.example", 0)
	away.err = state.ErrDown
	find("a@spam.example", true)
	find("a@other.example", false)
	away.err = nil
	find("a@other.example", true)
}

// failing is a store that cannot be listed now.
type failing struct {
	state.Store
	err error
}

func (f *failing) List(ctx context.Context, prefix, after string, limit int) ([]state.Entry, error) {
	if f.err != nil {
		return nil, f.err
	}
	return f.Store.List(ctx, prefix, after, limit)
}

// What was found is found again when the mail is judged once more, and nothing else.
func TestListRecorded(t *testing.T) {
	b, c := newBackends()
	put(t, b, c, Block, "spam.example", time.Hour)
	put(t, b, c, Block, "192.0.2.0/24", 0)
	put(t, b, c, Block, "other.example", 0)
	var asked trace.Trace
	kept := new(trace.Log)
	asked.To(kept)
	traced := trace.With(t.Context(), &asked)
	l := NewList(b, Block)
	for _, a := range []string{"a@sub.spam.example", "a@unlisted.example"} {
		if _, err := l.Sender(traced, address.Parse(a), ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Client(traced, netip.MustParseAddr("192.0.2.9")); err != nil {
		t.Fatal(err)
	}
	_, answers, _ := trace.Sum(kept)
	then := NewList(&policy.Backends{Recorded: true, State: state.NewRecorded(answers, trace.ErrNotRecorded, c.time), Clock: c.time}, Block)
	for a, want := range map[string]string{"a@sub.spam.example": "spam.example", "a@other.example": ""} {
		e, err := then.Sender(t.Context(), address.Parse(a), "")
		if err != nil || e == nil && want != "" || e != nil && (e.Subject.String() != want || e.By != "root") {
			t.Errorf("%s: %v, %v, want %q", a, e, err, want)
		}
	}
	for a, want := range map[string]string{"192.0.2.9": "192.0.2.0/24", "192.0.3.9": "", "2001:db8::1": ""} {
		e, err := then.Client(t.Context(), netip.MustParseAddr(a))
		if err != nil || e == nil && want != "" || e != nil && e.Subject.String() != want {
			t.Errorf("%s: %v, %v, want %q", a, e, err, want)
		}
	}
}

// Where the record has not all, it has the entry that acted, or nobody knows whether one did.
func TestListRecordedInPart(t *testing.T) {
	b, c := newBackends()
	put(t, b, c, Block, "spam.example", 0)
	var asked trace.Trace
	var kept trace.Log
	asked.To(&kept)
	if _, err := NewList(b, Block).Sender(trace.With(t.Context(), &asked), address.Parse("a@spam.example"), ""); err != nil {
		t.Fatal(err)
	}
	_, answers, _ := trace.Sum(&kept)
	then := NewList(&policy.Backends{Recorded: true, State: state.NewRecorded(answers, trace.ErrLeftOut, c.time), Clock: c.time}, Block)
	if e, err := then.Sender(t.Context(), address.Parse("a@sub.spam.example"), ""); e == nil || err != nil {
		t.Errorf("an entry that is there: %v, %v", e, err)
	}
	if e, err := then.Sender(t.Context(), address.Parse("a@other.example"), ""); e != nil || !errors.Is(err, trace.ErrLeftOut) {
		t.Errorf("one that may have been: %v, %v", e, err)
	}
}

func TestNarrower(t *testing.T) {
	of := func(word string) *Entry {
		s, err := ParseSubject(word)
		if err != nil {
			t.Fatal(err)
		}
		return &Entry{Subject: s}
	}
	for _, tt := range []struct {
		one, other string
		want       bool
	}{
		{"boss@spam.example", "spam.example", true},
		{"spam.example", "boss@spam.example", false},
		{"a.b.spam.example", "spam.example", true},
		{"spam.example", "spam.example", false},
		{"boss@spam.example", "boss@spam.example", false},
		{"boss+x@spam.example", "boss@spam.example", true},
		{"192.0.2.7", "192.0.2.0/24", true},
		{"192.0.2.0/24", "192.0.2.7", false},
		{"192.0.2.0/24", "192.0.2.0/24", false},
	} {
		if got := of(tt.one).Narrower(of(tt.other)); got != tt.want {
			t.Errorf("%s narrower than %s: %v", tt.one, tt.other, got)
		}
	}
	for key, want := range map[string]bool{"boss@spam.example": true, "mx.spam.example": true, ".spam.example": false, "spam.example": false, "example": false} {
		if got := LessThan(key, of("spam.example")); got != want {
			t.Errorf("key %s less than spam.example: %v", key, got)
		}
	}
	if LessThan("boss@spam.example", of("boss@spam.example")) {
		t.Error("a key is less than an address")
	}
}

func TestEntryCause(t *testing.T) {
	e := &Entry{Subject: Subject{Sender: "spam.example"}, Origin: entry.Origin{By: "root", At: noon, Note: "n"}, Until: noon.Add(time.Hour)}
	want := `"spam.example" is blocked until 2026-11-23 13:00:00, by root (uid 0) on 2026-11-23 12:00:00: n`
	if got := e.Cause("blocked"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
