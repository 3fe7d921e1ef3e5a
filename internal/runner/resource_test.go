package runner

import (
	"errors"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"mailweir/internal/policy"
)

// line is a connection that a check keeps beyond one policy.
type line struct {
	to     string
	closed bool
}

func (l *line) Close() error {
	l.closed = true
	return nil
}

// dialer is a check with one connection, to where --dialer-to says.
type dialer struct {
	opened []*line
	down   bool // nobody answers
}

func (d *dialer) check() *policy.Check {
	c := check("dialer", policy.Hooks{})
	c.Setup = func(f *policy.Flags) policy.Build {
		to := f.String("to", "a", "HOST", "whom to call")
		return func(env *policy.Env) (policy.Hooks, error) {
			l, err := policy.Resource(env, *to, func() (*line, error) {
				if d.down {
					return nil, errors.New(*to + " does not answer")
				}
				l := &line{to: *to}
				d.opened = append(d.opened, l)
				return l, nil
			})
			return policy.Hooks{Connect: func(*policy.Connection) (policy.Verdict, error) {
				if l.closed {
					return policy.Pass, errors.New("the line is closed")
				}
				return policy.Object(c.Replies[0]).Because("asked %s", l.to), nil
			}}, err
		}
	}
	return c
}

func TestResourcesOutliveAPolicy(t *testing.T) {
	var d dialer
	r := newRig(t, "--dialer-to=a", d.check())
	s := r.runner.NewSession()
	s.Connect(mail("u@ours.example").connect())

	r.runner.Swap(r.policy("--dialer-to=a"))
	if len(d.opened) != 1 {
		t.Fatalf("%d lines after a reload that changed nothing", len(d.opened))
	}
	r.runner.Swap(r.policy("--dialer-to=b"))
	if d.opened[0].closed {
		t.Fatal("the line is closed, and a session still uses it")
	}
	wantSaid(t, r.again(s, mail("u@ours.example")), "rcpt u@ours.example 550 5.7.1 dialer")
	s.Close()
	r.idle()
	if !d.opened[0].closed {
		t.Error("the line is open, and nobody uses it any more")
	}
	if len(d.opened) != 2 || d.opened[1].closed {
		t.Error("the new policy has no line of its own")
	}
}

// TestReloadFails leaves the policy in use as it is, and nothing open that only the failing one
// wanted.
func TestReloadFails(t *testing.T) {
	var d dialer
	broken := check("broken", policy.Hooks{})
	broken.Setup = func(f *policy.Flags) policy.Build {
		works := f.String("works", "yes", "yes|no", "whether it can be built")
		return func(*policy.Env) (policy.Hooks, error) {
			if *works == "no" {
				return policy.Hooks{}, errors.New("it can't")
			}
			return policy.Hooks{Off: "nothing to do"}, nil
		}
	}
	r := newRig(t, "", d.check(), broken)
	reload := func(flags ...string) error {
		set := pflag.NewFlagSet("test", pflag.ContinueOnError)
		draft := NewDraft(r.registry(), set)
		if err := set.Parse(flags); err != nil {
			t.Fatal(err)
		}
		p, err := draft.Build(r.backends, r.runner.Policy())
		if err == nil {
			p.Close()
		}
		return err
	}
	if err := reload("--dialer-to=b", "--broken-works=no"); err == nil || err.Error() != "it can't" {
		t.Fatalf("error %v", err)
	}
	if len(d.opened) != 2 || !d.opened[1].closed || d.opened[0].closed {
		t.Errorf("%d lines opened; only the one of the failing policy is to be closed", len(d.opened))
	}
	d.down = true
	if err := reload("--dialer-to=c"); err == nil || !strings.Contains(err.Error(), "c does not answer") {
		t.Fatalf("error %v", err)
	}
	wantSaid(t, r.send(mail("u@ours.example")), "rcpt u@ours.example 550 5.7.1 dialer")
}
