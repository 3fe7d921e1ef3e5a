package policy

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// perRecipient objects at the end for those whose local part begins with bad, for now with soft, and can't tell about those with odd.
func perRecipient(name string, stage Stage) Hooks {
	judge := func(r *Recipient) (Verdict, error) {
		switch {
		case strings.HasPrefix(r.Address.Local, "bad"):
			return no(name)
		case strings.HasPrefix(r.Address.Local, "soft"):
			return Object(reply(name)).Deferred(), nil
		case strings.HasPrefix(r.Address.Local, "odd"):
			return Pass, errors.New("could not tell")
		}
		return Pass, nil
	}
	if stage == StageHeaders {
		return Hooks{HeadersFor: judge}
	}
	return Hooks{MessageFor: judge}
}

func TestAggregate(t *testing.T) {
	const good, bad, bad2, odd, soft = "good@ours.example", "bad@ours.example", "bad2@ours.example", "odd@ours.example", "soft@ours.example"
	const refused, deferred = "end 550 5.7.1 x", "end 451 4.3.0 Unable to process now"
	for _, tt := range []struct {
		name, flags string
		fold        Aggregate
		to          []string
		want        []string
		event       string
	}{
		{"any: one of two", "", AggregateAny, []string{good, bad}, []string{refused}, "x refused good@ours.example,bad@ours.example"},
		{"any: none", "", AggregateAny, []string{good}, []string{""}, ""},
		{"any: could not tell and objects", "", AggregateAny, []string{odd, bad}, []string{refused}, "x refused odd@ours.example,bad@ours.example"},
		{"any: could not tell", "", AggregateAny, []string{odd, good}, []string{deferred}, "x deferred odd@ours.example,good@ours.example"},
		{"any: for now and for good", "", AggregateAny, []string{soft, bad}, []string{refused}, "x refused soft@ours.example,bad@ours.example"},
		{"any: could not tell and for now", "", AggregateAny, []string{odd, soft}, []string{"end 451 4.7.1 x"}, "x deferred odd@ours.example,soft@ours.example"},
		{"all: one of two", "", AggregateAll, []string{good, bad}, []string{""}, ""},
		{"all: both", "", AggregateAll, []string{bad, bad2}, []string{refused}, "x refused bad@ours.example,bad2@ours.example"},
		{"all: objects and could not tell", "", AggregateAll, []string{bad, odd}, []string{deferred}, "x deferred bad@ours.example,odd@ours.example"},
		{"remove: one of two", "", AggregateRemove, []string{good, bad}, []string{"remove <bad@ours.example>"}, "x removed bad@ours.example"},
		{"remove: both", "", AggregateRemove, []string{bad, bad2}, []string{refused}, "x refused bad@ours.example,bad2@ours.example"},
		{"remove: could not tell", "", AggregateRemove, []string{good, odd}, []string{deferred}, "x deferred good@ours.example,odd@ours.example"},
		{"remove: deferring takes nobody off", "--x=defer", AggregateRemove, []string{good, bad}, []string{""}, "x would refuse bad@ours.example"},
		{"remove: monitoring takes nobody off", "--x=monitor", AggregateRemove, []string{good, bad}, []string{""}, "x would refuse bad@ours.example"},
		{"any: monitored", "--x=monitor", AggregateAny, []string{good, bad}, []string{""}, "x would refuse bad@ours.example"},
		{"all: monitored, one of two", "--x=monitor", AggregateAll, []string{good, bad}, []string{""}, ""},
		{"all: monitored, both", "--x=monitor", AggregateAll, []string{bad, bad2}, []string{""}, "x would refuse bad@ours.example,bad2@ours.example"},
		{"remove: a pilot for another", "--enforce-for=inline:{good@ours.example=x}", AggregateRemove, []string{good, bad}, []string{""}, "x would refuse bad@ours.example"},
		{"all: a pilot for one", "--enforce-for=inline:{bad@ours.example=x}", AggregateAll, []string{bad, bad2}, []string{""}, "x would refuse bad@ours.example,bad2@ours.example"},
	} {
		for _, stage := range []Stage{StageHeaders, StageEnd} {
			t.Run(tt.name+", "+stage.String(), func(t *testing.T) {
				r := newRig(t, tt.flags, check("x", perRecipient("x", stage), fold(tt.fold), onError(Delay)))
				wantSaid(t, r.send(mail(tt.to...)), tt.want...)
				if tt.event == "" {
					wantEvents(t, r)
				} else {
					wantEvents(t, r, tt.event)
				}
			})
		}
	}
}

// TestHeadersForOneRecipientDoNotCloseTheMessage: the body must still be examined for the others.
func TestHeadersForOneRecipientDoNotCloseTheMessage(t *testing.T) {
	for _, f := range []Aggregate{AggregateAll, AggregateRemove} {
		body := 0
		virus := Hooks{
			Body:    func(*Message, []byte) { body++ },
			Message: func(*Message) (Verdict, error) { return no("virus") },
		}
		r := newRig(t, "", check("virus", virus), check("x", perRecipient("x", StageHeaders), fold(f)))
		l := mail("good@ours.example", "bad@ours.example")
		l.body = "x"
		wantSaid(t, r.send(l), "end 550 5.7.1 virus")
		if body != 1 {
			t.Error("the body was not examined")
		}
	}
}

func TestACertainRefusalSparesTheBody(t *testing.T) {
	probe := Hooks{Body: func(*Message, []byte) { t.Error("the body of a message that is refused anyway was examined") }}
	r := newRig(t, "", check("x", objecting("x", StageHeaders)), check("probe", probe))
	l := mail("a@ours.example")
	l.body = "x"
	wantSaid(t, r.send(l), "end 550 5.7.1 x")
}

func TestRemovalAndLaterRefusal(t *testing.T) {
	settled := map[string]Outcome{}
	learn := Hooks{SettleRecipient: func(r *Recipient, o Outcome) { settled[r.Address.Local] = o }}
	remove := check("remove", perRecipient("remove", StageHeaders), fold(AggregateRemove))
	const good, bad = "good@ours.example", "bad@ours.example"
	t.Run("accepted", func(t *testing.T) {
		r := newRig(t, "", remove, check("learn", learn))
		wantSaid(t, r.send(mail(good, bad)), "remove <bad@ours.example>")
		r.idle()
		if settled["good"].Fate != Accepted || settled["bad"].Fate != Removed || settled["bad"].Check != "remove" {
			t.Errorf("outcomes: %v", settled)
		}
	})
	t.Run("refused afterwards", func(t *testing.T) {
		r := newRig(t, "", remove, check("virus", objecting("virus", StageEnd)), check("learn", learn))
		wantSaid(t, r.send(mail(good, bad)), "end 550 5.7.1 virus")
		wantEvents(t, r, "virus refused good@ours.example,bad@ours.example")
		if settled["good"].Fate != Refused || settled["bad"].Fate != Refused {
			t.Errorf("a recipient of a refused message was not settled as refused: %v", settled)
		}
	})
	t.Run("objection for one who is off by then", func(t *testing.T) {
		r := newRig(t, "", remove, check("again", perRecipient("again", StageEnd), fold(AggregateAny)))
		wantSaid(t, r.send(mail(good, bad)), "remove <bad@ours.example>")
	})
}

func TestAPermitForOneRecipientLetsTheMessagePass(t *testing.T) {
	hooks := objecting("spam", StageEnd)
	hooks.Grant = func(_ context.Context, r *Recipient) ([]Grant, error) {
		if r.Address.Local == "friend" {
			return []Grant{{By: BypassAutoAllow, Vouched: true, Source: "pair"}}, nil
		}
		return nil, nil
	}
	r := newRig(t, "", check("spam", hooks, bypass(BypassAutoAllow), fold(AggregateAll)))
	wantSaid(t, r.send(mail("friend@ours.example", "other@ours.example")), "")
	wantSaid(t, r.send(mail("other@ours.example", "third@ours.example")), "end 550 5.7.1 spam")
}

func TestLocalSubmissionWithOneBadRecipientGoesBackWhole(t *testing.T) {
	hooks := Hooks{Rcpt: perRecipient("x", StageEnd).MessageFor}
	r := newRig(t, "", check("x", hooks, fold(AggregateAll)))
	l := mail("good@ours.example", "bad@ours.example")
	l.noNetwork = true
	wantSaid(t, r.send(l), "end 550 5.7.1 x")
}
