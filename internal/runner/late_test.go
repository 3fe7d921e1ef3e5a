package runner

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/trace"
)

// slow returns a hook at connect whose word comes after that time. It counts how often it is asked.
func slow(after time.Duration, v policy.Verdict, asked *int) policy.Hooks {
	return policy.Hooks{Connect: func(*policy.Connection) (policy.Verdict, error) {
		*asked++
		return policy.Asks(policy.Network{}).Later(func(ctx context.Context) (policy.Verdict, error) {
			select {
			case <-time.After(after):
				return v, nil
			case <-ctx.Done():
				return policy.Pass, ctx.Err()
			}
		}), nil
	}}
}

// newBubbleRig is a rig for synctest, where time is false and a wait costs nothing.
func newBubbleRig(t *testing.T, flags string, checks ...*policy.Check) *rig {
	return newRigWith(t, DefaultLimits, flags, checks...)
}

func TestDeadlines(t *testing.T) {
	const a, b = "a@ours.example", "b@ours.example"
	for _, tt := range []struct {
		name  string
		after time.Duration
		error policy.OnError
		want  []string
		took  time.Duration
	}{
		{"in time", 3 * time.Second, policy.Accept, []string{"rcpt " + a + " 550 5.7.1 x", "rcpt " + b + " 550 5.7.1 x"}, 3 * time.Second},
		{"hung, accept", time.Hour, policy.Accept, []string{""}, 8 * time.Second},
		{"hung, defer", time.Hour, policy.Delay, []string{"rcpt " + a + " 451 4.7.1 Temporarily unavailable", "rcpt " + b + " 451 4.7.1 Temporarily unavailable"}, 8 * time.Second},
		{"hung, fault", time.Hour, policy.Fails, []string{"rcpt " + a + " 451 4.3.0 Unable to process", "rcpt " + b + " 451 4.3.0 Unable to process"}, 8 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				r := newBubbleRig(t, "", check("x", slow(tt.after, policy.Object(reply("x")), &asked), onError(tt.error)))
				began := time.Now()
				wantSaid(t, r.send(mail(a, b)), tt.want...)
				if took := time.Since(began); took != tt.took {
					t.Errorf("two recipients waited %v, want %v: what hangs is waited for once", took, tt.took)
				}
			})
		})
	}
}

func TestALaterThatIgnoresItsContextIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := policy.Hooks{Message: func(*policy.Message) (policy.Verdict, error) {
			return policy.Asks(policy.Network{}).Later(func(context.Context) (policy.Verdict, error) { time.Sleep(time.Hour); return policy.Pass, nil }), nil
		}}
		r := newBubbleRig(t, "", check("x", hang, onError(policy.Delay)))
		began := time.Now()
		wantSaid(t, r.send(mail("a@ours.example")), "end 451 4.3.0 Unable to process now")
		if took := time.Since(began); took != DefaultLimits.End {
			t.Errorf("the end of the message waited %v", took)
		}
	})
}

func TestWhatIsMonitoredIsNeverWaitedForButRecorded(t *testing.T) {
	const to = "a@ours.example"
	objection := func(context.Context) (policy.Verdict, error) {
		time.Sleep(3 * time.Second)
		return no("x")
	}
	for _, tt := range []struct {
		name, flags string
		hooks       policy.Hooks
	}{
		{"rcpt", "--x=monitor", policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) {
			return policy.Asks(policy.Network{}).Later(objection), nil
		}}},
		{"connect", "--x=monitor", policy.Hooks{Connect: func(*policy.Connection) (policy.Verdict, error) {
			return policy.Asks(policy.Network{}).Later(objection), nil
		}}},
		{"end", "--x=monitor", policy.Hooks{Message: func(*policy.Message) (policy.Verdict, error) {
			return policy.Asks(policy.Network{}).Later(objection), nil
		}}},
		{"end, each", "--x=monitor", policy.Hooks{MessageFor: func(*policy.Recipient) (policy.Verdict, error) {
			return policy.Asks(policy.Network{}).Later(objection), nil
		}}},
		{"cap", "--mode=monitor", policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) {
			return policy.Asks(policy.Network{}).Later(objection), nil
		}}},
		{"pilot", "--enforce-for=inline:{other@ours.example=x}", policy.Hooks{MessageFor: func(*policy.Recipient) (policy.Verdict, error) {
			return policy.Asks(policy.Network{}).Later(objection), nil
		}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newBubbleRig(t, tt.flags, check("x", tt.hooks))
				began := time.Now()
				wantSaid(t, r.send(mail(to)), "")
				if took := time.Since(began); took != 0 {
					t.Errorf("the MTA waited %v for a monitored check", took)
				}
				wantEvents(t, r, "x would_refuse "+to)
				if got := r.seen.outcomes[0].Would; !slices.Equal(got, []string{"x"}) && tt.name[:3] == "end" {
					t.Errorf("the outcome says that %v objected", got)
				}
			})
		})
	}
}

// TestCloseWaitsForWhatIsLate: what a monitored check is finding out when the daemon ends is
// recorded as what it is, not as a check that failed; what hangs is ended.
func TestCloseWaitsForWhatIsLate(t *testing.T) {
	const to = "a@ours.example"
	for _, tt := range []struct {
		name  string
		after time.Duration
		want  string
		took  time.Duration
	}{
		{"soon", time.Second, "x would_refuse " + to, time.Second},
		{"hangs", time.Hour, "x check_error " + to, closing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				r := newBubbleRig(t, "", check("x", slow(tt.after, policy.Object(reply("x")), &asked), onError(policy.Accept)))
				r.runner = NewRunner(r.policy("--x=monitor"), r.seen, DefaultLimits)
				wantSaid(t, r.send(mail(to)), "")
				began := time.Now()
				r.runner.Close()
				if took := time.Since(began); took != tt.took {
					t.Errorf("closing took %v, want %v", took, tt.took)
				}
				if got := r.seen.events(); !slices.Equal(got, []string{tt.want}) {
					t.Errorf("events: %q, want %q", got, tt.want)
				}
			})
		})
	}
}

// TestCloseEndsWhatHangs: a check whose question is ended by the daemon's end says itself what it
// knows by now, every time; where that is nothing, the record says who ended it.
func TestCloseEndsWhatHangs(t *testing.T) {
	for _, tt := range []struct {
		name string
		said error
		want []string
	}{
		{"it knows enough", nil, nil},
		{"it knows nothing", context.Canceled, []string{"mailweir was stopped before there was an answer"}},
		{"a cause of its own", errors.New("broken"), []string{"broken"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 100 { // which of the two that hear of the end came first was a matter of chance
				synctest.Test(t, func(t *testing.T) {
					hooks := policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) {
						return policy.Asks(policy.Network{}).Later(func(ctx context.Context) (policy.Verdict, error) {
							<-ctx.Done()
							return policy.Pass, tt.said
						}), nil
					}}
					r := newBubbleRig(t, "", check("x", hooks, onError(policy.Accept)))
					r.runner = NewRunner(r.policy("--x=monitor"), r.seen, DefaultLimits)
					wantSaid(t, r.send(mail("a@ours.example")), "")
					r.runner.Close()
					var got []string
					for _, e := range r.seen.list {
						got = append(got, e.Err)
					}
					if !slices.Equal(got, tt.want) {
						t.Errorf("check errors: %q, want %q", got, tt.want)
					}
				})
			}
		})
	}
}

// TestLateWorkKeepsNobodyWaiting: a session never waits for what is only recorded, however much of
// it hangs.
func TestLateWorkKeepsNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) {
			return policy.Asks(policy.Network{}).Later(func(ctx context.Context) (policy.Verdict, error) {
				<-ctx.Done()
				return policy.Pass, ctx.Err()
			}), nil
		}}
		r := newBubbleRig(t, "", check("x", hang, func(c *policy.Check) { c.Mode = policy.Monitor }))
		began := time.Now()
		wantSaid(t, r.send(mail(slices.Repeat([]string{"a@ours.example"}, 3*maxQueued)...)), "")
		if took := time.Since(began); took > 0 {
			t.Errorf("the client waited %v", took)
		}
		r.idle()
		if got := len(r.seen.events()); got != 3*maxQueued {
			t.Errorf("%d events of %d recipients", got, 3*maxQueued)
		}
	})
}

func TestAMonitoredObjectionDoesNotWaitForItsPermits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hooks := objecting("x", policy.StageRcpt)
		hooks.Grant = func(ctx context.Context, _ *policy.Recipient) ([]policy.Grant, error) {
			select {
			case <-time.After(3 * time.Second):
			case <-ctx.Done():
			}
			return []policy.Grant{{By: policy.ExemptAutoAllow, Vouched: true, Source: "pair"}}, nil
		}
		r := newBubbleRig(t, "--x=monitor", check("x", hooks, bypass(policy.ExemptAutoAllow)))
		began := time.Now()
		wantSaid(t, r.send(mail("a@ours.example")), "")
		if took := time.Since(began); took != 0 {
			t.Errorf("the MTA waited %v", took)
		}
		wantEvents(t, r)
	})
}

// TestGrantsThatHang: one recipient's grants are waited for until the deadline, however long
// somebody else waits.
func TestGrantsThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hooks := objecting("watched", policy.StageRcpt)
		hooks.Grant = func(ctx context.Context, _ *policy.Recipient) ([]policy.Grant, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		r := newBubbleRig(t, "--watched=monitor", check("watched", hooks, bypass(policy.ExemptAutoAllow)),
			check("x", objecting("x", policy.StageRcpt), bypass(policy.ExemptAutoAllow)))
		began := time.Now()
		wantSaid(t, r.send(mail("a@ours.example")), "rcpt a@ours.example 451 4.7.1 x")
		if took := time.Since(began); took != DefaultLimits.Stage {
			t.Errorf("the recipient waited %v", took)
		}
	})
}

func TestTooManyQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		limits := DefaultLimits
		limits.Questions = 1
		r := newRigWith(t, limits, "", check("one", slow(time.Second, policy.Pass, &asked)),
			check("two", slow(time.Second, policy.Pass, &asked), onError(policy.Delay)))
		wantSaid(t, r.send(mail("a@ours.example")), "rcpt a@ours.example 451 4.7.1 Temporarily unavailable")
	})
}

// TestAbandonedWorkIsCancelled: what nobody waits for ends with its scope.
func TestAbandonedWorkIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		r := newBubbleRig(t, "", check("x", slow(time.Hour, policy.Pass, &asked)))
		began := time.Now()
		s := r.runner.NewSession()
		s.Connect(mail().connect())
		s.Close()
		r.idle()
		if took := time.Since(began); took != 0 {
			t.Errorf("work went on for %v after its connection had ended", took)
		}
	})
}

func TestEventsKeepWhatWasAsked(t *testing.T) {
	hooks := policy.Hooks{
		Rcpt: func(*policy.Recipient) (policy.Verdict, error) {
			return policy.Asks(policy.Network{}).Later(func(ctx context.Context) (policy.Verdict, error) { trace.Add(ctx, "a?", "yes"); return no("x") }), nil
		},
		Grant: func(ctx context.Context, _ *policy.Recipient) ([]policy.Grant, error) {
			trace.Add(ctx, "pair?", "no")
			return nil, nil
		},
	}
	r := newRig(t, "", check("x", hooks, bypass(policy.ExemptAutoAllow)))
	r.send(mail("a@ours.example"))
	want := []trace.Query{{Question: "a?", Answer: "yes"}, {Question: "pair?", Answer: "no"}}
	if got := r.seen.list[0].Trace; !slices.Equal(got, want) {
		t.Errorf("the event keeps %v, want %v", got, want)
	}
}
