package runner

import (
	"context"
	"errors"
	"strings"
	"testing"

	"mailweir/internal/entry"
	"mailweir/internal/mailauth"
	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// enter makes an entry of a person in the state, as the commands monitor, permit and block do.
func (r *rig) enter(key ...string) {
	r.t.Helper()
	by := entry.Origin{By: "root", At: r.backends.Clock(), Note: "why"}
	if _, err := r.backends.State.Do(r.t.Context(), state.Put(state.Key(key[0], key[1:]...), by.Value(), 0).Entered()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) takeBack(key ...string) {
	r.t.Helper()
	if _, err := r.backends.State.Do(r.t.Context(), state.Delete(state.Key(key[0], key[1:]...)).Entered()); err != nil {
		r.t.Fatal(err)
	}
}

// A check that is monitored by hand refuses nothing from the next answer on, at whatever stage it
// decides, and the event says by whose order; other checks refuse as ever.
func TestMonitoredByHand(t *testing.T) {
	const to = "a@ours.example"
	byHand := "monitored by root (uid 0) since 2026-11-23 12:00:00: why"
	for _, tt := range []struct {
		name  string
		order string
		check *policy.Check
		then  string
	}{
		{name: "connect", order: "x", check: check("x", objecting("x", policy.StageConnect)), then: "rcpt " + to + " 550 5.7.1 x"},
		{name: "helo", order: "x", check: check("x", objecting("x", policy.StageHelo), func(c *policy.Check) { c.AnswerAt = policy.StageHelo }), then: "helo 550 5.7.1 x"},
		{name: "mail", order: "x", check: check("x", objecting("x", policy.StageMail), func(c *policy.Check) { c.AnswerAt = policy.StageMail }), then: "mail 550 5.7.1 x"},
		{name: "rcpt", order: "x", check: check("x", objecting("x", policy.StageRcpt)), then: "rcpt " + to + " 550 5.7.1 x"},
		{name: "headers", order: "x", check: check("x", objecting("x", policy.StageHeaders)), then: "end 550 5.7.1 x"},
		{name: "end", order: "x", check: check("x", objecting("x", policy.StageEnd)), then: "end 550 5.7.1 x"},
		{name: "all", order: "*", check: check("x", objecting("x", policy.StageEnd)), then: "end 550 5.7.1 x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, "", tt.check)
			wantSaid(t, r.send(mail(to)), tt.then)
			r.enter("monitor", tt.order)
			wantSaid(t, r.send(mail(to)), "")
			r.idle()
			events := r.seen.list
			if last := events[len(events)-1]; len(events) != 2 || events[0].ByHand != "" || last.Action != policy.ActionWould || last.ByHand != byHand || last.Mode != policy.Monitor {
				t.Errorf("events %+v", events)
			}
			r.enter("monitor", "other")
			r.takeBack("monitor", tt.order)
			wantSaid(t, r.send(mail(to)), tt.then)
		})
	}
}

// It acts in the midst of a transaction, whatever policy that keeps.
func TestMonitoredByHandAtOnce(t *testing.T) {
	r := newRig(t, "", check("x", objecting("x", policy.StageRcpt)))
	s := r.runner.NewSession()
	defer s.Close()
	s.Connect(mail().connect())
	s.Helo(policy.HeloFacts{})
	s.Mail(policy.MailFacts{Sender: "a@else.example"})
	rcpt := func(want bool) {
		t.Helper()
		if got := s.Rcpt(policy.RcptFacts{Recipient: "a@ours.example"}).Refuses(); got != want {
			t.Errorf("refused %v, want %v", got, want)
		}
	}
	rcpt(true)
	r.enter("monitor", "x")
	rcpt(false)
	r.takeBack("monitor", "x")
	rcpt(true)
}

// What was only monitored when it was answered is recorded as that, also where the order has ended
// before it is known.
func TestMonitoredByHandAndLate(t *testing.T) {
	ended := make(chan struct{})
	hooks := policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) {
		return policy.Asks(policy.Network{}).Later(func(context.Context) (policy.Verdict, error) {
			<-ended
			return no("x")
		}), nil
	}}
	r := newRig(t, "", check("x", hooks))
	r.enter("monitor", "x")
	wantSaid(t, r.send(mail("a@ours.example")), "")
	r.takeBack("monitor", "x")
	close(ended)
	r.idle()
	wantEvents(t, r, "x would_refuse a@ours.example")
}

// The order for all covers what fails, and mailweir's own faults.
func TestMonitoredByHandFaults(t *testing.T) {
	hooks := policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) { return policy.Pass, errors.New("a defect") }}
	for _, order := range []string{"*", "fault", "x"} {
		t.Run(order, func(t *testing.T) {
			r := newRig(t, "", check("x", hooks))
			wantSaid(t, r.send(mail("a@ours.example")), "rcpt a@ours.example 451 4.3.0 Unable to process")
			r.enter("monitor", order)
			wantSaid(t, r.send(mail("a@ours.example")), "")
		})
	}
}

// A message whose refusal was certain is refused: its body was left out.
func TestMonitoredByHandTooLate(t *testing.T) {
	r := newRig(t, "", check("x", objecting("x", policy.StageHeaders)), check("y", objecting("y", policy.StageEnd)))
	s := r.runner.NewSession()
	defer s.Close()
	s.Connect(mail().connect())
	s.Helo(policy.HeloFacts{})
	s.Mail(policy.MailFacts{Sender: "a@else.example"})
	s.Rcpt(policy.RcptFacts{Recipient: "a@ours.example"})
	s.EndOfHeaders()
	r.enter("monitor", "*")
	if a := s.EndOfMessage("4AbC"); a.Line.String() != "550 5.7.1 x" {
		t.Errorf("said %s", a.Line)
	}
	wantSaid(t, r.again(s, mail("a@ours.example")), "")
}

// Permits that people enter do what those of the tables do, from the next message on.
func TestPermitsByHand(t *testing.T) {
	const to, refused, deferred = "a@ours.example", "rcpt a@ours.example 550 5.7.1 x", "rcpt a@ours.example 451 4.7.1 x"
	all := policy.ExemptPermitClient | policy.ExemptPermitSender | policy.ExemptUnvouched
	for _, tt := range []struct {
		name   string
		enter  []string
		bypass policy.Exemption
		flags  string
		from   string
		spf    mailauth.SPFResult
		spfErr error
		want   string
	}{
		{name: "client", enter: []string{"permit", "client", "192.0.2.0/24"}, bypass: all, want: ""},
		{name: "another client", enter: []string{"permit", "client", "192.0.3.0/24"}, bypass: all, want: refused},
		{name: "a check that does not give way", enter: []string{"permit", "client", "192.0.2.0/24"}, want: refused},
		{name: "client, though the tables say DUNNO", flags: "--permit-clients=inline:{192.0.2.1=DUNNO}", enter: []string{"permit", "client", "192.0.2.1/32"}, bypass: all, want: ""},
		{name: "sender, vouched", enter: []string{"permit", "sender", "else.example"}, bypass: policy.ExemptPermitSender, spf: mailauth.SPFPass, want: ""},
		{name: "sender, address", enter: []string{"permit", "sender", "sender@else.example"}, bypass: policy.ExemptPermitSender, spf: mailauth.SPFPass, want: ""},
		{name: "another sender", enter: []string{"permit", "sender", "other@else.example"}, bypass: all, spf: mailauth.SPFPass, want: refused},
		{name: "sender, SPF fails", enter: []string{"permit", "sender", "else.example"}, bypass: all, spf: mailauth.SPFFail, want: refused},
		{name: "sender, no SPF", enter: []string{"permit", "sender", "else.example"}, bypass: policy.ExemptPermitSender, spf: mailauth.SPFNone, want: refused},
		{name: "sender, no SPF, greylist", enter: []string{"permit", "sender", "else.example"}, bypass: all, spf: mailauth.SPFNone, want: ""},
		{name: "sender, SPF unknown", enter: []string{"permit", "sender", "else.example"}, bypass: policy.ExemptPermitSender, spf: mailauth.SPFTempError, spfErr: errors.New("time-out"), want: deferred},
		{name: "the tables except an address", flags: "--permit-senders=inline:{sender@else.example=DUNNO}", enter: []string{"permit", "sender", "else.example"}, bypass: all, spf: mailauth.SPFPass, want: refused},
		{name: "the tables except the domain", flags: "--permit-senders=inline:{else.example=DUNNO}", enter: []string{"permit", "sender", "else.example"}, bypass: all, spf: mailauth.SPFPass, want: ""},
		{name: "null sender", enter: []string{"permit", "sender", "else.example"}, from: "<>", bypass: policy.ExemptPermitSender, spf: mailauth.SPFPass, want: refused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hooks := objecting("x", policy.StageRcpt)
			hooks.Mail = func(m *policy.Message) (policy.Verdict, error) {
				knowSPF(m, tt.spf, tt.spfErr)
				return policy.Pass, nil
			}
			r := newRig(t, tt.flags, check("x", hooks, bypass(tt.bypass)))
			l := mail(to)
			if tt.from != "" {
				l.from = strings.Trim(tt.from, "<>")
			}
			s := r.runner.NewSession()
			defer s.Close()
			s.Connect(l.connect())
			s.Helo(policy.HeloFacts{})
			wantSaid(t, r.again(s, l), refused)
			r.enter(tt.enter...)
			wantSaid(t, r.again(s, l), tt.want)
			r.takeBack(tt.enter...)
			wantSaid(t, r.again(s, l), refused)
		})
	}
}

// A permit by header From counts where the envelope is of the same domain and vouched for.
func TestPermitsByHandHeaderFrom(t *testing.T) {
	hooks := objecting("x", policy.StageEnd)
	hooks.Mail = func(m *policy.Message) (policy.Verdict, error) {
		knowSPF(m, mailauth.SPFPass, nil)
		return policy.Pass, nil
	}
	r := newRig(t, "", check("x", hooks, bypass(policy.ExemptHeaderFrom)))
	l := mail("a@ours.example")
	l.from = "bounces@friend.example"
	l.fields = []policy.Field{{Name: "From", Value: " boss@friend.example"}}
	wantSaid(t, r.send(l), "end 550 5.7.1 x")
	r.enter("permit", "sender", "boss@friend.example")
	wantSaid(t, r.send(l), "")
	l.fields[0].Value = " other@friend.example"
	wantSaid(t, r.send(l), "end 550 5.7.1 x")
}

// unlisted is a store that cannot be listed.
type unlisted struct{ state.Store }

func (unlisted) List(context.Context, string, string, int) ([]state.Entry, error) {
	return nil, state.ErrDown
}

// While nobody knows what people have permitted, an objection that a permit could lift is
// temporary, and others stand.
func TestPermitsByHandUnread(t *testing.T) {
	for _, tt := range []struct {
		name   string
		bypass policy.Exemption
		spf    mailauth.SPFResult
		want   string
	}{
		{"by client", policy.ExemptPermitClient, mailauth.SPFFail, "rcpt a@ours.example 451 4.7.1 x"},
		{"no permit counts", 0, mailauth.SPFPass, "rcpt a@ours.example 550 5.7.1 x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hooks := objecting("x", policy.StageRcpt)
			hooks.Mail = func(m *policy.Message) (policy.Verdict, error) {
				knowSPF(m, tt.spf, nil)
				return policy.Pass, nil
			}
			r := newRig(t, "", check("x", hooks, bypass(tt.bypass)))
			r.backends = &policy.Backends{Clock: r.backends.Clock, State: unlisted{r.backends.State}} // of which nothing is read yet
			r.runner.Swap(r.policy(""))
			wantSaid(t, r.send(mail("a@ours.example")), tt.want)
		})
	}
}
