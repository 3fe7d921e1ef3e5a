package contract

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record"
)

// testWrite reads what was written, field by field, from another batch each.
func testWrite(t *testing.T, open Open) {
	now := &clock{begin.Add(time.Hour)}
	s := open(t, Options{Clock: now.Now})
	if err := s.Write(t.Context(), nil, nil); err != nil {
		t.Errorf("nothing: %v", err)
	}
	if page := search(t, s, record.Query{}); len(page.Entries) != 0 || page.More {
		t.Errorf("an empty record has %v", names(page))
	}
	if x, err := s.Extent(t.Context()); err != nil || !x.Oldest.IsZero() || x.Entries != 0 {
		t.Errorf("the extent of an empty record: %+v, %v", x, err)
	}
	var last record.Position
	for _, e := range library() {
		written := write(t, s, e)[0]
		if written.Position <= last {
			t.Errorf("%s stands at %d, after %d", name(e), written.Position, last)
		}
		last = written.Position
		if got := last.Time(); got.Before(now.now) || got.Sub(now.now) > time.Second {
			t.Errorf("%s stands at %v, it was written at %v", name(e), got, now.now)
		}
		page := search(t, s, record.Query{Limit: 1})
		if len(page.Entries) != 1 {
			t.Fatalf("%s is not the newest", name(e))
		}
		same(t, page.Entries[0], written)
	}
	x, err := s.Extent(t.Context())
	if err != nil || x.Oldest.Before(begin) || x.Oldest.After(now.now) || x.Newest.Before(begin.Add(9*time.Minute)) || x.Entries != 9 || x.Octets <= 0 {
		t.Errorf("extent %+v, %v", x, err)
	}
	if len(x.Days) != 1 || !x.Days[0].Date.Equal(begin.Truncate(24*time.Hour)) || x.Days[0].Entries != 9 {
		t.Errorf("days %+v", x.Days)
	}
}

// same compares entries as their JSON has them: offences have none. Times are kept to the
// microsecond.
func same(t *testing.T, got, wanted record.Entry) {
	t.Helper()
	if g, w := text(t, got), text(t, wanted); g != w || got.Position != wanted.Position {
		t.Errorf("at %d:\n%s\nwant, at %d,\n%s", got.Position, g, wanted.Position, w)
	}
}

func text(t *testing.T, e record.Entry) string {
	t.Helper()
	v := any(e.Message)
	if e.Event != nil {
		v = e.Event
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// sum makes the sum of an event, as package events does.
func sum(first record.Entry, times int, recipients ...string) record.Entry {
	e := *first.Event
	e.Recipients, e.Count, e.Cause = recipients, len(recipients), e.Cause+"; and others"
	e.Dedup = &policy.Dedup{
		Alike: policy.AlikeClient, Times: times, Last: e.Time.Add(time.Minute), Clients: []netip.Addr{client}, ClientCount: 1,
		Senders: []string{"alice@example.com", "zoe@example.com"}, SenderCount: 2,
	}
	return record.Entry{Event: &e}
}

// testSums has sums take the places of their firsts: in the same batch, in a later one, and over
// midnight.
func testSums(t *testing.T, open Open) {
	midnight := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	now := &clock{midnight.Add(-30 * time.Second)}
	s := open(t, Options{Clock: now.Now})
	early := decision("mw-Early000", now.now)
	write(t, s, early, decision("mw-beside0", now.now))
	now.now = now.now.Add(40 * time.Second)
	whole := sum(early, 12, "bob@example.org", "new@example.org", "other@elsewhere.example")
	write(t, s, decision("mw-later00", now.now), whole)
	batch := decision("mw-batch00", now.now)
	write(t, s, batch, sum(batch, 3, "bob@example.org", "new@example.org"))
	write(t, s, sum(decision("mw-alone00", now.now), 5, "bob@example.org")) // its first was lost

	page := search(t, s, record.Query{Forward: true})
	want(t, "all", page, "mw-Early000", "mw-beside0", "mw-later00", "mw-batch00", "mw-alone00")
	for i, times := range map[int]int{0: 12, 3: 3, 4: 5} {
		if d := page.Entries[i].Event.Dedup; d == nil || d.Times != times {
			t.Errorf("%s has the sum %+v", name(page.Entries[i]), d)
		}
	}
	got, wanted := page.Entries[0], whole
	wanted.Position = got.Position
	same(t, got, wanted)
	want(t, "by a recipient of the sum", search(t, s, record.Query{Recipient: "new@example.org"}), "mw-batch00", "mw-Early000")
	want(t, "by one of the first", search(t, s, record.Query{Recipient: "bob@example.org", IDs: []string{"mw-early000"}}), "mw-Early000")
	want(t, "by a domain of the sum", search(t, s, record.Query{Recipient: "@elsewhere.example"}), "mw-Early000")
	if x, err := s.Extent(t.Context()); err != nil || x.Entries != 5 {
		t.Errorf("%d entries, %v", x.Entries, err)
	}
	counts, err := s.Counts(t.Context(), time.Time{}, time.Time{}, 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, c := range counts {
		total += c.N
	}
	if total != 12+1+1+3+5 {
		t.Errorf("%d decisions are counted: %+v", total, counts)
	}
}

// testCounts reads the rollup.
func testCounts(t *testing.T, open Open) {
	s := open(t, Options{Clock: at(begin.Add(2 * time.Hour))})
	write(t, s, library()...)
	write(t, s, decision("", begin.Add(time.Minute+59*time.Second)), decision("", begin.Add(2*time.Minute)), decision("", begin.Add(70*time.Minute)))
	read := func(since, until time.Time, bucket time.Duration) (list []string) {
		counts, err := s.Counts(t.Context(), since, until, bucket)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range counts {
			what := c.Action.String() + " " + c.Mode.String()
			if c.Kind == record.Messages {
				what = c.Fate.String()
			}
			list = append(list, fmt.Sprintf("%s %s %s %d", c.Time.UTC().Format("15:04"), c.Check, what, c.N))
		}
		slices.Sort(list)
		return list
	}
	for _, tt := range []struct {
		name         string
		since, until time.Time
		bucket       time.Duration
		want         []string
	}{
		{"all, by hour", time.Time{}, time.Time{}, time.Hour, []string{
			"09:00  accepted 2", "09:00  lost 1", "09:00 accounts refused enforce 1", "09:00 waiting deferred enforce 1",
			"09:00 busy deferred enforce 1", "09:00 listed refused 1", "09:00 listed refused enforce 3", "09:00 listed would_refuse monitor 1",
			"10:00 listed refused enforce 1",
		}},
		{"by minute", begin, begin.Add(3 * time.Minute), time.Minute, []string{
			"09:01 listed refused enforce 2", "09:02 waiting deferred enforce 1", "09:02 listed refused enforce 1",
		}},
		{"since within a bucket", begin.Add(61 * time.Minute), time.Time{}, time.Hour, []string{"10:00 listed refused enforce 1"}},
		{"by day", begin.Add(time.Hour), begin.Add(24 * time.Hour), 24 * time.Hour, []string{
			"00:00  accepted 2", "00:00  lost 1", "00:00 accounts refused enforce 1", "00:00 waiting deferred enforce 1",
			"00:00 busy deferred enforce 1", "00:00 listed refused 1", "00:00 listed refused enforce 4", "00:00 listed would_refuse monitor 1",
		}},
		{"none", begin.Add(2 * time.Hour), begin.Add(3 * time.Hour), time.Hour, nil},
	} {
		slices.Sort(tt.want)
		if got := read(tt.since, tt.until, tt.bucket); !slices.Equal(got, tt.want) {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
	}
}

// testRetention keeps days as long as they may be kept.
func testRetention(t *testing.T, open Open) {
	now := &clock{begin}
	s := open(t, Options{Clock: now.Now, For: 72 * time.Hour})
	for i := range 6 {
		now.now = begin.Add(time.Duration(i) * 24 * time.Hour)
		write(t, s, decision(fmt.Sprintf("mw-day%d", i), now.now))
		if err := s.Write(t.Context(), nil, []record.Change{{Time: now.now, Operation: "block/add"}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Retain(t.Context(), now.now); err != nil {
		t.Fatal(err)
	}
	// The day that ended three days before this moment is over, the next one is not.
	want(t, "after three days", search(t, s, record.Query{}), "mw-day5", "mw-day4", "mw-day3", "mw-day2")
	want(t, "by recipient", search(t, s, record.Query{Recipient: "bob@example.org"}), "mw-day5", "mw-day4", "mw-day3", "mw-day2")
	if changes, err := s.Changes(t.Context(), record.ChangeQuery{}); err != nil || len(changes) != 4 {
		t.Errorf("%d rows of the audit, %v", len(changes), err)
	}
	x, err := s.Extent(t.Context())
	if err != nil || len(x.Days) != 4 || !x.Oldest.Equal(begin.Add(48*time.Hour)) || x.Entries != 4 {
		t.Errorf("extent %+v, %v", x, err)
	}
	counts, err := s.Counts(t.Context(), time.Time{}, time.Time{}, 24*time.Hour)
	if err != nil || len(counts) != 4 {
		t.Errorf("counts %+v, %v", counts, err)
	}
	if err := s.Retain(t.Context(), now.now.Add(30*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	want(t, "after a month", search(t, s, record.Query{}))
	now.now = now.now.Add(30 * 24 * time.Hour)
	write(t, s, decision("mw-again", now.now))
	want(t, "and again", search(t, s, record.Query{}), "mw-again")
}

// testBounds fills days beyond what they may take.
func testBounds(t *testing.T, open Open) {
	const most = 8 << 20
	now := &clock{begin}
	s := open(t, Options{Clock: now.Now, Max: most})
	var random strings.Builder // that no store can compress
	for range 1250 {
		random.WriteString(policy.NewID())
	}
	padding := random.String()
	fill := func(batches int) {
		for range batches {
			var batch []record.Entry
			for range 20 {
				batch = append(batch, decision("", now.now, func(e *policy.Event) { e.Cause = padding }), message("s-"+policy.NewID(), now.now))
			}
			write(t, s, batch...)
		}
	}
	fill(3)
	before := len(search(t, s, record.Query{Kind: record.Messages, Limit: record.MaxLimit}).Entries)
	if before != 60 {
		t.Errorf("%d accepted messages are kept of 60", before)
	}
	fill(12)
	x, err := s.Extent(t.Context())
	if err != nil || len(x.Days) != 1 || x.Days[0].LeftOut == 0 || x.Days[0].Octets > most/4+most/8 {
		t.Fatalf("%+v, %v; want something left out and about a quarter of %d taken", x, err, most)
	}
	newest := search(t, s, record.Query{Limit: 20})
	for _, e := range newest.Entries {
		if e.Message != nil {
			t.Errorf("the accepted message %s is kept", name(e))
		}
	}
	for range 6 {
		now.now = now.now.Add(24 * time.Hour)
		fill(12)
	}
	if err := s.Retain(t.Context(), now.now); err != nil {
		t.Fatal(err)
	}
	x, err = s.Extent(t.Context())
	if err != nil || x.Octets > most || len(x.Days) < 2 || x.Days[0].Entries == 0 {
		t.Errorf("%d octets in %d days, %v; want at most %d and the newest kept", x.Octets, len(x.Days), err, most)
	}
	counts, err := s.Counts(t.Context(), x.Newest.Truncate(24*time.Hour), time.Time{}, 24*time.Hour)
	if err != nil || len(counts) != 2 || counts[0].N != 240 || counts[1].N != 240 {
		t.Errorf("what is left out is counted: %+v, %v", counts, err)
	}
}

// testClock sets the clock back while entries are written, by little and by much.
func testClock(t *testing.T, open Open) {
	now := &clock{begin}
	s := open(t, Options{Clock: now.Now})
	write(t, s, decision("mw-first", now.now))
	now.now = begin.Add(-3 * time.Hour)
	write(t, s, decision("mw-back", now.now), decision("mw-back2", now.now))
	now.now = begin.Add(time.Hour)
	write(t, s, decision("mw-right", now.now))
	page := search(t, s, record.Query{Forward: true})
	want(t, "in the order in which they came", page, "mw-first", "mw-back", "mw-back2", "mw-right")
	for i, e := range page.Entries[1:] {
		if e.Position <= page.Entries[i].Position {
			t.Errorf("%s stands at %d, after %d", name(e), e.Position, page.Entries[i].Position)
		}
	}
	want(t, "since the wrong time", search(t, s, record.Query{Since: begin.Add(-4 * time.Hour), Until: begin.Add(-2 * time.Hour)}), "mw-back2", "mw-back")
	want(t, "since the right time", search(t, s, record.Query{Since: begin}), "mw-right", "mw-first")

	// A year ahead: what comes afterwards is kept, in the day that it says.
	now.now = begin.AddDate(1, 0, 0)
	write(t, s, decision("mw-ahead", now.now))
	now.now = begin.Add(2 * time.Hour)
	write(t, s, decision("mw-after", now.now))
	want(t, "after a wrong year", search(t, s, record.Query{Since: begin.Add(2 * time.Hour), Until: begin.Add(3 * time.Hour)}), "mw-after")
	if err := s.Retain(t.Context(), now.now); err != nil {
		t.Error(err)
	}
	want(t, "by id", search(t, s, record.Query{IDs: []string{"mw-ahead", "mw-after"}}), "mw-ahead", "mw-after")
}
