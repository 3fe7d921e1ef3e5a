package greylist

import (
	"strings"
	"testing"
	"time"

	"mailweir/internal/entry"
	"mailweir/internal/policytest"
	"mailweir/internal/state"
)

// An administrator sees what waits and what is known, lets it pass and forgets it.
func TestGreylistAdmin(t *testing.T) {
	const no = "rcpt " + greylisted
	g := newGreyRig(t)
	ctx, store := t.Context(), g.World.State
	filter := func(client, sender, recipient string) Filter {
		return Filter{Client: client, Sender: sender, Recipient: recipient, Nets: Nets{24, 64}, Delimiter: "+"}
	}
	show := func(f Filter, want ...string) {
		t.Helper()
		rows, err := Show(ctx, store, f, 100)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rows {
			got = append(got, strings.Join([]string{r.Net, r.Sender, r.Recipient, r.State, r.Until.UTC().Format(time.DateTime)}, " "))
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%+v shows\n%s\nwant\n%s", f, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	pass := func(f Filter, want int) {
		t.Helper()
		if n, err := Pass(ctx, store, entry.Origin{By: "root", At: g.Now.Time(), Note: "please"}, 36*24*time.Hour, 5, f); n != want || err != nil {
			t.Errorf("%+v lets %d pass, %v, want %d", f, n, err, want)
		}
	}
	flush := func(f Filter, want int) {
		t.Helper()
		if n, err := Flush(ctx, store, f); n != want || err != nil {
			t.Errorf("%+v flushes %d, %v, want %d", f, n, err, want)
		}
	}
	g.says(policytest.Letter{}, no)
	g.says(policytest.Letter{Client: "198.51.100.7", From: "prvs=0123=x@else.example"}, no)
	g.says(policytest.Letter{Client: "198.51.100.7", From: "y@else.example", To: []string{"other@ours.example"}}, no)
	g.after(30*time.Second).says(policytest.Letter{}, no)
	waiting := "192.0.2.0/24 sender@else.example user@ours.example waiting, retried 2026-11-24 00:00:00"
	show(filter("192.0.2.99", "", ""), waiting)
	show(filter("192.0.2.0/24", "", ""), waiting)
	show(filter("", "sender@else.example", ""), waiting)
	show(filter("", "", "User+x@ours.example"), waiting, "198.51.100.0/24 x@else.example user@ours.example waiting 2026-11-24 00:00:00")
	show(filter("", "<>", ""))
	show(filter("", "nobody@else.example", ""))

	pass(filter("", "prvs=9876=x@else.example", ""), 1)
	g.says(policytest.Letter{Client: "198.51.100.7", From: "prvs=4567=x@else.example"})
	show(filter("", "x@else.example", ""), "198.51.100.0/24 x@else.example user@ours.example known 2026-12-29 12:00:30")
	pass(filter("203.0.113.1", "z@else.example", "user@ours.example"), 1) // before it ever came
	g.says(policytest.Letter{Client: "203.0.113.1", From: "z@else.example"})
	pass(filter("198.51.100.7", "", ""), 2) // the net, and what waits from it
	g.says(policytest.Letter{Client: "198.51.100.7", From: "never@else.example"})
	show(filter("198.51.100.0/24", "", ""),
		"198.51.100.0/24   client, 5 passed 2026-12-29 12:00:30",
		"198.51.100.0/24 x@else.example user@ours.example known 2026-12-29 12:00:30",
		"198.51.100.0/24 y@else.example other@ours.example known 2026-12-29 12:00:30")

	for _, r := range mustShow(t, store, filter("198.51.100.0/24", "y@else.example", "")) {
		if want := "by root (uid 0) on 2026-11-23 12:00:30: please"; r.Note != want {
			t.Errorf("note %q, want %q", r.Note, want)
		}
	}

	flush(filter("", "z@else.example", ""), 1)
	g.says(policytest.Letter{Client: "203.0.113.1", From: "z@else.example"}, no)
	flush(filter("198.51.100.7", "", ""), 5)
	g.says(policytest.Letter{Client: "198.51.100.7", From: "never@else.example"}, no)
	for range 2 {
		rows, err := Show(ctx, store, filter("", "", ""), 2)
		if len(rows) != 2 || err != nil {
			t.Errorf("%d rows, %v, want the limit of 2", len(rows), err)
		}
	}
	if _, err := Show(ctx, store, filter("nonsense", "", ""), 2); err == nil {
		t.Error("no error for a client that is none")
	}
}

func mustShow(t *testing.T, store state.Store, f Filter) []Row {
	t.Helper()
	rows, err := Show(t.Context(), store, f, 100)
	if err != nil || len(rows) == 0 {
		t.Fatalf("%+v shows %v, %v", f, rows, err)
	}
	return rows
}
