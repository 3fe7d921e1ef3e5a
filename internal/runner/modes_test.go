package runner

import (
	"errors"
	"testing"

	"github.com/spf13/pflag"

	"mailweir/internal/policy"
)

func TestModes(t *testing.T) {
	for _, tt := range []struct {
		name, flags string
		code        int
		enhanced    string
		want, event string
	}{
		{"enforce", "", 550, "5.7.1", "rcpt a@ours.example 550 5.7.1 x", "x refused a@ours.example"},
		{"defer", "--x=defer", 550, "5.7.1", "rcpt a@ours.example 451 4.7.1 x", "x deferred a@ours.example"},
		{"defer 535", "--x=defer", 535, "5.7.8", "rcpt a@ours.example 454 4.7.8 x", "x deferred a@ours.example"},
		{"defer what is temporary", "--x=defer", 452, "4.5.3", "rcpt a@ours.example 452 4.5.3 x", "x deferred a@ours.example"},
		{"monitor", "--x=monitor", 550, "5.7.1", "", "x would_refuse a@ours.example"},
		{"off", "--x=off", 550, "5.7.1", "", ""},
		{"capped at monitor", "--mode=monitor", 550, "5.7.1", "", "x would_refuse a@ours.example"},
		{"capped at defer", "--mode=defer", 550, "5.7.1", "rcpt a@ours.example 451 4.7.1 x", "x deferred a@ours.example"},
		{"a cap raises nothing", "--mode=enforce --x=monitor", 550, "5.7.1", "", "x would_refuse a@ours.example"},
		{"default", "--default-mode=monitor", 550, "5.7.1", "", "x would_refuse a@ours.example"},
		{"its own beats the default", "--default-mode=monitor --x=enforce", 550, "5.7.1", "rcpt a@ours.example 550 5.7.1 x", "x refused a@ours.example"},
		{"also where it is what is declared", "--x=enforce --default-mode=off", 550, "5.7.1", "rcpt a@ours.example 550 5.7.1 x", "x refused a@ours.example"},
		{"a cap holds for the default", "--mode=monitor --default-mode=enforce", 550, "5.7.1", "", "x would_refuse a@ours.example"},
		{"default defer", "--default-mode=defer", 550, "5.7.1", "rcpt a@ours.example 451 4.7.1 x", "x deferred a@ours.example"},
		{"default off", "--default-mode=off", 550, "5.7.1", "", ""},
		{"help", "--help-url=https://ours.example/help", 550, "5.7.1", "rcpt a@ours.example 550 5.7.1 x - https://ours.example/help", "x refused a@ours.example"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			own := &policy.Reply{ID: "x", Code: tt.code, Enhanced: tt.enhanced, Text: "x"}
			hooks := policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) { return policy.Object(own), nil }}
			r := newRig(t, tt.flags, check("x", hooks))
			wantSaid(t, r.send(mail("a@ours.example")), tt.want)
			if tt.event == "" {
				wantEvents(t, r)
			} else {
				wantEvents(t, r, tt.event)
			}
		})
	}
}

// Where the mode is monitor by default, not even a defect or a check that failed keeps mail out,
// but for a check with a mode of its own.
func TestDefaultModeCoversFaults(t *testing.T) {
	broken := policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) { panic("broken") }}
	away := policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) { return policy.Pass, errors.New("away") }}
	for _, tt := range []struct {
		name, flags string
		check       *policy.Check
		said        string
	}{
		{"defect", "--default-mode=monitor", check("x", broken), ""},
		{"defect of an enforced check", "--default-mode=monitor --x=enforce", check("x", broken), ""},
		{"defect where faults are enforced", "--default-mode=monitor --x=enforce --fault=enforce", check("x", broken), "rcpt a@ours.example 451 4.3.0 Unable to process"},
		{"failed", "--default-mode=monitor", check("x", away, onError(policy.Delay)), ""},
		{"failed with a mode of its own", "--default-mode=monitor --x=enforce", check("x", away, onError(policy.Delay)), "rcpt a@ours.example 451 4.7.1 Temporarily unavailable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantSaid(t, newRig(t, tt.flags, tt.check).send(mail("a@ours.example")), tt.said)
		})
	}
}

// What the commands say of a mode is what the policy has.
func TestModeOfDraft(t *testing.T) {
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	permits := check("permits", policy.Hooks{}, func(c *policy.Check) { c.Replies = nil })
	draft := NewDraft((&rig{checks: []*policy.Check{check("x", policy.Hooks{}), check("y", policy.Hooks{}), permits}}).registry(), set)
	if err := set.Parse([]string{"--default-mode=monitor"}); err != nil {
		t.Fatal(err)
	}
	if got, _ := draft.Mode("permits"); got != policy.Enforce {
		t.Errorf("what only permits is %s", got)
	}
	if err := set.Parse([]string{"--default-mode=off"}); err != nil {
		t.Fatal(err)
	}
	if got, _ := draft.Mode("permits"); got != policy.Off {
		t.Errorf("what only permits is %s where all is off", got)
	}
	if err := set.Parse([]string{"--default-mode=enforce", "--mode=defer", "--y=monitor"}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]policy.Mode{"x": policy.Defer, "y": policy.Monitor, "fault": policy.Defer} {
		if got, ok := draft.Mode(name); !ok || got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if _, ok := draft.Mode("z"); ok {
		t.Error("there is no check z")
	}
}

func TestACheckMayOnlyMonitorAnObjection(t *testing.T) {
	hooks := policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) { return policy.Object(reply("x")).Monitored(), nil }}
	r := newRig(t, "", check("x", hooks), check("y", objecting("y", policy.StageEnd)))
	wantSaid(t, r.send(mail("a@ours.example")), "end 550 5.7.1 y")
	wantEvents(t, r, "x would_refuse a@ours.example", "y refused a@ours.example")
}

// TestPilot holds --enforce-for: what it lists is enforced, the rest is monitored.
func TestPilot(t *testing.T) {
	const in, out = "in@ours.example", "out@ours.example"
	whole := policy.Hooks{Message: func(*policy.Message) (policy.Verdict, error) { return no("x") }}
	hangup := func(c *policy.Check) { c.Replies[0] = &policy.Reply{ID: "x", Code: 421, Enhanced: "4.7.1", Text: "x"} }
	for _, tt := range []struct {
		name  string
		check *policy.Check
		to    []string
		want  []string
	}{
		{"rcpt", check("x", objecting("x", policy.StageRcpt)), []string{in, out}, []string{"rcpt " + in + " 550 5.7.1 x"}},
		{"mail moves to rcpt", check("x", objecting("x", policy.StageMail), at(policy.StageMail)), []string{out, in}, []string{"rcpt " + in + " 550 5.7.1 x"}},
		{"load does not", check("x", objecting("x", policy.StageHelo), at(policy.StageHelo)), []string{out}, []string{"helo 550 5.7.1 x"}},
		{"421 becomes 451", check("x", policy.Hooks{Mail: func(*policy.Message) (policy.Verdict, error) {
			return policy.Object(reply("x")).Code(421, "4.7.1"), nil
		}}, at(policy.StageMail), hangup), []string{in}, []string{"rcpt " + in + " 451 4.7.1 x"}},
		{"521 becomes 550", check("x", policy.Hooks{Connect: func(*policy.Connection) (policy.Verdict, error) {
			return policy.Object(reply("x")).Code(521, "5.7.1"), nil
		}}), []string{in}, []string{"rcpt " + in + " 550 5.7.1 x"}},
		{"end, all in", check("x", whole), []string{in}, []string{"end 550 5.7.1 x"}},
		{"end, some in", check("x", whole), []string{in, out}, []string{""}},
		{"end, any of those", check("x", policy.Hooks{MessageFor: func(*policy.Recipient) (policy.Verdict, error) { return no("x") }}), []string{in, out}, []string{""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, "--enforce-for=inline:{in@ours.example=x}", tt.check)
			l := mail(tt.to...)
			wantSaid(t, r.send(l), tt.want...)
			r.idle()
			if len(r.seen.events()) == 0 {
				t.Error("no event")
			}
		})
	}
}

func TestOnError(t *testing.T) {
	broken := errors.New("backend is gone")
	rcpt := policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) { return policy.Pass, broken }}
	whole := policy.Hooks{Message: func(*policy.Message) (policy.Verdict, error) { return policy.Pass, broken }}
	for _, tt := range []struct {
		name, flags string
		check       *policy.Check
		want, event string
	}{
		{"accept before DATA", "", check("x", rcpt, onError(policy.Accept)), "", "x check_error a@ours.example"},
		{"defer before DATA", "", check("x", rcpt, onError(policy.Delay)), "rcpt a@ours.example 451 4.7.1 Temporarily unavailable", "x deferred a@ours.example"},
		{"accept after DATA", "", check("x", whole, onError(policy.Accept)), "", "x check_error a@ours.example"},
		{"defer after DATA", "", check("x", whole, onError(policy.Delay)), "end 451 4.3.0 Unable to process now", "x deferred a@ours.example"},
		{"by flag", "--x-on-error=accept", check("x", rcpt, onError(policy.Delay)), "", "x check_error a@ours.example"},
		{"monitored", "--x=monitor", check("x", rcpt, onError(policy.Delay)), "", "x would_refuse a@ours.example"},
		{"capped", "--mode=monitor", check("x", whole, onError(policy.Delay)), "", "x would_refuse a@ours.example"},
		{"no backend is a fault", "", check("x", rcpt), "rcpt a@ours.example 451 4.3.0 Unable to process", "x deferred a@ours.example"},
		{"fault that is accepted", "--fault-on-error=accept", check("x", rcpt), "", "x check_error a@ours.example"},
		{"fault under a cap", "--mode=monitor", check("x", rcpt), "", "x would_refuse a@ours.example"},
		{"error at helo waits for rcpt", "", check("x", policy.Hooks{Helo: func(*policy.Connection) (policy.Verdict, error) { return policy.Pass, broken }}, at(policy.StageHelo), onError(policy.Delay)), "rcpt a@ours.example 451 4.7.1 Temporarily unavailable", "x deferred a@ours.example"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, tt.flags, tt.check)
			wantSaid(t, r.send(mail("a@ours.example")), tt.want)
			wantEvents(t, r, tt.event)
			if e := r.seen.list[0]; e.Err != "backend is gone" {
				t.Errorf("the event's error is %q", e.Err)
			}
		})
	}
}
