package contract

import (
	"fmt"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record"
)

// testText searches for parts of what people read.
func testText(t *testing.T, open Open) {
	s := open(t, Options{Clock: at(begin)})
	write(t, s,
		decision("mw-words000", begin, func(e *policy.Event) {
			e.Cause, e.Subject, e.From = `entry "100%_sure" of C:\lists`, "=?utf-8?q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=", "Grüße <g@example.com>"
			e.Attachments = []string{"Rechnung=1.exe"}
			e.ClientName, e.Helo, e.Err = "ptr.example.com", "[192.0.2.1]", "no answer from 203.0.113.53"
		}),
		message("s-words", begin, func(m *policy.Transaction) {
			m.Subject, m.Attachments, m.QueueID = "Ärger mit <b>HTML</b> & 'mehr'", []string{"a\tb.pdf"}, "ABCDEF0123"
		}),
	)
	for _, tt := range []struct {
		text  string
		found []string
	}{
		{"100%_sure", []string{"mw-words000"}},
		{"100%", []string{"mw-words000"}},
		{"100_", nil},
		{"1%e", nil},
		{`"100%_sure" of C:\LISTS`, []string{"mw-words000"}},
		{"grüße aus köln", []string{"mw-words000"}},
		{"GRÜSSE", nil},
		{"GRÜ", []string{"mw-words000"}},
		{"rechnung=1.EXE", []string{"mw-words000"}},
		{"ptr.example", []string{"mw-words000"}},
		{"[192.0.2.1]", []string{"mw-words000"}},
		{"203.0.113.53", []string{"mw-words000"}},
		{"192.0.2.1", []string{"s-words", "mw-words000"}},
		{"words000", []string{"mw-words000"}},
		{"s-words", []string{"s-words"}},
		{"ärger mit <B>html</b> & 'mehr'", []string{"s-words"}},
		{"a\tb.pdf", []string{"s-words"}},
		{"abcdef", []string{"s-words"}},
		{"bob@example.org", []string{"s-words", "mw-words000"}},
		{"127.0.0.2", nil}, // an answer of a list is nothing that people search for
		{"'; DROP TABLE entry; --", nil},
		{"\x00", nil},
		{"\xff", nil},
	} {
		want(t, fmt.Sprintf("%q", tt.text), search(t, s, record.Query{Text: tt.text}), tt.found...)
	}
	testReached(t, open)
}

// testReached searches for a text under a clock by which each look takes long: it must end, and say
// how far it came.
func testReached(t *testing.T, open Open) {
	now := &clock{begin}
	slow := false
	s := open(t, Options{Clock: func() time.Time {
		if slow {
			now.now = now.now.Add(time.Second)
		}
		return now.now
	}})
	const days = 5
	for i := range days {
		now.now = begin.Add(time.Duration(i) * 24 * time.Hour)
		write(t, s, decision(fmt.Sprintf("mw-day%02d", i), now.now))
	}
	first := begin.Truncate(24 * time.Hour)
	inside := func(at time.Time) bool { return at.After(first) && at.Before(first.AddDate(0, 0, days)) }
	slow = true
	page := search(t, s, record.Query{Text: "day00"})
	if len(page.Entries) != 0 || !page.More || !inside(page.Reached) {
		t.Errorf("newest first: %v, more %v, reached %v", names(page), page.More, page.Reached)
	}
	again := search(t, s, record.Query{Text: "day00", Before: record.PositionAt(page.Reached)})
	if !again.Reached.IsZero() && !again.Reached.Before(page.Reached) {
		t.Errorf("from %v on it reached %v", page.Reached, again.Reached)
	}
	page = search(t, s, record.Query{Text: "day04", Forward: true})
	if len(page.Entries) != 0 || !page.More || !inside(page.Reached) {
		t.Errorf("oldest first: %v, more %v, reached %v", names(page), page.More, page.Reached)
	}
	slow = false
	if page = search(t, s, record.Query{Text: "day00"}); len(page.Entries) != 1 || page.More || !page.Reached.IsZero() {
		t.Errorf("in time: %v, more %v, reached %v", names(page), page.More, page.Reached)
	}
}
