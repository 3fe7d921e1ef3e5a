package runner

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"mailweir/internal/policy"
)

// A login is judged by every check that has something to say, under its mode and on-error.
func TestJudgeLogin(t *testing.T) {
	l := policy.Login{Client: netip.MustParseAddr("192.0.2.1"), Name: "bob"}
	broken := errors.New("broken")
	hook := func(v policy.Verdict, err error) policy.Hooks {
		return policy.Hooks{Login: func(*policy.Login) (policy.Verdict, error) { return v, err }}
	}
	giveWay := func(c *policy.Check) { c.Exempt = policy.ExemptTrusted | policy.ExemptPermitClient }
	object := policy.Object(reply("x")).Because("too much")
	asked := policy.Asks(policy.Network{}).Later(func(context.Context) (policy.Verdict, error) {
		return policy.Asks(policy.Network{}).Later(func(context.Context) (policy.Verdict, error) { return object, nil }), nil
	})
	panics := policy.Hooks{Login: func(*policy.Login) (policy.Verdict, error) { panic("bug") }}
	for _, c := range []struct {
		name  string
		check *policy.Check
		flags string
		want  string // the cause, "" for not blocked
		event string // recorded
	}{
		{"nothing against it", check("x", hook(policy.Pass, nil)), "", "", ""},
		{"objects", check("x", hook(object, nil)), "", "x: too much", ""},
		{"objects after two questions", check("x", hook(asked, nil)), "", "x: too much", ""},
		{"monitored", check("x", hook(object, nil)), "--x=monitor", "", "x would_refuse too much"},
		{"monitored as all are", check("x", hook(object, nil)), "--mode=monitor", "", "x would_refuse too much"},
		{"only monitors", check("x", hook(object.Monitored(), nil)), "", "", "x would_refuse too much"},
		{"off", check("x", hook(object, nil)), "--x=off", "", ""},
		{"gives way", check("x", hook(object, nil), giveWay), "--trusted-nets=192.0.2.1", "", ""},
		{"gives way to others", check("x", hook(object, nil), giveWay), "", "x: too much", ""},
		{"gives way to whom a table may permit", check("x", hook(object, nil), giveWay), "--permit-clients=test:away", "", ""},
		{"error, accept", check("x", hook(policy.Pass, broken), onError(policy.Accept)), "", "", "x check_error broken"},
		{"error, defer", check("x", hook(policy.Pass, broken), onError(policy.Delay)), "", "x: broken", ""},
		{"error, defer, monitored", check("x", hook(policy.Pass, broken), onError(policy.Delay)), "--x=monitor", "", "x check_error broken"},
		{"panic", check("x", panics, onError(policy.Accept)), "", "", "x check_error panic: bug"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, c.flags, c.check)
			r.tables.Table("away").Fail(broken)
			got := r.runner.JudgeLogin(t.Context(), l)
			if got.Blocked != (c.want != "") || got.Cause != c.want {
				t.Errorf("%+v, want %q", got, c.want)
			}
			var told []string
			for _, e := range r.seen.list {
				told = append(told, e.Check+" "+e.Action.String()+" "+e.Cause+e.Err)
			}
			if strings.Join(told, "\n") != c.event {
				t.Errorf("recorded %q, want %q", told, c.event)
			}
		})
	}
}

// Every check learns what came of a login, whatever another does, but for those that give way.
func TestLoginEnded(t *testing.T) {
	l := policy.Login{Client: netip.MustParseAddr("192.0.2.1"), Name: "bob"}
	var told []string
	learns := func(name string) policy.Hooks {
		return policy.Hooks{SettleLogin: func(_ context.Context, l *policy.Login, o policy.LoginOutcome) {
			told = append(told, fmt.Sprint(name, " ", l.Name, " ", o.Succeeded, " ", o.Again, " ", o.At.Hour()))
			if name == "first" {
				panic("bug")
			}
		}}
	}
	giveWay := func(c *policy.Check) { c.Exempt = policy.ExemptTrusted }
	r := newRig(t, "--trusted-nets=192.0.2.0/24", check("first", learns("first")), check("second", learns("second"), giveWay), check("third", learns("third")))
	r.runner.LoginEnded(t.Context(), l, policy.LoginOutcome{Again: true})
	if want := "first bob false true 12\nthird bob false true 12"; strings.Join(told, "\n") != want || len(r.seen.defects) != 1 {
		t.Errorf("%q, want %q; defects %v", told, want, r.seen.defects)
	}
}
