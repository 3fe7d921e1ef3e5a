package would_test

import (
	"testing"
	"time"

	"mailweir/internal/policy"
)

// A sum counts as often as it says, and the messages that it stands for tell what they were.
func TestSums(t *testing.T) {
	const at, last = day, day + time.Hour
	outbound := mail{at: 2 * day, from: "bob@ours.example", to: "friend@else.example", client: "127.0.0.1", direction: "outbound"}
	folded := func(minute int, from, client string) mail {
		return mail{at: at + time.Duration(minute)*time.Minute, from: from, client: client, would: "grey", folded: true}
	}
	const spam = "spam@else.example"
	for name, c := range map[string]struct {
		mails []mail
		alike policy.Alike
		times int
		want  string
	}{
		"of which there are messages": {
			mails: []mail{folded(0, spam, ""), folded(1, "friend@else.example", ""), folded(60, spam, "")}, alike: policy.AlikeDomain, times: 3,
			want: "good 1 a user wrote to the sender; ? 2 accepted, and nothing speaks for or against it",
		},
		"of which there are too few": {
			mails: []mail{folded(0, spam, ""), folded(1, "friend@else.example", "")}, alike: policy.AlikeDomain, times: 5,
			want: "good 1 a user wrote to the sender; ? 1 accepted, and nothing speaks for or against it; ? 3 the record has no message of it",
		},
		"of which there are too many": {
			mails: []mail{folded(0, spam, ""), folded(1, "friend@else.example", "")}, alike: policy.AlikeDomain, times: 1,
			want: "? 1 accepted, and nothing speaks for or against it",
		},
		"of another domain": {
			mails: []mail{folded(0, spam, ""), folded(1, "friend@third.example", "")}, alike: policy.AlikeDomain, times: 2,
			want: "? 1 accepted, and nothing speaks for or against it; ? 1 the record has no message of it",
		},
		"of any domain": {
			mails: []mail{folded(0, spam, ""), folded(1, "friend@third.example", "")}, alike: policy.AlikeClient, times: 2,
			want: "? 2 accepted, and nothing speaks for or against it",
		},
		"of another client": {
			mails: []mail{folded(0, spam, ""), folded(1, spam, "192.0.2.2")}, alike: policy.AlikeClient, times: 2,
			want: "? 1 accepted, and nothing speaks for or against it; ? 1 the record has no message of it",
		},
		"of one IPv6 net": {
			mails: []mail{folded(0, spam, "2001:db8::1"), folded(1, spam, "2001:db8::2"), folded(2, spam, "2001:db8:0:1::1")}, alike: policy.AlikeClient, times: 3,
			want: "? 2 accepted, and nothing speaks for or against it; ? 1 the record has no message of it",
		},
		"of any client": {
			mails: []mail{folded(0, spam, ""), folded(1, spam, "192.0.2.2")}, alike: policy.AlikeCheck, times: 2,
			want: "? 2 accepted, and nothing speaks for or against it",
		},
		"before and after it": {
			mails: []mail{folded(-1, spam, ""), folded(0, spam, ""), folded(61, spam, "")}, alike: policy.AlikeDomain, times: 3,
			want: "? 1 accepted, and nothing speaks for or against it; ? 2 the record has no message of it",
		},
		"another check": {
			mails: []mail{folded(0, spam, ""), {at: at + time.Minute, would: "other", folded: true}}, alike: policy.AlikeDomain, times: 2,
			want: "? 1 accepted, and nothing speaks for or against it; ? 1 the record has no message of it",
		},
		"beside those that stand alone": {
			mails: []mail{folded(0, spam, ""), {at: at + time.Minute, from: "friend@else.example", would: "grey"}}, alike: policy.AlikeDomain, times: 1,
			want: "good 1 a user wrote to the sender; ? 1 accepted, and nothing speaks for or against it",
		},
		"several recipients": {
			mails: []mail{{at: at, from: spam, to: "bob@ours.example carol@ours.example", would: "grey", folded: true}}, alike: policy.AlikeDomain, times: 2,
			want: "? 2 accepted, and nothing speaks for or against it",
		},
		"whole messages": {
			mails: []mail{{at: at, from: spam, to: "bob@ours.example carol@ours.example", whole: "grey", folded: true}}, alike: policy.AlikeDomain, times: 2,
			want: "? 1 accepted, and nothing speaks for or against it; ? 1 the record has no message of it",
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := new(history)
			client := c.mails[0].client
			if client == "" {
				client = "192.0.2.1"
			}
			h.add(c.mails...)
			h.add(outbound)
			h.sum("grey", c.alike, at, last, c.times, spam, client)
			check := of(t, look(t, h, "grey"), "grey")
			if got := tallies(check); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
			if got := check.Good.N + check.KeptOut.N + check.Unknown.N; got != check.Total {
				t.Errorf("%d of %d are told of", got, check.Total)
			}
		})
	}
}

// The first of a sum keeps what was noted of its permit, and the others do not have it.
func TestSumOfPermits(t *testing.T) {
	h := new(history)
	h.add(mail{at: day, would: "grey", folded: true}, mail{at: day + time.Minute, would: "grey", folded: true})
	h.sum("grey", policy.AlikeDomain, day, day+time.Hour, 2, "a@else.example", "192.0.2.1")
	h.entries[len(h.entries)-1].Event.Trace = permitTrace
	want := "good 1 a permit for the sender exists, which did not count; ? 1 accepted, and nothing speaks for or against it"
	if got := tallies(of(t, look(t, h), "grey")); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
