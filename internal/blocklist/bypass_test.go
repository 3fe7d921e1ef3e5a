package blocklist

import (
	"strings"
	"testing"

	"mailweir/internal/policy"
	"mailweir/internal/policytest"
	"mailweir/internal/table"
)

// TestBypassOfSenders: a sender's entry counts where something vouches for him, and the event says
// why it does not.
func TestBypassOfSenders(t *testing.T) {
	known := policytest.Names{
		"pass.example TXT": "v=spf1 ip4:192.0.2.1 -all", "fail.example TXT": "v=spf1 -all", "neutral.example TXT": "v=spf1 ?all",
		"down.example TXT": "fail",
	}
	const refused, deferred = "rcpt 550 5.7.1 listed", "rcpt 451 4.7.1 listed"
	const all = "inline:{ {example=OK} {<>=OK} }"
	for _, c := range []struct {
		name            string
		flags           []string
		mail            policytest.Letter
		said, unvouched string
		trace           string // of what is refused
	}{
		{name: "SPF passes", mail: policytest.Letter{From: "x@pass.example"}},
		{name: "SPF fails", mail: policytest.Letter{From: "x@fail.example"}, said: refused, unvouched: refused, trace: "entry TABLE: does not count: sender is not vouched for (SPF fail)"},
		{name: "no SPF", mail: policytest.Letter{From: "x@none.example"}, said: refused, trace: "entry TABLE: does not count: sender is not vouched for (SPF none)"},
		{name: "SPF is neutral", mail: policytest.Letter{From: "x@neutral.example"}, said: refused, trace: "entry TABLE: does not count: sender is not vouched for (SPF neutral)"},
		{name: "SPF cannot tell", mail: policytest.Letter{From: "x@down.example"}, said: deferred, unvouched: deferred},
		{name: "unverified", flags: []string{"--listed-list=inline:{ {fail.example=OK unverified} }"}, mail: policytest.Letter{From: "x@fail.example"}},
		{name: "another unverified", flags: []string{"--listed-list=inline:{ {fail.example=ok UNVERIFIED} }"}, mail: policytest.Letter{From: "x@fail.example"}},
		{name: "exception", flags: []string{"--listed-list=inline:{x@pass.example=DUNNO}"}, mail: policytest.Letter{From: "x@pass.example"}, said: refused, unvouched: refused},
		{name: "permitted client", flags: []string{"--permit-clients=inline:{192.0.2.1=OK}"}, mail: policytest.Letter{From: "x@fail.example"}},
		{name: "trusted client", flags: []string{"--trusted-nets=192.0.2.0/24"}, mail: policytest.Letter{From: "x@fail.example"}},
		{name: "login", mail: policytest.Letter{From: "x@fail.example", Login: "bob"}},
		{name: "null sender", mail: policytest.Letter{From: "<>"}, said: refused, trace: "entry TABLE: does not count: sender is not vouched for (SPF none)"},
		{name: "client", flags: []string{"--listed-list=inline:{192.0.2.1=OK}"}, mail: policytest.Letter{From: "x@else.test"}},
		{name: "recipient", flags: []string{"--listed-list=inline:{user@ours.test=OK}"}, mail: policytest.Letter{From: "x@else.test", To: []string{"user@ours.test"}}},
		{name: "nobody", mail: policytest.Letter{From: "x@else.test"}, said: refused, unvouched: refused},
	} {
		for unvouched, said := range map[bool]string{false: c.said, true: c.unvouched} {
			t.Run(c.name, func(t *testing.T) {
				check := listing(BypassUse(), func(list *table.List) policy.Hooks {
					b := Bypass{List: list, Unvouched: unvouched}
					return policy.Hooks{Rcpt: func(r *policy.Recipient) (policy.Verdict, error) {
						return b.Unless(policy.Object(policytest.ScriptedReply("listed")).Because("because"), r.Msg, r)
					}}
				})
				world := policytest.NewWorld()
				world.DNS, world.Lists, _ = known.Serve(t)
				p, err := policytest.Only(check).Build(world, append(c.flags, "--listed-list="+all)...)
				if err != nil {
					t.Fatal(err)
				}
				h := policytest.NewHost(t, world, p)
				if len(c.mail.To) == 0 {
					c.mail.To = []string{"b@elsewhere.test"}
				}
				got := h.Send(c.mail)
				if strings.Join(got.Said, "\n") != said {
					t.Fatalf("unvouched %t: said %q, want %q", unvouched, got.Said, said)
				}
				var traced []string
				for _, e := range got.Events {
					for _, q := range e.Trace {
						traced = append(traced, q.Question+": "+q.Answer)
					}
				}
				want := strings.ReplaceAll(c.trace, "TABLE", all)
				if said == refused && c.trace != "" && !strings.Contains(strings.Join(traced, "\n"), want) {
					t.Errorf("asked %q, want %q", traced, want)
				}
				if said == deferred && !strings.HasPrefix(got.Events[0].Cause, "because; it may be exempt: ") {
					t.Errorf("cause %q", got.Events[0].Cause)
				}
			})
		}
	}
}

// TestBypassActs: what a bypass has kept from being refused is noted at the end of the message,
// with the entry. Edits give way to it, too.
func TestBypassActs(t *testing.T) {
	known := policytest.Names{"pass.example TXT": "v=spf1 ip4:192.0.2.1 -all"}
	for name, found := range map[string]policy.Verdict{
		"objection": policy.Object(policytest.ScriptedReply("listed")).Because("bad words"),
		"edits":     policy.Edits(policy.AddField("X-Spam", "yes")).Because("bad words"),
	} {
		const spec = "inline:{pass.example=OK}"
		t.Run(name, func(t *testing.T) {
			check := listing(BypassUse(), func(list *table.List) policy.Hooks {
				b := Bypass{List: list}
				return policy.Hooks{
					Headers:    b.KeepHook(),
					MessageFor: func(r *policy.Recipient) (policy.Verdict, error) { return b.Unless(found, r.Msg, r) },
				}
			})
			world := policytest.NewWorld()
			world.DNS, world.Lists, _ = known.Serve(t)
			p, err := policytest.Only(check).Build(world, "--listed-list="+spec)
			if err != nil {
				t.Fatal(err)
			}
			h := policytest.NewHost(t, world, p)
			got := h.Send(policytest.Letter{From: "x@pass.example", Body: "hello\r\n"})
			if lines := policytest.Lines(got.Events); len(got.Said) > 0 || strings.Join(lines, "\n") != "listed noted" {
				t.Fatalf("said %q, events %q", got.Said, lines)
			}
			if want := `bypass: "pass.example" matches ` + spec + `; else: bad words`; got.Events[0].Cause != want {
				t.Errorf("cause %q, want %q", got.Events[0].Cause, want)
			}
		})
	}
}
