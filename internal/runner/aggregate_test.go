package runner

import (
	"context"
	"errors"
	"strings"
	"testing"

	"mailweir/internal/policy"
)

// perRecipient objects at the end for those whose local part begins with bad, for now with soft,
// and can't tell about those with odd.
func perRecipient(name string, stage policy.Stage) policy.Hooks {
	judge := func(r *policy.Recipient) (policy.Verdict, error) {
		switch {
		case strings.HasPrefix(r.Address.Local, "bad"):
			return no(name)
		case strings.HasPrefix(r.Address.Local, "soft"):
			return policy.Object(reply(name)).Deferred(), nil
		case strings.HasPrefix(r.Address.Local, "odd"):
			return policy.Pass, errors.New("could not tell")
		}
		return policy.Pass, nil
	}
	if stage == policy.StageHeaders {
		return policy.Hooks{HeadersFor: judge}
	}
	return policy.Hooks{MessageFor: judge}
}

func TestAggregate(t *testing.T) {
	const good, bad, bad2, odd, soft = "good@ours.example", "bad@ours.example", "bad2@ours.example", "odd@ours.example", "soft@ours.example"
	const refused, deferred = "end 550 5.7.1 x", "end 451 4.3.0 Unable to process now"
	for _, tt := range []struct {
		name, flags string
		fold        policy.Aggregate
		to          []string
		want        []string
		event       string
	}{
		{"any: one of two", "", policy.AggregateAny, []string{good, bad}, []string{refused}, "x refused good@ours.example,bad@ours.example"},
		{"any: none", "", policy.AggregateAny, []string{good}, []string{""}, ""},
		{"any: could not tell and objects", "", policy.AggregateAny, []string{odd, bad}, []string{refused}, "x refused odd@ours.example,bad@ours.example"},
		{"any: could not tell", "", policy.AggregateAny, []string{odd, good}, []string{deferred}, "x deferred odd@ours.example,good@ours.example"},
		{"any: for now and for good", "", policy.AggregateAny, []string{soft, bad}, []string{refused}, "x refused soft@ours.example,bad@ours.example"},
		{"any: could not tell and for now", "", policy.AggregateAny, []string{odd, soft}, []string{"end 451 4.7.1 x"}, "x deferred odd@ours.example,soft@ours.example"},
		{"all: one of two", "", policy.AggregateAll, []string{good, bad}, []string{""}, ""},
		{"all: both", "", policy.AggregateAll, []string{bad, bad2}, []string{refused}, "x refused bad@ours.example,bad2@ours.example"},
		{"all: objects and could not tell", "", policy.AggregateAll, []string{bad, odd}, []string{deferred}, "x deferred bad@ours.example,odd@ours.example"},
		{"remove: one of two", "", policy.AggregateRemove, []string{good, bad}, []string{"remove <bad@ours.example>"}, "x removed bad@ours.example"},
		{"remove: both", "", policy.AggregateRemove, []string{bad, bad2}, []string{refused}, "x refused bad@ours.example,bad2@ours.example"},
		{"remove: could not tell", "", policy.AggregateRemove, []string{good, odd}, []string{deferred}, "x deferred good@ours.example,odd@ours.example"},
		{"remove: deferring takes nobody off", "--x=defer", policy.AggregateRemove, []string{good, bad}, []string{""}, "x would_refuse bad@ours.example"},
		{"remove: monitoring takes nobody off", "--x=monitor", policy.AggregateRemove, []string{good, bad}, []string{""}, "x would_refuse bad@ours.example"},
		{"any: monitored", "--x=monitor", policy.AggregateAny, []string{good, bad}, []string{""}, "x would_refuse bad@ours.example"},
		{"all: monitored, one of two", "--x=monitor", policy.AggregateAll, []string{good, bad}, []string{""}, ""},
		{"all: monitored, both", "--x=monitor", policy.AggregateAll, []string{bad, bad2}, []string{""}, "x would_refuse bad@ours.example,bad2@ours.example"},
		{"remove: a pilot for another", "--enforce-for=inline:{good@ours.example=x}", policy.AggregateRemove, []string{good, bad}, []string{""}, "x would_refuse bad@ours.example"},
		{"any: spared", "--monitor-for=inline:{bad@ours.example=x}", policy.AggregateAny, []string{good, bad}, []string{""}, "x would_refuse bad@ours.example"},
		{"any: spared beside one who is not", "--monitor-for=inline:{{bad2@ours.example=fault,x}}", policy.AggregateAny, []string{bad, bad2}, []string{refused}, "x refused bad@ours.example,bad2@ours.example"},
		{"any: another check is spared", "--monitor-for=inline:{bad@ours.example=fault}", policy.AggregateAny, []string{good, bad}, []string{refused}, "x refused good@ours.example,bad@ours.example"},
		{"all: spared beside one who is not", "--monitor-for=inline:{bad2@ours.example=x}", policy.AggregateAll, []string{bad, bad2}, []string{""}, "x would_refuse bad@ours.example,bad2@ours.example"},
		{"remove: spared", "--monitor-for=inline:{bad2@ours.example=*}", policy.AggregateRemove, []string{good, bad, bad2}, []string{"remove <bad@ours.example>"}, "x removed bad@ours.example\nx would_refuse bad2@ours.example"},
		{"all: a pilot for one", "--enforce-for=inline:{bad@ours.example=x}", policy.AggregateAll, []string{bad, bad2}, []string{""}, "x would_refuse bad@ours.example,bad2@ours.example"},
	} {
		for _, stage := range []policy.Stage{policy.StageHeaders, policy.StageEnd} {
			t.Run(tt.name+", "+stage.String(), func(t *testing.T) {
				r := newRig(t, tt.flags, check("x", perRecipient("x", stage), fold(tt.fold), onError(policy.Delay)))
				wantSaid(t, r.send(mail(tt.to...)), tt.want...)
				if tt.event == "" {
					wantEvents(t, r)
				} else {
					wantEvents(t, r, strings.Split(tt.event, "\n")...)
				}
			})
		}
	}
}

// TestHeadersForOneRecipientDoNotCloseTheMessage: the body must still be examined for the others.
func TestHeadersForOneRecipientDoNotCloseTheMessage(t *testing.T) {
	for _, f := range []policy.Aggregate{policy.AggregateAll, policy.AggregateRemove} {
		body := 0
		virus := policy.Hooks{
			Body:    func(*policy.Message, []byte) { body++ },
			Message: func(*policy.Message) (policy.Verdict, error) { return no("virus") },
		}
		r := newRig(t, "", check("virus", virus), check("x", perRecipient("x", policy.StageHeaders), fold(f)))
		l := mail("good@ours.example", "bad@ours.example")
		l.body = "x"
		wantSaid(t, r.send(l), "end 550 5.7.1 virus")
		if body != 1 {
			t.Error("the body was not examined")
		}
	}
}

func TestACertainRefusalSparesTheBody(t *testing.T) {
	probe := policy.Hooks{Body: func(*policy.Message, []byte) { t.Error("the body of a message that is refused anyway was examined") }}
	r := newRig(t, "", check("x", objecting("x", policy.StageHeaders)), check("probe", probe))
	l := mail("a@ours.example")
	l.body = "x"
	wantSaid(t, r.send(l), "end 550 5.7.1 x")
}

func TestRemovalAndLaterRefusal(t *testing.T) {
	settled := map[string]policy.Outcome{}
	learn := policy.Hooks{SettleRecipient: func(_ context.Context, r *policy.Recipient, o policy.Outcome) { settled[r.Address.Local] = o }}
	remove := check("remove", perRecipient("remove", policy.StageHeaders), fold(policy.AggregateRemove))
	const good, bad = "good@ours.example", "bad@ours.example"
	t.Run("accepted", func(t *testing.T) {
		r := newRig(t, "", remove, check("learn", learn))
		wantSaid(t, r.send(mail(good, bad)), "remove <bad@ours.example>")
		r.idle()
		if settled["good"].Fate != policy.Accepted || settled["bad"].Fate != policy.Removed || settled["bad"].Check != "remove" {
			t.Errorf("outcomes: %v", settled)
		}
	})
	t.Run("refused afterwards", func(t *testing.T) {
		r := newRig(t, "", remove, check("virus", objecting("virus", policy.StageEnd)), check("learn", learn))
		wantSaid(t, r.send(mail(good, bad)), "end 550 5.7.1 virus")
		wantEvents(t, r, "virus refused good@ours.example,bad@ours.example")
		if settled["good"].Fate != policy.Refused || settled["bad"].Fate != policy.Refused {
			t.Errorf("a recipient of a refused message was not settled as refused: %v", settled)
		}
	})
	t.Run("objection for one who is off by then", func(t *testing.T) {
		r := newRig(t, "", remove, check("again", perRecipient("again", policy.StageEnd), fold(policy.AggregateAny)))
		wantSaid(t, r.send(mail(good, bad)), "remove <bad@ours.example>")
	})
}

func TestAPermitForOneRecipientLetsTheMessagePass(t *testing.T) {
	hooks := objecting("spam", policy.StageEnd)
	hooks.Grant = func(_ context.Context, r *policy.Recipient) ([]policy.Grant, error) {
		if r.Address.Local == "friend" {
			return []policy.Grant{{By: policy.ExemptAutoAllow, Vouched: true, Source: "pair"}}, nil
		}
		return nil, nil
	}
	r := newRig(t, "", check("spam", hooks, bypass(policy.ExemptAutoAllow), fold(policy.AggregateAll)))
	wantSaid(t, r.send(mail("friend@ours.example", "other@ours.example")), "")
	wantSaid(t, r.send(mail("other@ours.example", "third@ours.example")), "end 550 5.7.1 spam")
}

func TestLocalSubmissionWithOneBadRecipientGoesBackWhole(t *testing.T) {
	hooks := policy.Hooks{Rcpt: perRecipient("x", policy.StageEnd).MessageFor}
	r := newRig(t, "", check("x", hooks, fold(policy.AggregateAll)))
	l := mail("good@ours.example", "bad@ours.example")
	l.noNetwork = true
	wantSaid(t, r.send(l), "end 550 5.7.1 x")
}

// A message that a check refuses as a whole is refused unless all its recipients are spared: who
// names one of those beside others gets no further.
func TestSparedFromTheWhole(t *testing.T) {
	const lab, other = "lab@ours.example", "a@ours.example"
	for _, tt := range []struct {
		name string
		to   []string
		want string
	}{
		{"all", []string{lab}, ""},
		{"one of two", []string{lab, other}, "end 550 5.7.1 x"},
		{"one of two, the other first", []string{other, lab}, "end 550 5.7.1 x"},
		{"none", []string{other}, "end 550 5.7.1 x"},
	} {
		for _, stage := range []policy.Stage{policy.StageHeaders, policy.StageEnd} {
			t.Run(tt.name+", "+stage.String(), func(t *testing.T) {
				r := newRig(t, "--monitor-for=inline:{lab@=x}", check("x", objecting("x", stage)))
				wantSaid(t, r.send(mail(tt.to...)), tt.want)
			})
		}
	}
}
