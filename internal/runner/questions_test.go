package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"

	"mailweir/internal/policy"
	"mailweir/internal/trace"
)

// asking is a check with one question at RCPT, which answers with its own number for each
// recipient.
func asking(mode policy.Mode, these []policy.Waiter, f func(context.Context) (policy.Verdict, error), settled *[]string) *policy.Check {
	return check("x", policy.Hooks{}, func(c *policy.Check) {
		c.Mode, c.OnError = mode, policy.Accept
		c.Setup = func(*policy.Flags) policy.Build {
			return func(env *policy.Env) (policy.Hooks, error) {
				q := policy.NewQuestion[int](env, these...)
				n := 0
				return policy.Hooks{
					Rcpt: func(r *policy.Recipient) (policy.Verdict, error) {
						n++
						own := n
						return q.Later(r, func(ctx context.Context) (int, policy.Verdict, error) {
							v, err := f(ctx)
							return own, v, err
						}), nil
					},
					SettleRecipient: func(_ context.Context, r *policy.Recipient, o policy.Outcome) {
						value, ok := q.Of(r)
						*settled = append(*settled, fmt.Sprint(value, ok, o.Fate))
					},
				}, nil
			}
		}
	})
}

// TestTheAnswerReachesLearning: what a question has found out is there, typed, when its check
// learns; nothing after a failure.
func TestTheAnswerReachesLearning(t *testing.T) {
	pass := func(context.Context) (policy.Verdict, error) { return policy.Pass, nil }
	object := func(context.Context) (policy.Verdict, error) { return no("x") }
	fail := func(context.Context) (policy.Verdict, error) { return policy.Pass, errors.New("gone") }
	for name, these := range map[string][]policy.Waiter{"at once": nil, "waits": {policy.Network{}}} {
		for _, tt := range []struct {
			name string
			mode policy.Mode
			f    func(context.Context) (policy.Verdict, error)
			want []string
		}{
			{"passes", policy.Enforce, pass, []string{"1 true accepted", "2 true accepted"}},
			{"objects", policy.Enforce, object, []string{"1 true refused", "2 true refused"}},
			{"would object", policy.Monitor, object, []string{"1 true accepted", "2 true accepted"}},
			{"fails", policy.Enforce, fail, []string{"0 false accepted", "0 false accepted"}},
		} {
			t.Run(name+" "+tt.name, func(t *testing.T) {
				var settled []string
				r := newRig(t, "", asking(tt.mode, these, tt.f, &settled))
				r.send(mail("a@ours.example", "b@ours.example"))
				r.idle()
				if !slices.Equal(settled, tt.want) {
					t.Errorf("settled %q, want %q", settled, tt.want)
				}
			})
		}
	}
}

// TestWhatNeverWaitsIsAskedAtOnce: on the session's path, before the next check runs; then one that
// waits, if it says so.
func TestWhatNeverWaitsIsAskedAtOnce(t *testing.T) {
	var order []string
	next := make(chan struct{}) // the network answers when the next check has run
	first := policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) {
		return policy.Asks().Later(func(ctx context.Context) (policy.Verdict, error) {
			order = append(order, "asked")
			trace.Add(ctx, "memory?", "no")
			return policy.Asks(policy.Network{}).Later(func(ctx context.Context) (policy.Verdict, error) {
				<-next
				trace.Add(ctx, "network?", "yes")
				return no("first")
			}), nil
		}), nil
	}}
	second := policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) {
		order = append(order, "next check")
		close(next)
		return policy.Asks().Later(func(ctx context.Context) (policy.Verdict, error) {
			trace.Add(ctx, "other?", "no")
			return policy.Pass, nil
		}), nil
	}}
	r := newRig(t, "", check("first", first), check("second", second))
	wantSaid(t, r.send(mail("a@ours.example")), "rcpt a@ours.example 550 5.7.1 first")
	if want := []string{"asked", "next check"}; !slices.Equal(order, want) {
		t.Errorf("order %q, want %q", order, want)
	}
	want := []trace.Query{{Question: "memory?", Answer: "no"}, {Question: "network?", Answer: "yes"}}
	if got := r.seen.list[0].Trace; !slices.Equal(got, want) {
		t.Errorf("the event keeps %v, want %v", got, want)
	}
}

// TestAnObjectionFoundAtOnceSparesTheRest: a refusal that took no waiting is certain like any
// other.
func TestAnObjectionFoundAtOnceSparesTheRest(t *testing.T) {
	ran := false
	at := policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) {
		return policy.Asks().Later(func(context.Context) (policy.Verdict, error) { return no("x") }), nil
	}}
	probe := policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) { ran = true; return policy.Pass, nil }}
	r := newRig(t, "", check("x", at), check("probe", probe))
	wantSaid(t, r.send(mail("a@ours.example")), "rcpt a@ours.example 550 5.7.1 x")
	if ran {
		t.Error("a later check ran for a recipient that was refused already")
	}
}

// TestWhatOnlyMonitorsIsAskedAfterTheReply: it costs the answer nothing, and what never gets so far
// is not asked.
func TestWhatOnlyMonitorsIsAskedAfterTheReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := 0 // read when all is at rest
		hooks := policy.Hooks{Connect: func(*policy.Connection) (policy.Verdict, error) {
			return policy.Asks(policy.Network{}).Later(func(context.Context) (policy.Verdict, error) { began++; return no("y") }), nil
		}}
		r := newBubbleRig(t, "--y=monitor", check("y", hooks))
		s := r.runner.NewSession()
		s.Connect(mail().connect())
		s.Helo(policy.HeloFacts{Name: "h"})
		s.Mail(policy.MailFacts{Sender: "x@else.example"})
		synctest.Wait()
		if began != 0 {
			t.Error("it was asked before anything was to be answered")
		}
		s.Rcpt(policy.RcptFacts{Recipient: "a@ours.example"})
		s.Rcpt(policy.RcptFacts{Recipient: "b@ours.example"})
		synctest.Wait()
		if began != 1 {
			t.Errorf("it was asked %d times, want once", began)
		}
		s.Close()
		wantEvents(t, r, "y would_refuse a@ours.example", "y would_refuse b@ours.example")
	})
}

// Scanners begin together, and the first in the printed order answers however long it takes.
func TestScannersBeginTogether(t *testing.T) {
	for _, tt := range []struct {
		name          string
		first, second bool // object
		want          string
	}{
		{"both object", true, true, "end 550 5.7.1 first"},
		{"the second objects", false, true, "end 550 5.7.1 second"},
		{"the first objects", true, false, "end 550 5.7.1 first"},
		{"neither", false, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			begun, ended := make(chan struct{}), make(chan struct{})
			later := func(name string, objects bool, wait func()) *policy.Check {
				return scanner(func(context.Context, io.Reader, io.Reader) (policy.Verdict, error) {
					wait()
					if objects {
						return no(name)
					}
					return policy.Pass, nil
				}, func(c *policy.Check) { c.Name, c.Replies = name, []*policy.Reply{reply(name)} })
			}
			r := newRig(t, "", // the first ends after the second, and the second begins before the first has ended
				later("first", tt.first, func() { close(begun); <-ended }), later("second", tt.second, func() { <-begun; close(ended) }))
			wantSaid(t, r.send(mail("a@ours.example")), tt.want)
		})
	}
}
