package contract

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/trace"
)

// testChanges writes rows of the audit and asks for them.
func testChanges(t *testing.T, open Open) {
	s := open(t, Options{Clock: at(begin.Add(time.Hour))})
	changes := []record.Change{
		{
			Host: "mx1.example.org", Time: begin, Operation: "block/add", Person: policy.Person{Name: "root", UID: 0, From: "control socket"},
			Why: "flood of =spam", Until: begin.Add(2 * time.Hour), Changes: []policy.Alteration{{What: "192.0.2.1", After: "blocked by root"}},
		},
		{Host: "mx1.example.org", Time: begin.Add(time.Minute), Operation: "block/rm", Person: policy.Person{Name: "anna", UID: 1000, From: "console"}},
		{Host: "mx2.example.org", Time: begin.Add(2 * time.Minute), Operation: "reload", Person: policy.Person{Name: "root", From: "control socket"}, Err: "main.conf:3: --limit-max"},
	}
	if err := s.Write(t.Context(), []record.Entry{decision("mw-beside", begin)}, changes); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		query record.ChangeQuery
		found []int
	}{
		{"all", record.ChangeQuery{}, []int{2, 1, 0}},
		{"since", record.ChangeQuery{Since: begin.Add(time.Minute)}, []int{2, 1}},
		{"until", record.ChangeQuery{Until: begin.Add(time.Minute)}, []int{0}},
		{"operation", record.ChangeQuery{Operation: "block/rm"}, []int{1}},
		{"group", record.ChangeQuery{Operation: "block"}, []int{1, 0}},
		{"no group", record.ChangeQuery{Operation: "temp"}, nil},
		{"by", record.ChangeQuery{By: "root"}, []int{2, 0}},
		{"text", record.ChangeQuery{Text: "FLOOD of"}, []int{0}},
		{"text of an alteration", record.ChangeQuery{Text: "192.0.2."}, []int{0}},
		{"limit", record.ChangeQuery{Limit: 1}, []int{2}},
		{"before", record.ChangeQuery{Before: changes[2].Position, Limit: 1}, []int{1}},
		{"all of it", record.ChangeQuery{By: "root", Operation: "reload", Text: "limit", Since: begin}, []int{2}},
	} {
		got, err := s.Changes(t.Context(), tt.query)
		if err != nil {
			t.Fatal(err)
		}
		var wanted []record.Change
		for _, i := range tt.found {
			wanted = append(wanted, changes[i])
		}
		if fmt.Sprint(got) != fmt.Sprint(wanted) {
			t.Errorf("%s:\n%+v\nwant\n%+v", tt.name, got, wanted)
		}
	}
	got, err := s.Changes(t.Context(), record.ChangeQuery{Operation: "block/add"})
	if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], changes[0]) {
		t.Errorf("%+v, %v; want %+v", got, err, changes[0])
	}
}

// testDelete takes out an address, and nothing else.
func testDelete(t *testing.T, open Open) {
	s := open(t, Options{Clock: at(begin.Add(time.Hour))})
	const person = "Person@Example.org"
	day := 0
	put := func(entries ...record.Entry) {
		write(t, s, entries...)
		day++
	}
	put(
		decision("mw-sender", begin, func(e *policy.Event) { e.Sender = "person@example.org" }),
		decision("mw-rcpt", begin, func(e *policy.Event) { e.Recipients = []string{"bob@example.org", "PERSON@example.org"} }),
		decision("mw-extension", begin, func(e *policy.Event) { e.Recipients = []string{"person+news@example.org"} }),
		decision("mw-login", begin, func(e *policy.Event) { e.Login = "person@example.org" }),
		decision("mw-cause", begin, func(e *policy.Event) { e.Cause = "the sender <person@example.org>, is blocked" }),
		decision("mw-query", begin, func(e *policy.Event) {
			e.Trace = []trace.Query{{Question: "ldap:users person@example.org?", Answer: "not found"}}
		}),
		decision("mw-from", begin, func(e *policy.Event) { e.From = `"A Person" <person@example.org>` }),
		decision("mw-longer", begin, func(e *policy.Event) { e.Sender = "another.person@example.org" }),
		decision("mw-other", begin, func(e *policy.Event) { e.Sender = "person@example.organisation" }),
		decision("mw-domain", begin, func(e *policy.Event) { e.Sender = "person@sub.example.org" }),
	)
	put(
		message("s-sender", begin, func(m *policy.Transaction) { m.Sender = "person@example.org" }),
		message("s-rcpt", begin, func(m *policy.Transaction) { recipients(m, "inbound", "bob@example.org", "person@example.org") }),
		message("s-other", begin),
	)
	first := decision("mw-summed", begin, func(e *policy.Event) { e.Recipients = []string{"person@example.org"} })
	put(first)
	put(sum(first, 9, "person@example.org", "bob@example.org"))
	change := record.Change{
		Time: begin, Operation: "managed/add", Person: policy.Person{Name: "person@example.org", From: "console"}, Why: "person@example.org person@example.org asked for it",
		Changes: []policy.Alteration{{What: "permit alice@example.com for person@example.org", After: "by person@example.org"}},
	}
	if err := s.Write(t.Context(), nil, []record.Change{change}); err != nil {
		t.Fatal(err)
	}
	const gone = 10
	if n, err := s.Delete(t.Context(), person); err != nil || n != gone {
		t.Errorf("%d entries deleted, %v; want %d", n, err, gone)
	}
	want(t, "what is left", search(t, s, record.Query{Forward: true}), "mw-longer", "mw-other", "mw-domain", "s-other")
	want(t, "by text", search(t, s, record.Query{Text: "<person@example.org>"}))
	want(t, "by recipient", search(t, s, record.Query{Recipient: person}))
	if x, err := s.Extent(t.Context()); err != nil || x.Entries != 4 {
		t.Errorf("%d entries are left, %v", x.Entries, err)
	}
	changes, err := s.Changes(t.Context(), record.ChangeQuery{})
	if err != nil || len(changes) != 1 {
		t.Fatalf("%+v, %v", changes, err)
	}
	if all := fmt.Sprintf("%+v", changes[0]); strings.Contains(strings.ToLower(all), "person@example.org") || !strings.Contains(all, "sha256:") || !strings.Contains(all, "permit alice@example.com") {
		t.Errorf("the audit has %s", all)
	}
	if n, err := s.Delete(t.Context(), person); err != nil || n != 0 {
		t.Errorf("again: %d entries deleted, %v", n, err)
	}
}
