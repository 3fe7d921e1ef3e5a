package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/mailauth"
	"mailweir/internal/policy"
	"mailweir/internal/trace"
)

// knowSPF sets the SPF result of the message under way.
func knowSPF(m *policy.Message, result mailauth.SPFResult, err error) {
	m.Inquiry.(*message).spf.Set(result, err)
}

const (
	permitSenders = "inline:{{friend.example=OK},{odd.example=OK unverified},{no.friend.example=DUNNO}}"
	permitTables  = "--permit-clients=inline:{192.0.2.66=OK} --permit-senders=" + permitSenders
)

func TestPermits(t *testing.T) {
	const to = "a@ours.example"
	const refused, deferred = "rcpt " + to + " 550 5.7.1 x", "rcpt " + to + " 451 4.7.1 x"
	greylist := policy.ExemptPermitClient | policy.ExemptPermitSender | policy.ExemptUnvouched | policy.ExemptRecipientPermit | policy.ExemptAutoAllow
	rbl := greylist &^ policy.ExemptUnvouched
	client := func(l letter, ip string) letter { l.client = ip; return l }
	from := func(sender string) letter { l := mail(to); l.from = sender; return l }
	for _, tt := range []struct {
		name   string
		bypass policy.Exemption
		letter letter
		spf    mailauth.SPFResult
		spfErr error
		grants []policy.Grant
		want   string
	}{
		{"nobody permits", rbl, mail(to), mailauth.SPFPass, nil, nil, refused},
		{"client", rbl, client(mail(to), "192.0.2.66"), mailauth.SPFNone, nil, nil, ""},
		{"client, a check that does not give way", 0, client(mail(to), "192.0.2.66"), mailauth.SPFNone, nil, nil, refused},
		{"sender, vouched", rbl, from("x@friend.example"), mailauth.SPFPass, nil, nil, ""},
		{"sender, vouched, sub-domain", rbl, from("x@sub.friend.example"), mailauth.SPFPass, nil, nil, ""},
		{"sender, DUNNO", rbl, from("x@no.friend.example"), mailauth.SPFPass, nil, nil, refused},
		{"sender, no SPF", rbl, from("x@friend.example"), mailauth.SPFNone, nil, nil, refused},
		{"sender, SPF fails", greylist, from("x@friend.example"), mailauth.SPFFail, nil, nil, refused},
		{"sender, SPF soft fail", greylist, from("x@friend.example"), mailauth.SPFSoftFail, nil, nil, refused},
		{"sender, no SPF, greylist", greylist, from("x@friend.example"), mailauth.SPFNone, nil, nil, ""},
		{"sender, neutral, greylist", greylist, from("x@friend.example"), mailauth.SPFNeutral, nil, nil, ""},
		{"sender, could not tell", rbl, from("x@friend.example"), mailauth.SPFTempError, errors.New("timeout"), nil, deferred},
		{"sender, OK unverified", rbl, from("x@odd.example"), mailauth.SPFFail, nil, nil, ""},
		{"sender, permitted client vouches", policy.ExemptPermitSender, client(from("x@friend.example"), "192.0.2.66"), mailauth.SPFFail, nil, nil, ""},
		{"null sender", greylist, from(""), mailauth.SPFPass, nil, []policy.Grant{{By: policy.ExemptAutoAllow, Vouched: true, Source: "x"}}, refused},
		{"sender without a domain", rbl, from("friend.example"), mailauth.SPFPass, nil, nil, refused},
		{"auto-allow, vouched", rbl, mail(to), mailauth.SPFPass, nil, []policy.Grant{{By: policy.ExemptAutoAllow, Source: "pair"}}, ""},
		{"auto-allow, not vouched", rbl, mail(to), mailauth.SPFNone, nil, []policy.Grant{{By: policy.ExemptAutoAllow, Source: "pair"}}, refused},
		{"auto-allow, could not tell", rbl, mail(to), mailauth.SPFTempError, errors.New("timeout"), []policy.Grant{{By: policy.ExemptAutoAllow}}, deferred},
		{"recipient's permit, vouched by itself", rbl, mail(to), mailauth.SPFFail, nil, []policy.Grant{{By: policy.ExemptRecipientPermit, Vouched: true, Source: "own"}}, ""},
		{"recipient's permit, a check that does not give way", policy.ExemptAutoAllow, mail(to), mailauth.SPFPass, nil, []policy.Grant{{By: policy.ExemptRecipientPermit}}, refused},
		{"no check grants a standing", policy.ExemptTrusted, mail(to), mailauth.SPFPass, nil, []policy.Grant{{By: policy.ExemptTrusted, Vouched: true, Source: "x"}}, refused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			grant := policy.Hooks{
				Mail: func(m *policy.Message) (policy.Verdict, error) {
					knowSPF(m, tt.spf, tt.spfErr)
					return policy.Pass, nil
				},
				Grant: func(context.Context, *policy.Recipient) ([]policy.Grant, error) { return tt.grants, nil },
			}
			r := newRig(t, permitTables, check("grant", grant), check("x", objecting("x", policy.StageRcpt), bypass(tt.bypass)))
			wantSaid(t, r.send(tt.letter), tt.want)
		})
	}
}

func TestGrantsAreForOneRecipient(t *testing.T) {
	hooks := objecting("x", policy.StageConnect)
	asked := 0
	hooks.Grant = func(_ context.Context, r *policy.Recipient) ([]policy.Grant, error) {
		asked++
		if r.Address.Local == "friend" {
			return []policy.Grant{{By: policy.ExemptAutoAllow, Vouched: true, Source: "pair"}}, nil
		}
		return nil, nil
	}
	again := check("again", objecting("again", policy.StageMail), bypass(policy.ExemptAutoAllow))
	r := newRig(t, "", check("x", hooks, bypass(policy.ExemptAutoAllow)), again)
	wantSaid(t, r.send(mail("friend@ours.example", "other@ours.example")), "rcpt other@ours.example 550 5.7.1 x")
	if asked != 2 {
		t.Errorf("grants were asked for %d times, want once a recipient", asked)
	}
}

// A permit that could not be looked up makes the objection temporary, if it could count: something
// has to vouch for the sender.
func TestAFailingGrantMakesTheObjectionTemporary(t *testing.T) {
	const refused, temporary = "rcpt a@ours.example 550 5.7.1 x", "rcpt a@ours.example 451 4.7.1 x"
	for _, tt := range []struct {
		name   string
		panics bool
		spf    mailauth.SPFResult
		spfErr error
		want   string
	}{
		{"vouched", false, mailauth.SPFPass, nil, temporary},
		{"vouched, panic", true, mailauth.SPFPass, nil, temporary},
		{"SPF cannot tell", false, mailauth.SPFNone, errors.New("time-out"), temporary},
		{"not vouched", false, mailauth.SPFFail, nil, refused},
		{"no SPF", false, mailauth.SPFNone, nil, refused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hooks := objecting("x", policy.StageRcpt)
			hooks.Mail = func(m *policy.Message) (policy.Verdict, error) {
				knowSPF(m, tt.spf, tt.spfErr)
				return policy.Pass, nil
			}
			hooks.Grant = func(context.Context, *policy.Recipient) ([]policy.Grant, error) {
				if tt.panics {
					panic("x")
				}
				return nil, errors.New("store is gone")
			}
			r := newRig(t, "", check("x", hooks, bypass(policy.ExemptAutoAllow)))
			wantSaid(t, r.send(mail("a@ours.example")), tt.want)
		})
	}
}

func TestHeaderFromPermits(t *testing.T) {
	for _, tt := range []struct {
		name, envelope, header string
		spf                    mailauth.SPFResult
		want                   string
	}{
		{"vouched and aligned", "bounce@friend.example", "Friend <x@friend.example>", mailauth.SPFPass, ""},
		{"not vouched", "bounce@friend.example", "x@friend.example", mailauth.SPFNone, "end 550 5.7.1 spam"},
		{"vouched for another domain", "x@evil.example", "x@friend.example", mailauth.SPFPass, "end 550 5.7.1 spam"},
		{"OK unverified", "x@evil.example", "x@odd.example", mailauth.SPFFail, ""},
		{"nobody permitted", "x@else.example", "x@else.example", mailauth.SPFPass, "end 550 5.7.1 spam"},
		{"behind as many as are looked up", "x@friend.example", others(policy.MaxFirstFrom-1) + "x@friend.example", mailauth.SPFPass, ""},
		{"behind more", "x@friend.example", others(policy.MaxFirstFrom) + "x@friend.example", mailauth.SPFPass, "end 550 5.7.1 spam"},
		{"in front of more", "x@friend.example", "x@friend.example," + others(policy.MaxFirstFrom), mailauth.SPFPass, "end 550 5.7.1 spam"},
		{"longer than is kept", "x@friend.example", "x@friend.example" + strings.Repeat(" ", maxFromOctets), mailauth.SPFPass, "end 550 5.7.1 spam"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hooks := objecting("spam", policy.StageEnd)
			hooks.Mail = func(m *policy.Message) (policy.Verdict, error) { knowSPF(m, tt.spf, nil); return policy.Pass, nil }
			r := newRig(t, permitTables, check("spam", hooks, bypass(policy.ExemptHeaderFrom)))
			l := mail("a@ours.example")
			l.from, l.fields = tt.envelope, []policy.Field{{Name: "From", Value: tt.header}}
			wantSaid(t, r.send(l), tt.want)
		})
	}
}

// others are that many addresses of a From field, each with a comma.
func others(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d@else.example,", i)
	}
	return b.String()
}

func TestStandings(t *testing.T) {
	const to = "a@ours.example"
	login, trusted, relay := mail(to), mail(to), mail(to)
	login.login, trusted.client, relay.client = "bob", "127.0.0.1", "192.0.2.77"
	mapped, unknown := mail(to), mail(to)
	mapped.client, unknown.client = "::ffff:127.0.0.1", ""
	const refused = "rcpt " + to + " 550 5.7.1 x"
	for _, tt := range []struct {
		name   string
		bypass policy.Exemption
		letter letter
		want   string
	}{
		{"untrusted client", policy.ExemptTrusted | policy.ExemptLogin | policy.ExemptRelay, mail(to), refused},
		{"unknown client", policy.ExemptTrusted | policy.ExemptRelay, unknown, refused},
		{"trusted net", policy.ExemptTrusted, trusted, ""},
		{"trusted net, mapped", policy.ExemptTrusted, mapped, ""},
		{"trusted net is no login", policy.ExemptLogin, trusted, refused},
		{"login", policy.ExemptLogin, login, ""},
		{"login is trusted", policy.ExemptTrusted, login, ""},
		{"relay", policy.ExemptRelay, relay, ""},
		{"relay is not trusted", policy.ExemptTrusted, relay, refused},
	} {
		for _, stage := range []policy.Stage{policy.StageConnect, policy.StageRcpt} {
			t.Run(tt.name+" "+stage.String(), func(t *testing.T) {
				r := newRig(t, "--inbound-relays=inline:{192.0.2.77=x}", check("x", objecting("x", stage), bypass(tt.bypass)))
				wantSaid(t, r.send(tt.letter), tt.want)
			})
		}
	}
}

// TestALoginWaitsForNothingThatItBypasses: what was asked when the client connected must not hold
// up our own users.
func TestALoginWaitsForNothingThatItBypasses(t *testing.T) {
	hang := policy.Hooks{Connect: func(*policy.Connection) (policy.Verdict, error) {
		return policy.Asks(policy.Network{}).Later(func(ctx context.Context) (policy.Verdict, error) { <-ctx.Done(); return policy.Pass, ctx.Err() }), nil
	}}
	r := newRig(t, "", check("x", hang, bypass(policy.ExemptTrusted), onError(policy.Accept)))
	l := mail("a@ours.example")
	l.login = "bob"
	wantSaid(t, r.send(l), "")
	wantEvents(t, r)
}

func TestAlwaysAccept(t *testing.T) {
	for _, tt := range []struct {
		name string
		to   []string
		want []string
	}{
		{"postmaster of ours", []string{"PostMaster@ours.example"}, []string{""}},
		{"abuse of ours", []string{"abuse@ours.example"}, []string{""}},
		{"bare postmaster", []string{"postmaster"}, []string{""}},
		{"bare abuse", []string{"abuse"}, []string{"rcpt abuse 550 5.7.1 x"}},
		{"elsewhere", []string{"postmaster@else.example"}, []string{"rcpt postmaster@else.example 550 5.7.1 x"}},
		{"second of two", []string{"abuse@ours.example", "postmaster@ours.example"}, []string{"rcpt postmaster@ours.example 550 5.7.1 x", ""}},
		{"after a refused one", []string{"a@ours.example", "abuse@ours.example"}, []string{"rcpt a@ours.example 550 5.7.1 x", ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, "", check("x", objecting("x", policy.StageConnect), bypass(policy.ExemptAlwaysAccept)),
				check("y", objecting("y", policy.StageEnd), bypass(policy.ExemptAlwaysAccept)))
			want := tt.want
			if len(want) > 1 && want[1] == "" {
				want = want[:1]
			}
			wantSaid(t, r.send(mail(tt.to...)), want...)
		})
	}
	t.Run("not the only one at the end", func(t *testing.T) {
		r := newRig(t, "", check("y", objecting("y", policy.StageEnd), bypass(policy.ExemptAlwaysAccept)))
		wantSaid(t, r.send(mail("abuse@ours.example", "a@ours.example")), "end 550 5.7.1 y")
	})
}

func TestSPFOfNobody(t *testing.T) {
	for name, l := range map[string]letter{
		"unknown client":          {from: "x@friend.example"},
		"inbound relay":           {client: "192.0.2.77", from: "x@friend.example"},
		"sender without a domain": {client: "192.0.2.1", from: "boss"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, "--inbound-relays=inline:{192.0.2.77=x}")
			s := r.runner.NewSession()
			defer s.Close()
			s.Connect(l.connect())
			s.Mail(policy.MailFacts{Sender: l.from})
			if result, err := s.msg.SPF(t.Context()); result != mailauth.SPFNone || err != nil {
				t.Errorf("SPF is %s, %v", result, err)
			}
			if ok, err := s.msg.Vouched(t.Context()); ok || err != nil {
				t.Errorf("vouched: %v, %v", ok, err)
			}
		})
	}
}

// TestGrantsThatNeverWait: they are asked where the objection is resolved, once a recipient; what
// they grant still has to be vouched for.
func TestGrantsThatNeverWait(t *testing.T) {
	for _, tt := range []struct {
		name   string
		mode   policy.Mode
		spf    mailauth.SPFResult
		grants []policy.Grant
		err    error
		want   string
		events []string
	}{
		{"nothing", policy.Enforce, mailauth.SPFPass, nil, nil, "rcpt a@ours.example 550 5.7.1 x", []string{"x refused a@ours.example"}},
		{"of another kind", policy.Enforce, mailauth.SPFPass, []policy.Grant{{By: policy.ExemptRecipientPermit, Vouched: true}}, nil, "rcpt a@ours.example 550 5.7.1 x", []string{"x refused a@ours.example"}},
		{"vouched for", policy.Enforce, mailauth.SPFPass, []policy.Grant{{By: policy.ExemptAutoAllow, Source: "pair"}}, nil, "", nil},
		{"not vouched for", policy.Enforce, mailauth.SPFNone, []policy.Grant{{By: policy.ExemptAutoAllow, Source: "pair"}}, nil, "rcpt a@ours.example 550 5.7.1 x", []string{"x refused a@ours.example"}},
		{"fails", policy.Enforce, mailauth.SPFPass, nil, errors.New("gone"), "rcpt a@ours.example 451 4.7.1 x", []string{"x deferred a@ours.example"}},
		{"monitored, nothing", policy.Monitor, mailauth.SPFPass, nil, nil, "", []string{"x would_refuse a@ours.example"}},
		{"monitored, vouched for", policy.Monitor, mailauth.SPFPass, []policy.Grant{{By: policy.ExemptAutoAllow, Source: "pair"}}, nil, "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := 0
			hooks := objecting("x", policy.StageRcpt)
			hooks.Mail = func(m *policy.Message) (policy.Verdict, error) { knowSPF(m, tt.spf, nil); return policy.Pass, nil }
			hooks.Grant = func(context.Context, *policy.Recipient) ([]policy.Grant, error) { asked++; return tt.grants, tt.err }
			hooks.GrantAtOnce = true
			r := newRig(t, "", check("x", hooks, bypass(policy.ExemptAutoAllow), func(c *policy.Check) { c.Mode = tt.mode }))
			wantSaid(t, r.send(mail("a@ours.example")), tt.want)
			wantEvents(t, r, tt.events...)
			if asked != 1 {
				t.Errorf("grants were asked for %d times, want once", asked)
			}
		})
	}
}

// TestQueriesOfOneRecipient: what was asked about the client once is told of each recipient, and
// what was asked for the permit of one of that one alone.
func TestQueriesOfOneRecipient(t *testing.T) {
	ask := policy.Asks()
	var step func(n int) policy.Verdict
	step = func(n int) policy.Verdict {
		return ask.Later(func(ctx context.Context) (policy.Verdict, error) {
			trace.Add(ctx, fmt.Sprintf("question %d", n), "answer")
			if n < 3 {
				return step(n + 1), nil
			}
			return no("x")
		})
	}
	r := newRig(t, "", check("x", policy.Hooks{
		Connect: func(*policy.Connection) (policy.Verdict, error) { return step(1), nil },
		Mail: func(m *policy.Message) (policy.Verdict, error) {
			knowSPF(m, "none", nil)
			return policy.Pass, nil
		},
		Grant: func(_ context.Context, r *policy.Recipient) ([]policy.Grant, error) {
			return []policy.Grant{{By: policy.ExemptAutoAllow, Source: "pair of " + r.Address.Local}}, nil
		},
	}, bypass(policy.ExemptAutoAllow)))
	r.send(mail("alice@ours.example", "bob@ours.example"))
	r.idle()
	for _, e := range r.seen.list {
		pair := "pair of " + strings.TrimSuffix(e.Recipients[0], "@ours.example")
		if !slices.ContainsFunc(e.Trace, func(q trace.Query) bool { return q.Question == pair }) {
			t.Errorf("the event about %s does not have %q: %v", e.Recipients[0], pair, e.Trace)
		}
	}
	if len(r.seen.list) != 2 {
		t.Errorf("%d events, want one for each recipient", len(r.seen.list))
	}
}
