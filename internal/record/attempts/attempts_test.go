package attempts_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/attempts"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// history is a record that is kept in memory. It restricts by time, kind, fate and recipient, as
// far as that is asked for here, and keeps the queries.
type history struct {
	record.Reader
	entries []record.Entry
	asked   []record.Query
	err     error
}

func (h *history) Search(_ context.Context, q record.Query) (record.Page, error) {
	h.asked = append(h.asked, q)
	var page record.Page
	for _, e := range h.entries {
		at := e.Time()
		if at.Before(q.Since) || !at.Before(q.Until) || q.Kind == record.Messages && e.Message == nil || !h.matches(q, e) {
			continue
		}
		page.Entries = append(page.Entries, e)
	}
	slices.SortStableFunc(page.Entries, func(a, b record.Entry) int { return a.Time().Compare(b.Time()) })
	if !q.Forward {
		slices.Reverse(page.Entries)
	}
	if len(page.Entries) > q.Limit {
		page.Entries, page.More = page.Entries[:q.Limit], true
	}
	return page, h.err
}

func (h *history) matches(q record.Query, e record.Entry) bool {
	if len(q.Fates) > 0 && (e.Message == nil || !slices.Contains(q.Fates, e.Message.Fate)) {
		return false
	}
	return q.Recipient == "" || slices.ContainsFunc(attempts.Of(e), func(m attempts.Mail) bool {
		return address.Parse(m.Recipient).Key() == address.Parse(q.Recipient).Key()
	})
}

// try is one attempt in short: its minute, what became of it, and what else is worth saying.
type try struct {
	minute         int
	fate           policy.Fate
	id, from, to   string
	session        string
	onlyEvent, dim bool // only the decision is recorded; not even what it led to
}

func (h *history) add(tries ...try) {
	for i, one := range tries {
		at := noon.Add(time.Duration(one.minute) * time.Minute)
		if one.from == "" {
			one.from = "a@else.example"
		}
		if one.to == "" {
			one.to = "bob@ours.example"
		}
		if one.session == "" {
			one.session = fmt.Sprintf("s%d.%d", len(h.entries), i)
		}
		event := &policy.Event{
			ID: "mw-" + one.session, Time: at, Session: one.session, Transaction: 1, Sender: one.from, HasSender: true,
			Recipients: []string{one.to}, MessageID: one.id, Check: "limits", Action: policy.ActionRefused,
		}
		switch {
		case one.dim:
			event.Action = policy.ActionWould
		case one.fate == policy.Deferred:
			event.Action = policy.ActionDeferred
		case one.fate == policy.Removed:
			event.Action = policy.ActionRemoved
		}
		if one.onlyEvent || one.dim || slices.Contains([]policy.Fate{policy.Deferred, policy.Refused, policy.Removed}, one.fate) {
			h.entries = append(h.entries, record.Entry{Event: event})
		}
		if one.onlyEvent || one.dim {
			continue
		}
		outcome := policy.Outcome{Fate: one.fate}
		h.entries = append(h.entries, record.Entry{Message: &policy.Transaction{
			Begun: at, Ended: at, Session: one.session, Number: 1, Sender: one.from, MessageID: one.id, Outcome: outcome,
			Recipients: []policy.RecipientOutcome{{Recipient: one.to, Outcome: outcome}}, RecipientCount: 1,
		}})
	}
}

func TestFind(t *testing.T) {
	const deferred, accepted, refused = policy.Deferred, policy.Accepted, policy.Refused
	// Somebody else's mail is accepted, so that accepted messages are known to be recorded.
	other := try{minute: 1, to: "carol@ours.example"}
	for name, c := range map[string]struct {
		tries []try
		from  int // which minute is known of the mail; 0 the first
		id    string
		now   time.Duration // since noon; 0 is a day
		want  string
		mails string // the minutes of its attempts
	}{
		"accepted at once": {tries: []try{{}}, want: "accepted", mails: "0"},
		"greylisted":       {tries: []try{{fate: deferred}, {minute: 12, id: "<1@a>"}}, want: "accepted after 12m (2 attempts)", mails: "0 12"},
		"too early once":   {tries: []try{{fate: deferred}, {minute: 1, fate: deferred}, {minute: 125}}, want: "accepted after 2h5m (3 attempts)", mails: "0 1 125"},
		"asked for by its later attempt": {
			tries: []try{{fate: deferred}, {minute: 60}},
			from:  60, want: "accepted after 1h (2 attempts)", mails: "0 60",
		},
		"still deferred": {tries: []try{{fate: deferred}}, now: 12 * time.Hour, want: "still deferred since 2026-11-20 12:00:00 UTC", mails: "0"},
		"still deferred, twice": {
			tries: []try{{fate: deferred}, {minute: 5, fate: deferred}},
			now:   12 * time.Hour, want: "still deferred since 2026-11-20 12:00:00 UTC (2 attempts)", mails: "0 5",
		},
		"given up":       {tries: []try{{fate: deferred}}, now: 12*time.Hour + time.Second, want: "deferred, and did not come back", mails: "0"},
		"given up later": {tries: []try{{fate: deferred}, {minute: 90, fate: deferred}}, want: "given up after 1h30m (2 attempts)", mails: "0 90"},
		"refused":        {tries: []try{{fate: refused}}, want: "refused", mails: "0"},
		"deferred and then refused": {
			tries: []try{{fate: deferred}, {minute: 9, fate: refused}}, want: "refused", mails: "0 9",
		},
		"refused by the MTA":    {tries: []try{{fate: policy.RefusedByMTA}}, want: "refused by the MTA", mails: "0"},
		"removed":               {tries: []try{{fate: policy.Removed}}, want: "accepted without this recipient", mails: "0"},
		"gone away":             {tries: []try{{fate: policy.Lost}}, want: "the client went away before the end", mails: "0"},
		"gone away, and back":   {tries: []try{{fate: policy.Abandoned}, {minute: 3}}, want: "accepted after 3m (2 attempts)", mails: "0 3"},
		"deferred, then lost":   {tries: []try{{fate: deferred}, {minute: 2, fate: policy.Lost}}, want: "given up after 2m (2 attempts)", mails: "0 2"},
		"only its decision":     {tries: []try{{fate: deferred, onlyEvent: true}, {minute: 7}}, want: "accepted after 7m (2 attempts)", mails: "0 7"},
		"only that it was seen": {tries: []try{{dim: true}}, want: "what became of it is not in the record", mails: "0"},

		// Message-Ids tell mails apart, and bring them together.
		"two mails": {
			tries: []try{{fate: deferred, id: "1@a"}, {minute: 3, id: "2@a"}}, want: "deferred, and did not come back", mails: "0",
		},
		"the second mail": {
			tries: []try{{fate: deferred, id: "1@a"}, {minute: 3, id: "2@a"}}, id: "<2@a>", from: 3, want: "accepted", mails: "3",
		},
		"each goes its way": {
			tries: []try{{fate: deferred, id: "1@a"}, {minute: 1, fate: deferred, id: "2@a"}, {minute: 8, id: "2@a"}, {minute: 9, id: "1@a"}},
			want:  "accepted after 9m (2 attempts)", mails: "0 9",
		},
		"through several hosts": {
			tries: []try{{id: "1@a"}, {minute: 2, id: "1@a"}, {minute: 2000, id: "1@a"}}, want: "accepted", mails: "0 2 2000",
		},
		"refused here, accepted there": {
			tries: []try{{fate: refused, id: "1@a"}, {minute: 4, id: "1@a"}}, want: "accepted after 4m (2 attempts)", mails: "0 4",
		},
		"a second mail after the first was accepted": {
			tries: []try{{fate: deferred}, {minute: 5}, {minute: 9, id: "2@a"}}, want: "accepted after 5m (2 attempts)", mails: "0 5",
		},
		"a retry without an id of one that had it": {
			tries: []try{{fate: deferred, id: "1@a"}, {minute: 3, fate: refused}}, want: "refused", mails: "0 3",
		},
		"silent for too long": {
			tries: []try{{fate: deferred}, {minute: 12*60 + 1}}, want: "deferred, and did not come back", mails: "0",
		},
		"silent for just as long": {
			tries: []try{{fate: deferred}, {minute: 12 * 60}}, want: "accepted after 12h (2 attempts)", mails: "0 720",
		},
		"known by its Message-Id however late": {
			tries: []try{{fate: deferred, id: "1@a"}, {minute: 24 * 60, id: "1@a"}}, want: "accepted after 24h (2 attempts)", mails: "0 1440",
		},

		// Who it is from and for.
		"VERP": {
			tries: []try{{fate: deferred, from: "bounce-123@else.example"}, {minute: 2, from: "bounce-124@else.example"}},
			want:  "accepted after 2m (2 attempts)", mails: "0 2",
		},
		"another sender": {
			tries: []try{{fate: deferred}, {minute: 2, from: "b@else.example"}}, want: "deferred, and did not come back", mails: "0",
		},
		"another recipient": {
			tries: []try{{fate: deferred}, {minute: 2, to: "carol@ours.example"}}, want: "deferred, and did not come back", mails: "0",
		},
		"the recipient in other letters": {
			tries: []try{{fate: deferred}, {minute: 2, to: "BOB@Ours.Example."}}, want: "accepted after 2m (2 attempts)", mails: "0 2",
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := new(history)
			h.add(c.tries...)
			h.add(other)
			m := attempts.Mail{Sender: c.tries[0].from, Recipient: "bob@ours.example", MessageID: c.id, At: noon.Add(time.Duration(c.from) * time.Minute)}
			if m.Sender == "" {
				m.Sender = "a@else.example"
			}
			now := c.now
			if now == 0 {
				now = 24 * time.Hour
			}
			chain, err := attempts.Find(t.Context(), h, m, noon.Add(now))
			if err != nil {
				t.Fatal(err)
			}
			var mails []string
			for _, a := range chain.Attempts {
				mails = append(mails, fmt.Sprint(int(a.Time.Sub(noon).Minutes())))
			}
			if got := strings.Join(mails, " "); chain.String() != c.want || got != c.mails {
				t.Errorf("%s: %s, want %s: %s", got, chain, c.mails, c.want)
			}
			if chain.More {
				t.Error("it claims that there is more")
			}
		})
	}
}

// Where accepted messages are not recorded, mail that did not come back may have been accepted.
func TestGivenUpIsDoubted(t *testing.T) {
	h := new(history)
	h.add(try{fate: policy.Deferred})
	m := attempts.Mail{Sender: "a@else.example", Recipient: "bob@ours.example", At: noon}
	chain, err := attempts.Find(t.Context(), h, m, noon.Add(24*time.Hour))
	if err != nil || chain.Result != attempts.Unknown {
		t.Errorf("%s, %v", chain, err)
	}
}

// The null sender has no domain to look for.
func TestNullSender(t *testing.T) {
	h := new(history)
	h.add(try{fate: policy.Deferred, from: "<>"}, try{minute: 2, from: "<>"})
	chain, err := attempts.Find(t.Context(), h, attempts.Mail{Recipient: "bob@ours.example", At: noon}, noon.Add(time.Hour))
	if err != nil || chain.Result != attempts.AcceptedLater || h.asked[0].Sender != "<>" {
		t.Errorf("%s, %v, asked for %q", chain, err, h.asked[0].Sender)
	}
}

// The attempt that is meant counts, where two mails are as near.
func TestFindByName(t *testing.T) {
	h := new(history)
	h.add(try{fate: policy.Refused, session: "one"}, try{session: "two"})
	for session, want := range map[string]attempts.Result{"one": attempts.Refused, "two": attempts.Accepted} {
		m := attempts.Mail{Sender: "a@else.example", Recipient: "bob@ours.example", At: noon, Session: session, Transaction: 1}
		chain, err := attempts.Find(t.Context(), h, m, noon.Add(time.Hour))
		if err != nil || chain.Result != want || len(chain.Attempts) != 1 {
			t.Errorf("%s: %s with %d attempts, %v", session, chain, len(chain.Attempts), err)
		}
	}
}

// The sum of many decisions is told of in each transaction that it decided, and makes none.
func TestSums(t *testing.T) {
	h := new(history)
	h.add(try{fate: policy.Deferred, session: "one"}, try{minute: 20, session: "two"})
	sum := h.entries[0].Event
	sum.Dedup = &policy.Dedup{Times: 7}
	sum.Session = "another"
	h.entries[1].Message.Recipients[0].Event = sum.ID
	chain, err := attempts.Find(t.Context(), h, attempts.Mail{Sender: "a@else.example", Recipient: "bob@ours.example", At: noon}, noon.Add(time.Hour))
	if err != nil || len(chain.Attempts) != 2 || chain.Attempts[0].Event != sum || chain.Attempts[1].Event != nil {
		t.Errorf("%+v, %v", chain, err)
	}
}

// That deferred mail has not come back is no attempt.
func TestNoAttempt(t *testing.T) {
	h := new(history)
	h.add(try{fate: policy.Deferred})
	h.entries = append(h.entries, record.Entry{Event: &policy.Event{
		Time: noon.Add(12 * time.Hour), Action: policy.ActionNotRetried, Sender: "a@else.example", HasSender: true, Recipients: []string{"bob@ours.example"},
	}})
	chain, err := attempts.Find(t.Context(), h, attempts.Mail{Sender: "a@else.example", Recipient: "bob@ours.example", At: noon}, noon.Add(time.Hour))
	if err != nil || len(chain.Attempts) != 1 {
		t.Errorf("%+v, %v", chain, err)
	}
}

// Two queries take a bounded number of entries next to the attempt, and say that there are others.
func TestFindIsBounded(t *testing.T) {
	h := new(history)
	for minute := range 1100 {
		h.add(try{minute: minute - 700, id: fmt.Sprintf("%d@a", minute), session: fmt.Sprint(minute)})
	}
	m := attempts.Mail{Sender: "a@else.example", Recipient: "bob@ours.example", MessageID: "700@a", At: noon}
	chain, err := attempts.Find(t.Context(), h, m, noon.Add(time.Hour))
	if err != nil || chain.Result != attempts.Accepted || !chain.More {
		t.Errorf("%s, more %t, %v", chain, chain.More, err)
	}
	for _, q := range h.asked {
		if q.Limit != 500 || q.Recipient == "" || q.Sender != "@else.example" || q.Until.Sub(q.Since) != attempts.Reach {
			t.Errorf("asked for %+v", q)
		}
	}
	if len(h.asked) != 2 {
		t.Errorf("%d queries", len(h.asked))
	}
}

func TestFindFails(t *testing.T) {
	h := &history{err: errors.New("gone")}
	if _, err := attempts.Find(t.Context(), h, attempts.Mail{Recipient: "bob@ours.example", At: noon}, noon); err == nil {
		t.Error("no error")
	}
}

func TestOf(t *testing.T) {
	ended := noon.Add(time.Second)
	message := record.Entry{Message: &policy.Transaction{
		Ended: ended, Session: "s", Number: 2, Sender: "a@else.example", MessageID: "<1@a>",
		Recipients: []policy.RecipientOutcome{{Recipient: "bob@ours.example"}, {Recipient: "carol@ours.example"}},
	}}
	got := attempts.Of(message)
	want := attempts.Mail{Sender: "a@else.example", Recipient: "carol@ours.example", MessageID: "<1@a>", At: ended, Session: "s", Transaction: 2}
	if len(got) != 2 || got[1] != want {
		t.Errorf("%+v", got)
	}
	event := &policy.Event{Time: noon, Session: "s", Transaction: 2, Sender: "a@else.example", HasSender: true, Recipients: []string{"bob@ours.example"}, MessageID: "<1@a>"}
	want.Recipient, want.At = "bob@ours.example", noon
	if got := attempts.Of(record.Entry{Event: event}); len(got) != 1 || got[0] != want {
		t.Errorf("%+v", got)
	}
	if got := attempts.Of(record.Entry{Event: &policy.Event{Recipients: []string{"bob@ours.example"}}}); len(got) != 0 {
		t.Errorf("before MAIL: %+v", got)
	}
}
