package runner

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mailweir/internal/policy"
)

// diary keeps what a check was called for, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *diary) text() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.lines, "\n")
}

// everything is a check that uses every hook, slots in all three scopes, Later, Grant, Acquire and
// Close.
func everything(d *diary) *policy.Check {
	type count struct {
		mu sync.Mutex
		n  int
	}
	build := func(env *policy.Env) (policy.Hooks, error) {
		slot := policy.NewSlot[count](env)
		next := func(where policy.Scope) int {
			c := slot.Of(where)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.n++
			return c.n
		}
		lease := func(where policy.Scope, key string) (policy.Verdict, error) {
			return policy.Asks(policy.Network{}).Later(func(ctx context.Context) (policy.Verdict, error) {
				ok, err := policy.Acquire(ctx, env.State, where, key, 1)
				if err != nil || ok {
					return policy.Pass, err
				}
				return policy.Object(reply("everything")).Because("%s is taken", key), nil
			}), nil
		}
		return policy.Hooks{
			Connect: func(c *policy.Connection) (policy.Verdict, error) {
				d.note("connect %d", next(c))
				return lease(c, "conn")
			},
			Helo: func(c *policy.Connection) (policy.Verdict, error) {
				d.note("helo %d", next(c))
				return policy.Pass, nil
			},
			Mail: func(m *policy.Message) (policy.Verdict, error) {
				d.note("mail %d %d", next(m.Conn), next(m))
				return lease(m, "mail")
			},
			Rcpt: func(r *policy.Recipient) (policy.Verdict, error) {
				d.note("rcpt %s %d %d", r.Address.Local, next(r.Msg), next(r))
				if r.Address.Local == "busy" {
					return lease(r, "mail")
				}
				return policy.Pass, nil
			},
			Header: func(m *policy.Message, f policy.Field) { d.note("header %s %d", f.Name, next(m)) },
			Body:   func(m *policy.Message, chunk []byte) { d.note("body %s %d", chunk, next(m)) },
			Headers: func(m *policy.Message) (policy.Verdict, error) {
				d.note("headers %d", next(m))
				return policy.Pass, nil
			},
			HeadersFor: func(r *policy.Recipient) (policy.Verdict, error) {
				d.note("headers for %d", next(r))
				return policy.Pass, nil
			},
			Message: func(m *policy.Message) (policy.Verdict, error) {
				d.note("message %d", next(m))
				return policy.Pass, nil
			},
			MessageFor: func(r *policy.Recipient) (policy.Verdict, error) {
				d.note("message for %d", next(r))
				return policy.Pass, nil
			},
			Grant: func(_ context.Context, r *policy.Recipient) ([]policy.Grant, error) {
				d.note("grant %s", r.Address.Local)
				return nil, nil
			},
			SettleRecipient: func(_ context.Context, r *policy.Recipient, o policy.Outcome) {
				d.note("settle %s %s %s%s %d", r.Address.Local, o.Fate, o.Check, o.Event, next(r))
			},
			SettleMessage: func(_ context.Context, m *policy.Message, o policy.Outcome) {
				d.note("settle message %s %d", o.Fate, next(m))
			},
			Close: func() { d.note("close") },
		}, nil
	}
	return check("everything", policy.Hooks{}, bypass(policy.ExemptAutoAllow), func(c *policy.Check) {
		c.Setup = func(*policy.Flags) policy.Build { return build }
	})
}

func TestEveryHook(t *testing.T) {
	d := &diary{}
	r := newRig(t, "", everything(d))
	r.seen.id = "mw-1"
	l := mail("a@ours.example", "busy@ours.example")
	l.fields, l.body = []policy.Field{{Name: "Subject", Value: "x"}}, "text"
	wantSaid(t, r.send(l), "rcpt busy@ours.example 550 5.7.1 everything [mw-1]")
	r.idle()
	r.runner.Swap(r.policy(""))
	want := `connect 1
helo 2
mail 3 1
rcpt a 2 1
rcpt busy 3 1
grant busy
header Subject 4
headers 5
headers for 2
body text 6
message 7
message for 3
settle a accepted  4
settle message accepted 8
close`
	// A refused recipient is settled beside the session: after it was judged, before the message
	// is.
	const refused = "settle busy refused everythingmw-1 2\n"
	text := d.text()
	if at := strings.Index(text, refused); at < strings.Index(text, "grant busy") || at > strings.Index(text, "settle a ") {
		t.Errorf("the refused recipient is not settled in its place:\n%s", text)
	}
	if got := strings.Replace(text, refused, "", 1); got != want {
		t.Errorf("the check was called for:\n%s\nwant:\n%s", got, want)
	}
	for _, key := range []string{"conn", "mail"} {
		if _, ok, _ := r.backends.State.Acquire(t.Context(), key, 1); !ok {
			t.Errorf("the lease %s was not given back", key)
		}
	}
}

// TestLeasesEndWithTheirScope: the next message finds the place free, although nothing beside the
// session has run yet.
func TestLeasesEndWithTheirScope(t *testing.T) {
	hold := make(chan struct{})
	settle := policy.Hooks{SettleMessage: func(context.Context, *policy.Message, policy.Outcome) { <-hold }}
	r := newRig(t, "", everything(&diary{}), check("settle", settle))
	s := r.runner.NewSession()
	s.Connect(mail().connect())
	for range 3 {
		wantSaid(t, r.again(s, mail("a@ours.example")), "")
	}
	close(hold)
	s.Close()
}

// TestReserve: what was counted in advance is given back at once with each recipient whose mail is
// not accepted, also where it is counted when he is out already.
func TestReserve(t *testing.T) {
	for _, tt := range []struct {
		name string
		late bool
		do   func(*Session)
		want string
	}{
		{"accepted", false, func(s *Session) { s.EndOfMessage("1") }, ""},
		{"accepted, counted late", true, func(s *Session) { s.EndOfMessage("1") }, "kept"},
		{"given up", false, (*Session).Abort, "a given back"},
		{"given up, counted late", true, (*Session).Abort, "a given back, not kept"},
		{"one is refused", false, func(s *Session) { s.Rcpt(policy.RcptFacts{Recipient: "no@ours.example"}); s.EndOfMessage("1") }, "no given back"},
		{"lost", false, (*Session).Close, "a given back"},
		{"refused at the end", false, func(s *Session) {
			s.Header(policy.Field{Name: "Subject", Value: "no"}, "")
			s.EndOfHeaders()
			s.EndOfMessage("1")
		}, "a given back"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &diary{}
			var last *policy.Recipient
			reserve := func() bool {
				name := last.Address.Local
				return policy.Reserve(last, func() { d.note("%s given back", name) })
			}
			hooks := policy.Hooks{
				Rcpt: func(r *policy.Recipient) (policy.Verdict, error) {
					if last = r; !tt.late {
						reserve()
					}
					if r.Address.Local == "no" {
						return no("x")
					}
					return policy.Pass, nil
				},
				Headers: func(m *policy.Message) (policy.Verdict, error) {
					if len(m.Values("Subject")) > 0 {
						return no("x")
					}
					return policy.Pass, nil
				},
			}
			r := newRig(t, "", check("x", hooks))
			s := r.runner.NewSession()
			s.Connect(mail().connect())
			s.Mail(policy.MailFacts{Sender: "x@else.example"})
			s.Rcpt(policy.RcptFacts{Recipient: "a@ours.example"})
			tt.do(s)
			got := d.text()
			if tt.late {
				words := map[bool]string{true: "kept", false: "not kept"}[reserve()]
				got = strings.TrimPrefix(strings.ReplaceAll(d.text()+"\n"+words, "\n", ", "), ", ")
			}
			s.Close()
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestFates(t *testing.T) {
	const to = "a@ours.example"
	begin := func(s *Session) {
		s.Connect(mail().connect())
		s.Mail(policy.MailFacts{Sender: "x@else.example"})
		s.Rcpt(policy.RcptFacts{Recipient: to})
	}
	for _, tt := range []struct {
		name string
		do   func(*Session)
		want []string
	}{
		{"accepted", func(s *Session) { begin(s); s.EndOfMessage("1"); s.Abort(); s.Abort() }, []string{"a accepted", "message accepted"}},
		{"abandoned", func(s *Session) { begin(s); s.Abort(); s.Abort() }, []string{"a abandoned", "message abandoned"}},
		{"lost", begin, []string{"a lost", "message lost"}},
		{"new MAIL", func(s *Session) { begin(s); s.Mail(policy.MailFacts{}) }, []string{"a abandoned", "message abandoned", "message lost"}},
		{"new EHLO", func(s *Session) { begin(s); s.Helo(policy.HeloFacts{}) }, []string{"a abandoned", "message abandoned"}},
		{"refused by the MTA", func(s *Session) {
			begin(s)
			s.RcptRefusedByMTA(policy.RcptFacts{Recipient: "b@ours.example"})
			s.EndOfMessage("1")
		}, []string{"b refused_by_mta", "a accepted", "message accepted"}},
		{"closed twice", func(s *Session) { begin(s); s.Close(); s.Close() }, []string{"a lost", "message lost"}},
		{"connected twice", func(s *Session) { begin(s); s.Connect(mail().connect()) }, []string{"a lost", "message lost"}},
		{"nothing but QUIT", func(s *Session) { s.Connect(mail().connect()) }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &diary{}
			hooks := policy.Hooks{
				SettleRecipient: func(_ context.Context, r *policy.Recipient, o policy.Outcome) {
					d.note("%s %s", r.Address.Local, o.Fate)
				},
				SettleMessage: func(_ context.Context, _ *policy.Message, o policy.Outcome) { d.note("message %s", o.Fate) },
			}
			r := newRig(t, "", check("x", hooks))
			s := r.runner.NewSession()
			tt.do(s)
			s.Close()
			r.idle()
			if got := d.text(); got != strings.Join(tt.want, "\n") {
				t.Errorf("settled:\n%s\nwant:\n%s", got, strings.Join(tt.want, "\n"))
			}
			if r.seen.opened != r.seen.closed {
				t.Errorf("%d connections opened, %d closed", r.seen.opened, r.seen.closed)
			}
		})
	}
}

// TestReload: a transaction keeps its policy, the next one on the same connection has the newer,
// and what a policy holds is closed once, when the last session has left it.
func TestReload(t *testing.T) {
	d := &diary{}
	built := 0
	versioned := check("x", policy.Hooks{}, func(c *policy.Check) {
		c.Setup = func(*policy.Flags) policy.Build {
			return func(*policy.Env) (policy.Hooks, error) {
				built++
				name := fmt.Sprint("policy ", built)
				return policy.Hooks{
					Connect: func(c *policy.Connection) (policy.Verdict, error) {
						d.note("%s connect %s", name, c.Client)
						return policy.Pass, nil
					},
					Helo: func(c *policy.Connection) (policy.Verdict, error) {
						d.note("%s helo %s", name, c.HeloFacts.Name)
						return policy.Pass, nil
					},
					Rcpt:  func(*policy.Recipient) (policy.Verdict, error) { return policy.Object(reply("x")).Text(name), nil },
					Close: func() { d.note("%s close", name) },
				}, nil
			}
		}
	})
	r := newRig(t, "", versioned)
	s := r.runner.NewSession()
	s.Connect(mail().connect())
	s.Helo(policy.HeloFacts{Name: "h"})
	s.Mail(policy.MailFacts{})
	r.runner.Swap(r.policy(""))
	if a := s.Rcpt(policy.RcptFacts{Recipient: "a@ours.example"}); a.Line.Text() != "policy 1" {
		t.Errorf("a transaction under way was answered by another policy: %v", a.Line)
	}
	wantSaid(t, r.again(s, mail("a@ours.example")), "rcpt a@ours.example 550 5.7.1 policy 2")
	s.Close()
	r.idle()
	r.runner.Swap(r.policy(""))
	want := []string{
		"policy 1 connect 192.0.2.1", "policy 1 helo h", "policy 2 connect 192.0.2.1", "policy 2 helo h",
		"policy 1 close", "policy 2 close",
	}
	got := strings.Split(d.text(), "\n")
	slices.Sort(got) // what is settled and what runs are beside one another
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("calls:\n%s", d.text())
	}
}

func TestManySessionsAndReloads(t *testing.T) {
	d := &diary{}
	r := newRig(t, "", everything(d), check("end", objecting("end", policy.StageEnd)))
	var sessions sync.WaitGroup
	for range 8 {
		sessions.Go(func() {
			for range 20 {
				s := r.runner.NewSession()
				s.Connect(mail().connect())
				s.Helo(policy.HeloFacts{Name: "h"})
				for range 3 {
					r.again(s, mail("a@ours.example", "b@ours.example"))
					s.Helo(policy.HeloFacts{Name: "again"})
				}
				s.Close()
			}
		})
	}
	for range 20 {
		r.runner.Swap(r.policy(""))
	}
	sessions.Wait()
	r.idle()
	if n := strings.Count(d.text(), "close"); n != 20 {
		t.Errorf("%d policies were closed, want 20", n)
	}
	if r.seen.opened != 160 || r.seen.closed != 160 {
		t.Errorf("%d opened, %d closed", r.seen.opened, r.seen.closed)
	}
}

func TestEventsTellTheCase(t *testing.T) {
	hooks := policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) {
		return policy.Object(reply("x")).Because("entry %d", 3), nil
	}}
	r := newRig(t, "", check("x", hooks))
	r.seen.id = "mw-abc"
	l := mail("Bob@ours.example")
	l.name, l.login = "client.example", "bob"
	wantSaid(t, r.send(l), "rcpt Bob@ours.example 550 5.7.1 x [mw-abc]")
	r.idle()
	e := *r.seen.list[0]
	if e.Session == "" {
		t.Error("the event names no session")
	}
	if got, want := e.Line.String(), "550 5.7.1 x [mw-abc]"; got != want {
		t.Errorf("line %q, want %q", got, want)
	}
	if e.Took <= 0 {
		t.Errorf("it took %v", e.Took)
	}
	e.Session, e.Line, e.Took = "", policy.Line{}, 0
	got := fmt.Sprintf("%+v", e)
	want := fmt.Sprintf("%+v", policy.Event{
		ID: "mw-abc", Time: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Check: "x", Mode: policy.Enforce, Stage: policy.StageRcpt,
		AnsweredAt: policy.StageRcpt, Action: policy.ActionRefused, Reply: "x", Row: "P0", Cause: "entry 3",
		Client: l.connect().Client, ClientName: "client.example", Helo: "helo.example", Service: policy.MX, Login: "bob",
		Transaction: 1, Sender: "sender@else.example", HasSender: true, Recipients: []string{"Bob@ours.example"}, Count: 1,
		Direction: "internal", QueueID: "4AbC", Policy: r.runner.Policy().Digest(),
	})
	if got != want {
		t.Errorf("event:\n%s\nwant:\n%s", got, want)
	}
}
