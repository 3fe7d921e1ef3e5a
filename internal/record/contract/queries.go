package contract

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record"
)

// library has entries that differ in everything that is asked for, the oldest first.
func library() []record.Entry {
	minute := func(n int) time.Time { return begin.Add(time.Duration(n) * time.Minute) }
	return []record.Entry{
		decision("mw-plain000", minute(1)),
		decision("mw-greylst1", minute(2), func(e *policy.Event) {
			e.Check, e.Action, e.Line = "waiting", policy.ActionDeferred, reply(451, "4.7.1")
			e.Sender, e.Recipients, e.Count = "Carol@Sub.Example.NET", []string{"dave@example.org", "erin@example.org"}, 2
			e.Client, e.QueueID, e.MessageID = netip.MustParseAddr("192.0.2.77"), "4ZqT2x0000zB", "<first@example.net>"
		}),
		decision("mw-monitor2", minute(3), func(e *policy.Event) {
			e.Mode, e.Action, e.Session, e.Transaction = policy.Monitor, policy.ActionWould, "s-shared", 2
			e.Client, e.Sender = netip.MustParseAddr("2001:db8:1:2::7"), ""
		}),
		decision("mw-login003", minute(4), func(e *policy.Event) {
			e.Check, e.Login, e.Service, e.Direction = "accounts", "Frank@Example.ORG", policy.Submission, "outbound"
			e.Sender, e.Recipients = "frank@example.org", []string{"gina@elsewhere.example"}
			e.Host = "mx2.example.org"
		}),
		decision("mw-noclient", minute(5), func(e *policy.Event) {
			e.Check, e.Action, e.Line, e.HasSender, e.Sender = "busy", policy.ActionDeferred, reply(421, "4.3.2"), false, ""
			e.Client, e.Recipients, e.Count, e.Direction = netip.Addr{}, nil, 0, ""
		}),
		message("s-accepted", minute(6), func(m *policy.Transaction) { m.QueueID, m.MessageID = "4ZqT3x0000zC", "<second@example.net>" }),
		message("s-refused", minute(7), func(m *policy.Transaction) {
			m.Fate, m.Check, m.Event, m.Client = policy.Refused, "listed", "mw-plain000", netip.MustParseAddr("198.51.100.9")
			recipients(m, "inbound", "bob@example.org", "erin@example.org")
		}),
		message("s-shared", minute(8), func(m *policy.Transaction) {
			m.Number, m.Sender = 3, ""
			m.Recipients = []policy.RecipientOutcome{
				{Recipient: "Hans@Bücher.example", Direction: "outbound", Outcome: policy.Outcome{Fate: policy.RefusedByMTA}},
				{Recipient: "bob@example.org", Direction: "internal"},
			}
			m.Service, m.Login, m.RecipientCount = policy.Submission, "frank@example.org", 2
		}),
		message("s-lost", minute(9), func(m *policy.Transaction) {
			m.Fate, m.Recipients, m.RecipientCount, m.Host = policy.Lost, nil, 0, "mx2.example.org"
		}),
	}
}

func reply(code int, enhanced string) policy.Line {
	r := policy.Reply{ID: "other", Row: "T1", Code: code, Enhanced: enhanced, Text: "try again later"}
	return policy.Object(&r).Line(&r, policy.Enforce)
}

// fieldQueries are queries by one field each, with what they find in the library.
func fieldQueries() []struct {
	name  string
	query record.Query
	found []string
} {
	all := []string{"mw-plain000", "mw-greylst1", "mw-monitor2", "mw-login003", "mw-noclient", "s-accepted", "s-refused", "s-shared", "s-lost"}
	net := netip.MustParsePrefix
	return []struct {
		name  string
		query record.Query
		found []string
	}{
		{"nothing", record.Query{}, all},
		{"since", record.Query{Since: begin.Add(4 * time.Minute)}, all[3:]},
		{"until", record.Query{Until: begin.Add(4 * time.Minute)}, all[:3]},
		{"decisions", record.Query{Kind: record.Decisions}, all[:5]},
		{"messages", record.Query{Kind: record.Messages}, all[5:]},
		{"id", record.Query{IDs: []string{"MW-Greylst1"}}, []string{"mw-greylst1"}},
		{"several ids", record.Query{IDs: []string{"mw-noclient", "mw-00000000", "mw-plain000"}}, []string{"mw-plain000", "mw-noclient"}},
		{"session", record.Query{Session: "s-shared"}, []string{"mw-monitor2", "s-shared"}},
		{"session and transaction", record.Query{Session: "s-shared", Transaction: 3}, []string{"s-shared"}},
		{"queue id", record.Query{QueueID: "4ZqT2x0000zB"}, []string{"mw-greylst1"}},
		{"message id", record.Query{MessageID: "<second@example.net>"}, []string{"s-accepted"}},
		{"message id without brackets", record.Query{MessageID: "first@example.net"}, []string{"mw-greylst1"}},
		{"host", record.Query{Host: "mx2.example.org"}, []string{"mw-login003", "s-lost"}},
		{"client", record.Query{Client: net("192.0.2.77/32")}, []string{"mw-greylst1"}},
		{"client's net", record.Query{Client: net("192.0.2.0/24")}, []string{"mw-plain000", "mw-greylst1", "mw-login003", "s-accepted", "s-shared", "s-lost"}},
		{"client's half", record.Query{Client: net("192.0.2.64/26")}, []string{"mw-greylst1"}},
		{"client's wide net", record.Query{Client: net("192.0.0.0/8")}, []string{"mw-plain000", "mw-greylst1", "mw-login003", "s-accepted", "s-shared", "s-lost"}},
		{"IPv6", record.Query{Client: net("2001:db8:1:2::7/128")}, []string{"mw-monitor2"}},
		{"IPv6 /64", record.Query{Client: net("2001:db8:1:2::/64")}, []string{"mw-monitor2"}},
		{"IPv6 /32", record.Query{Client: net("2001:db8::/32")}, []string{"mw-monitor2"}},
		{"any IPv4", record.Query{Client: net("0.0.0.0/0")}, []string{"mw-plain000", "mw-greylst1", "mw-login003", "s-accepted", "s-refused", "s-shared", "s-lost"}},
		{"sender", record.Query{Sender: "carol@sub.example.net"}, []string{"mw-greylst1"}},
		{"sender's domain", record.Query{Sender: "@EXAMPLE.com"}, []string{"mw-plain000", "s-accepted", "s-refused", "s-lost"}},
		{"null sender", record.Query{Sender: "<>"}, []string{"mw-monitor2", "s-shared"}},
		{"a recipient", record.Query{Recipient: "Erin@Example.org"}, []string{"mw-greylst1", "s-refused"}},
		{"recipient's domain", record.Query{Recipient: "@elsewhere.example"}, []string{"mw-login003"}},
		{"recipient's domain in its own letters", record.Query{Recipient: "@bücher.example"}, []string{"s-shared"}},
		{"recipient's domain as A-label", record.Query{Recipient: "hans@xn--bcher-kva.example"}, []string{"s-shared"}},
		{"login", record.Query{Login: "FRANK@example.org"}, []string{"mw-login003", "s-shared"}},
		{"check", record.Query{Checks: []string{"listed"}}, []string{"mw-plain000", "mw-monitor2", "s-refused"}},
		{"several checks", record.Query{Checks: []string{"accounts", "waiting"}}, []string{"mw-greylst1", "mw-login003"}},
		{"not check", record.Query{NotChecks: []string{"listed", "busy"}}, []string{"mw-greylst1", "mw-login003", "s-accepted", "s-shared", "s-lost"}},
		{"mode", record.Query{Modes: []policy.Mode{policy.Monitor}}, []string{"mw-monitor2"}},
		{"action", record.Query{Actions: []policy.Action{policy.ActionDeferred, policy.ActionWould}}, []string{"mw-greylst1", "mw-monitor2", "mw-noclient"}},
		{"fate", record.Query{Fates: []policy.Fate{policy.Refused}}, []string{"s-refused"}},
		{"fate of a recipient", record.Query{Fates: []policy.Fate{policy.RefusedByMTA, policy.Lost}}, []string{"s-shared", "s-lost"}},
		{"action or fate", record.Query{Actions: []policy.Action{policy.ActionRefused}, Fates: []policy.Fate{policy.Refused}}, []string{"mw-plain000", "mw-login003", "s-refused"}},
		{"code", record.Query{Code: "451"}, []string{"mw-greylst1"}},
		{"class", record.Query{Code: "4XX"}, []string{"mw-greylst1", "mw-noclient"}},
		{"service", record.Query{Service: policy.Submission}, []string{"mw-login003", "s-shared"}},
		{"direction", record.Query{Direction: "outbound"}, []string{"mw-login003", "s-shared"}},
		{"one of two directions", record.Query{Direction: "internal"}, []string{"s-shared"}},
		{"text", record.Query{Text: "LIST.EXAMPLE"}, []string{"mw-plain000", "mw-greylst1", "mw-monitor2", "mw-login003", "mw-noclient"}},
		{"own", record.Query{Own: []string{"dave@example.org", "BOB@example.org"}}, []string{"mw-plain000", "mw-greylst1", "mw-monitor2", "s-accepted", "s-refused", "s-shared"}},
		{"own, of nobody", record.Query{Own: []string{}}, nil},
		{"own domains", record.Query{OwnDomains: []string{"bücher.example", "elsewhere.example"}}, []string{"mw-login003", "s-shared"}},
		{"own domains, of nobody", record.Query{OwnDomains: []string{}}, nil},
	}
}

// testQueries looks for the library's entries by each field, and by each two, by turns newest first
// and oldest first.
func testQueries(t *testing.T, open Open) {
	s := open(t, Options{Clock: at(begin.Add(time.Hour))})
	for _, e := range library() { // each in a commit of its own
		write(t, s, e)
	}
	fields := fieldQueries()
	for i, one := range fields {
		for j, other := range fields[i:] {
			q, fits := both(one.query, other.query)
			if !fits {
				continue
			}
			wanted := []string{}
			for _, n := range one.found {
				if slices.Contains(other.found, n) {
					wanted = append(wanted, n)
				}
			}
			what := one.name + " and " + other.name
			if q.Forward = (i+j)%2 == 0; !q.Forward {
				slices.Reverse(wanted)
			}
			want(t, fmt.Sprintf("%s, oldest first: %v", what, q.Forward), search(t, s, q), wanted...)
		}
	}
}

// both joins two queries, if no field is in both of them. What is neither action nor fate alone
// means something else beside the other.
func both(a, b record.Query) (q record.Query, fits bool) {
	q = a
	fits = true
	join := func(set bool, taken bool, take func()) {
		if set && taken {
			fits = false
		}
		if set {
			take()
		}
	}
	join(!b.Since.IsZero(), !a.Since.IsZero(), func() { q.Since = b.Since })
	join(!b.Until.IsZero(), !a.Until.IsZero(), func() { q.Until = b.Until })
	join(b.Kind != 0, a.Kind != 0, func() { q.Kind = b.Kind })
	join(b.IDs != nil, a.IDs != nil, func() { q.IDs = b.IDs })
	join(b.Session != "", a.Session != "", func() { q.Session = b.Session })
	join(b.Transaction != 0, a.Transaction != 0, func() { q.Transaction = b.Transaction })
	join(b.QueueID != "", a.QueueID != "", func() { q.QueueID = b.QueueID })
	join(b.MessageID != "", a.MessageID != "", func() { q.MessageID = b.MessageID })
	join(b.Host != "", a.Host != "", func() { q.Host = b.Host })
	join(b.Client.IsValid(), a.Client.IsValid(), func() { q.Client = b.Client })
	join(b.Sender != "", a.Sender != "", func() { q.Sender = b.Sender })
	join(b.Recipient != "", a.Recipient != "", func() { q.Recipient = b.Recipient })
	join(b.Login != "", a.Login != "", func() { q.Login = b.Login })
	join(b.Checks != nil, a.Checks != nil, func() { q.Checks = b.Checks })
	join(b.NotChecks != nil, a.NotChecks != nil, func() { q.NotChecks = b.NotChecks })
	join(b.Modes != nil, a.Modes != nil, func() { q.Modes = b.Modes })
	decided := func(q record.Query) bool { return q.Actions != nil || q.Fates != nil }
	join(decided(b), decided(a), func() { q.Actions, q.Fates = b.Actions, b.Fates })
	join(b.Code != "", a.Code != "", func() { q.Code = b.Code })
	join(b.Service != "", a.Service != "", func() { q.Service = b.Service })
	join(b.Direction != "", a.Direction != "", func() { q.Direction = b.Direction })
	join(b.Text != "", a.Text != "", func() { q.Text = b.Text })
	own := func(q record.Query) bool { return q.Own != nil || q.OwnDomains != nil }
	join(own(b), own(a), func() { q.Own, q.OwnDomains = b.Own, b.OwnDomains })
	return q, fits
}

// testPages walks through entries of which many have the same time.
func testPages(t *testing.T, open Open) {
	now := &clock{begin}
	s := open(t, Options{Clock: now.Now})
	var all []string
	for batch := range 4 {
		var entries []record.Entry
		for i := range 25 {
			id := fmt.Sprintf("mw-%d-%02d", batch, i)
			entries, all = append(entries, decision(id, begin)), append(all, id)
		}
		write(t, s, entries...)
		if batch == 1 {
			now.now = now.now.Add(24 * time.Hour) // the rest stands in the next day
		}
	}
	for _, limit := range []int{9, 50, 100, 101} {
		for _, forward := range []bool{true, false} {
			wanted := slices.Clone(all)
			if !forward {
				slices.Reverse(wanted)
			}
			if got := walk(t, s, record.Query{Recipient: "bob@example.org"}, limit, forward); !slices.Equal(got, wanted) {
				t.Errorf("by recipient, pages of %d, forward %v: %v", limit, forward, got)
			}
			if got := walk(t, s, record.Query{}, limit, forward); !slices.Equal(got, wanted) {
				t.Errorf("pages of %d, forward %v: %v", limit, forward, got)
			}
		}
	}
	page := search(t, s, record.Query{Forward: true, Limit: 100})
	middle := page.Entries[50].Position
	want(t, "the three before one", search(t, s, record.Query{Before: middle, Limit: 3}), all[49], all[48], all[47])
	want(t, "the three after one", search(t, s, record.Query{After: middle, Limit: 3, Forward: true}), all[51], all[52], all[53])
	want(t, "the newest after one", search(t, s, record.Query{After: middle, Limit: 2}), all[99], all[98])
	want(t, "between two", search(t, s, record.Query{After: page.Entries[9].Position, Before: page.Entries[12].Position}), all[11], all[10])
	if got := search(t, s, record.Query{}); len(got.Entries) != record.DefaultLimit || !got.More {
		t.Errorf("%d entries without a limit, more: %v", len(got.Entries), got.More)
	}
}

// walk reads all pages.
func walk(t *testing.T, s record.Reader, q record.Query, limit int, forward bool) (list []string) {
	t.Helper()
	q.Limit, q.Forward = limit, forward
	for range 1000 {
		page := search(t, s, q)
		list = append(list, names(page)...)
		if !page.More {
			return list
		}
		if last := page.Entries[len(page.Entries)-1].Position; forward {
			q.After = last
		} else {
			q.Before = last
		}
	}
	t.Fatal("the pages have no end")
	return nil
}

// testAll goes through everything by [record.All], also where each look takes long.
func testAll(t *testing.T, open Open) {
	now := &clock{begin}
	slow := time.Duration(0)
	s := open(t, Options{Clock: func() time.Time {
		now.now = now.now.Add(slow)
		return now.now
	}})
	var all []string
	for day := range 3 {
		now.now = begin.Add(time.Duration(day) * 24 * time.Hour)
		var batch []record.Entry
		for i := range 700 {
			id := fmt.Sprintf("mw-%d-%04d", day, i)
			batch, all = append(batch, decision(id, now.now)), append(all, id)
		}
		write(t, s, batch...)
	}
	for _, tt := range []struct {
		forward bool
		slow    time.Duration
	}{{true, 15 * time.Second}, {false, 0}} {
		slow = tt.slow
		var got []string
		for e, err := range record.All(t.Context(), s, record.Query{Checks: []string{"listed"}, Forward: tt.forward}) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, name(e))
		}
		if !tt.forward {
			slices.Reverse(got)
		}
		if !slices.Equal(got, all) {
			t.Errorf("%+v: %d entries, want %d", tt, len(got), len(all))
		}
	}
	for range record.All(t.Context(), s, record.Query{}) {
		break // and no more is asked
	}
}
