package runner

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"mailweir/internal/policy"
)

// TestARefusedRecipientIsLearnedAtOnce: however long the client keeps the message open, with the
// time of judging.
func TestARefusedRecipientIsLearnedAtOnce(t *testing.T) {
	d := &diary{}
	hooks := policy.Hooks{Rcpt: func(r *policy.Recipient) (policy.Verdict, error) {
		if r.Address.Local == "bad" {
			return no("x")
		}
		return policy.Pass, nil
	}}
	hooks.SettleRecipient = func(_ context.Context, r *policy.Recipient, o policy.Outcome) {
		d.note("%s %s at %s", r.Address.Local, o.Fate, o.At.Format(time.TimeOnly))
	}
	r := newRig(t, "", check("x", hooks))
	s := r.runner.NewSession()
	s.Mail(policy.MailFacts{})
	s.Rcpt(policy.RcptFacts{Recipient: "good@ours.example"})
	s.Rcpt(policy.RcptFacts{Recipient: "bad@ours.example"})
	s.RcptRefusedByMTA(policy.RcptFacts{Recipient: "unknown@ours.example"})
	r.idle()
	want := "bad refused at 12:00:00\nunknown refused_by_mta at 12:00:00"
	if got := d.text(); got != want {
		t.Errorf("learned before the end:\n%s\nwant:\n%s", got, want)
	}
	s.Close()
	r.idle()
	if got := d.text(); got != want+"\ngood lost at 12:00:00" {
		t.Errorf("learned:\n%s", got)
	}
}

// TestLearningDoesNotWaitForWhatIsLate: only the check whose own finding is late learns when that
// is known.
func TestLearningDoesNotWaitForWhatIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		began := time.Now()
		learn := func(name string) func(context.Context, *policy.Message, policy.Outcome) {
			return func(_ context.Context, _ *policy.Message, o policy.Outcome) {
				d.note("%s learns after %s, would %v", name, time.Since(began), o.Would)
			}
		}
		slow := policy.Hooks{
			Message: func(*policy.Message) (policy.Verdict, error) {
				return policy.Asks(policy.Network{}).Later(func(context.Context) (policy.Verdict, error) {
					time.Sleep(3 * time.Second) // false time, the bubble's
					return no("slow")
				}), nil
			},
			SettleMessage: learn("slow"),
		}
		r := newBubbleRig(t, "--slow=monitor", check("other", policy.Hooks{SettleMessage: learn("other")}), check("slow", slow))
		wantSaid(t, r.send(mail("a@ours.example")), "")
		r.idle()
		if got, want := d.text(), "other learns after 0s, would []\nslow learns after 3s, would [slow]"; got != want {
			t.Errorf("%s\nwant:\n%s", got, want)
		}
		if got := r.seen.outcomes[0].Would; !slices.Equal(got, []string{"slow"}) {
			t.Errorf("the record says that %v objected", got)
		}
	})
}

// TestManyBadRecipients: however many there are, every one is learned from.
func TestManyBadRecipients(t *testing.T) {
	d := &diary{}
	hooks := objecting("x", policy.StageRcpt)
	hooks.SettleRecipient = func(context.Context, *policy.Recipient, policy.Outcome) { d.note("settled") }
	r := newRig(t, "", check("x", hooks))
	s := r.runner.NewSession()
	s.Mail(policy.MailFacts{})
	for range 1005 {
		s.Rcpt(policy.RcptFacts{Recipient: "a@ours.example"})
	}
	s.Close()
	r.idle()
	if n := len(d.lines); n != 1005 {
		t.Errorf("%d recipients were settled, want 1005", n)
	}
}

// TestLearningThatHangs: a check that does not come to an end while it learns holds the session up
// for a moment, once; what finds no room is dropped and counted, and the end of message and
// connection are told all the same.
func TestLearningThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		hooks := objecting("x", policy.StageRcpt)
		hooks.SettleRecipient = func(ctx context.Context, _ *policy.Recipient, _ policy.Outcome) {
			<-ctx.Done()
			d.note("settled")
		}
		r := newBubbleRig(t, "", check("x", hooks))
		s := r.runner.NewSession()
		s.Connect(mail().connect())
		s.Mail(policy.MailFacts{})
		began := time.Now()
		for range 1000 {
			s.Rcpt(policy.RcptFacts{Recipient: "a@ours.example"})
		}
		s.Abort()
		s.Mail(policy.MailFacts{})
		if took := time.Since(began); took != roomWithin {
			t.Errorf("the client waited %v, want %v", took, roomWithin)
		}
		s.Close()
		r.idle()
		// One is at work, and the messages find no room either.
		const learned = maxQueued + 1
		if n := len(d.lines); n != learned || r.seen.dropped != 1000-learned+2 {
			t.Errorf("%d learned, want %d; %d dropped, want %d", n, learned, r.seen.dropped, 1000-learned+2)
		}
		if len(r.seen.transactions) != 2 || r.seen.closed != 1 {
			t.Errorf("%d transactions and %d connections have ended", len(r.seen.transactions), r.seen.closed)
		}
	})
}
