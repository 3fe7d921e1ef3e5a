package greylist

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"mailweir/internal/entry"
	"mailweir/internal/policy"
	"mailweir/internal/policytest"
	"mailweir/internal/state"
)

// An administrator sees what waits and what is known, lets it pass and forgets it.
func TestGreylistAdmin(t *testing.T) {
	const no = "rcpt " + greylisted
	g := newGreyRig(t)
	ctx, store := t.Context(), g.World.State
	show := func(c choice, want ...string) {
		t.Helper()
		part, err := c.show(ctx, store, policy.Span{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range part.Rows {
			got = append(got, strings.Join([]string{r.Net, r.Sender, r.Recipient, r.State, r.Until.UTC().Format(time.DateTime)}, " "))
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%+v shows\n%s\nwant\n%s", c, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	pass := func(c choice, want int) {
		t.Helper()
		if n, err := c.pass(ctx, store, entry.Origin{By: "root", At: g.Now.Time(), Note: "please"}, 36*24*time.Hour, 5); n != want || err != nil {
			t.Errorf("%+v lets %d pass, %v, want %d", c, n, err, want)
		}
	}
	flush := func(c choice, want int) {
		t.Helper()
		if n, err := c.flush(ctx, store); n != want || err != nil {
			t.Errorf("%+v flushes %d, %v, want %d", c, n, err, want)
		}
	}
	g.says(policytest.Letter{}, no)
	g.says(policytest.Letter{Client: "198.51.100.7", From: "prvs=0123=x@else.example"}, no)
	g.says(policytest.Letter{Client: "198.51.100.7", From: "y@else.example", To: []string{"other@ours.example"}}, no)
	g.after(30*time.Second).says(policytest.Letter{}, no)
	waiting := "192.0.2.0/24 sender@else.example user@ours.example waiting, retried 2026-11-24 00:00:00"
	show(chosen(t, "192.0.2.99", "", ""), waiting)
	show(chosen(t, "192.0.2.0/24", "", ""), waiting)
	show(chosen(t, "", "sender@else.example", ""), waiting)
	show(chosen(t, "", "", "User+x@ours.example"), waiting, "198.51.100.0/24 x@else.example user@ours.example waiting 2026-11-24 00:00:00")
	show(chosen(t, "", "<>", ""))
	show(chosen(t, "", "nobody@else.example", ""))

	pass(chosen(t, "", "prvs=9876=x@else.example", ""), 1)
	g.says(policytest.Letter{Client: "198.51.100.7", From: "prvs=4567=x@else.example"})
	show(chosen(t, "", "x@else.example", ""), "198.51.100.0/24 x@else.example user@ours.example known 2026-12-29 12:00:30")
	pass(chosen(t, "203.0.113.1", "z@else.example", "user@ours.example"), 1) // before it ever came
	g.says(policytest.Letter{Client: "203.0.113.1", From: "z@else.example"})
	pass(chosen(t, "198.51.100.7", "", ""), 2) // the net, and what waits from it
	g.says(policytest.Letter{Client: "198.51.100.7", From: "never@else.example"})
	show(chosen(t, "198.51.100.0/24", "", ""),
		"198.51.100.0/24   client, 5 passed 2026-12-29 12:00:30",
		"198.51.100.0/24 x@else.example user@ours.example known 2026-12-29 12:00:30",
		"198.51.100.0/24 y@else.example other@ours.example known 2026-12-29 12:00:30")

	for _, r := range mustShow(t, store, chosen(t, "198.51.100.0/24", "y@else.example", "")) {
		if want := "by root (uid 0) on 2026-11-23 12:00:30: please"; r.Note != want {
			t.Errorf("note %q, want %q", r.Note, want)
		}
	}

	policytest.Paged(t, 5, func(span policy.Span) (policy.Part[Row], error) {
		return chosen(t, "", "", "").show(ctx, store, span)
	})

	flush(chosen(t, "", "z@else.example", ""), 1)
	g.says(policytest.Letter{Client: "203.0.113.1", From: "z@else.example"}, no)
	flush(chosen(t, "198.51.100.7", "", ""), 5)
	g.says(policytest.Letter{Client: "198.51.100.7", From: "never@else.example"}, no)
	for range 2 {
		part, err := chosen(t, "", "", "").show(ctx, store, policy.Span{Limit: 2})
		if len(part.Rows) != 2 || part.Next == "" || err != nil {
			t.Errorf("%d rows, next %q, %v, want the limit of 2", len(part.Rows), part.Next, err)
		}
	}
	if _, err := choose(request{Client: "nonsense"}, nets{24, 64}, "+"); err == nil {
		t.Error("no error for a client that is none")
	}
}

func mustShow(t *testing.T, store state.Store, c choice) []Row {
	t.Helper()
	part, err := c.show(t.Context(), store, policy.Span{Limit: 100})
	if err != nil || len(part.Rows) == 0 {
		t.Fatalf("%+v shows %v, %v", c, part, err)
	}
	return part.Rows
}

func chosen(t *testing.T, client, sender, recipient string) choice {
	t.Helper()
	c, err := choose(request{Client: client, Sender: sender, Recipient: recipient}, nets{24, 64}, "+")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// failing is a state that takes so many more writes and then none.
type failing struct {
	state.Store
	writes int
}

func (s *failing) Do(ctx context.Context, steps ...state.Step) ([]state.Result, error) {
	if s.writes--; s.writes < 0 {
		return nil, errors.New("no room left")
	}
	return s.Store.Do(ctx, steps...)
}

// What could not be written is not said to be known, and can be let pass again.
func TestGreylistPassFails(t *testing.T) {
	for _, tt := range []struct {
		name           string
		client, sender string
		recipient      string
		writes, want   int
	}{
		{"a triplet", "192.0.2.1", "new@else.example", "user@ours.example", 0, 0},
		{"a client", "192.0.2.1", "", "", 0, 0},
		{"a client, and nothing that waits", "192.0.2.1", "", "", 1, 1},
		{"what waits", "", "sender@else.example", "", 0, 0},
		{"what waits, known but not marked", "", "sender@else.example", "", 1, 1},
		{"the first of what waits", "", "sender@else.example", "", 2, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGreyRig(t)
			g.says(policytest.Letter{To: []string{"a@ours.example", "user@ours.example"}}, "rcpt "+greylisted, "rcpt "+greylisted)
			c, by := chosen(t, tt.client, tt.sender, tt.recipient), entry.Origin{By: "root", At: g.Now.Time()}
			n, err := c.pass(t.Context(), &failing{g.World.State, tt.writes}, by, time.Hour, 5)
			if n != tt.want || err == nil {
				t.Errorf("%d are said to be known, %v; want %d and an error", n, err, tt.want)
			}
			known := 0
			for _, r := range mustShow(t, g.World.State, choice{}) {
				if r.State == "known" || r.State == "client, 5 passed" {
					known++
				}
			}
			if known != tt.want {
				t.Errorf("%d are known, want %d", known, tt.want)
			}
			again, err := c.pass(t.Context(), g.World.State, by, time.Hour, 5)
			if again == 0 || err != nil {
				t.Errorf("again: %d, %v", again, err)
			}
		})
	}
}
