package would_test

import (
	"testing"
	"time"

	"mailweir/internal/policy"
)

// Each recipient's decision is weighed by what is known of that recipient.
func TestRecipients(t *testing.T) {
	both := "bob@ours.example carol@ours.example"
	later := mail{at: 2 * day, to: "carol@ours.example"}
	for name, c := range map[string]struct {
		mails  []mail
		change func(*history)
		want   string
	}{
		"a decision each": {
			mails: []mail{{at: day, to: both, would: "grey"}, later},
			want:  "good 1 later mail of the sender to the recipient was accepted, and no check objected; ? 1 accepted, and nothing speaks for or against it",
		},
		"one decision about all": {
			mails: []mail{{at: day, to: both, whole: "grey"}, later},
			want:  "good 1 later mail of the sender to the recipient was accepted, and no check objected",
		},
		"one is refused anyway": {
			mails: []mail{{at: day, to: both, would: "grey"}},
			change: func(h *history) {
				t := h.entries[2].Message
				t.Recipients[0].Fate, t.Recipients[0].Check = policy.Refused, "recipient"
			},
			want: "out 1 refused anyway, for another reason; ? 1 accepted, and nothing speaks for or against it",
		},
		"all are, each in its way": {
			mails: []mail{{at: day, to: both, whole: "grey"}},
			change: func(h *history) {
				t := h.entries[1].Message
				t.Recipients[0].Fate, t.Recipients[1].Fate = policy.Refused, policy.RefusedByMTA
			},
			want: "out 1 refused anyway, for another reason",
		},
		"the decision about those for whom it objected": {
			mails: []mail{{at: day, to: both, whole: "grey"}},
			change: func(h *history) {
				t := h.entries[1].Message
				t.Recipients[1].Would = []string{"grey"}
				t.Recipients[1].Fate = policy.Refused
			},
			want: "out 1 refused anyway, for another reason",
		},
		"nobody was named": {
			mails: []mail{{at: day, whole: "grey", fate: policy.Refused}},
			change: func(h *history) {
				h.entries[0].Event.Recipients, h.entries[0].Event.Count = nil, 0
				h.entries[1].Message.Recipients, h.entries[1].Message.RecipientCount = nil, 0
			},
			want: "out 1 refused anyway, for another reason",
		},
		"others object to another recipient": {
			mails: []mail{{at: day, to: both, would: "grey"}},
			change: func(h *history) {
				h.entries[2].Message.Recipients[1].Would = []string{"grey", "other"}
			},
			want: "out 1 other monitored checks objected, too; ? 1 accepted, and nothing speaks for or against it",
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := new(history)
			h.add(c.mails...)
			if c.change != nil {
				c.change(h)
			}
			h.add(mail{at: 3 * day, to: "dora@ours.example"})
			if got := tallies(of(t, look(t, h), "grey")); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

// Only what users were accepted with tells whom they write to, and the note says where nothing
// does.
func TestOutboundNote(t *testing.T) {
	const note = "the record has no mail of users to others, so whom they write to is not known"
	for name, c := range map[string]struct {
		m    mail
		want bool
	}{
		"none":     {mail{at: time.Hour}, true},
		"accepted": {mail{at: time.Hour, direction: "outbound"}, false},
		"refused":  {mail{at: time.Hour, direction: "outbound", fate: policy.Refused}, true},
	} {
		h := new(history)
		h.add(mail{would: "grey"}, c.m)
		report := look(t, h)
		if got := len(report.Notes) == 1 && report.Notes[0] == note; got != c.want {
			t.Errorf("%s: %q", name, report.Notes)
		}
	}
}
