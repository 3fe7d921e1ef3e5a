package blocklist

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mailweir/internal/policy"
	"mailweir/internal/policytest"
	"mailweir/internal/table"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listing is a check named listed with a table of its own, --listed-list.
func listing(use table.Use, hooks func(*table.List) policy.Hooks) *policy.Check {
	c := policytest.Scripted("listed", policy.Hooks{})
	c.Exempt = policy.ExemptAlwaysAccept
	c.Replies = append(c.Replies, ReplyHeaderFrom)
	c.Setup = func(f *policy.Flags) policy.Build {
		specs := f.Tables("list", "what is listed", use)
		return func(env *policy.Env) (policy.Hooks, error) {
			list, err := specs.Open(env)
			if err != nil || list == nil {
				return policy.Hooks{Off: "no --listed-list"}, err
			}
			return hooks(list), nil
		}
	}
	return c
}

func TestEnvelope(t *testing.T) {
	check := listing(table.Use{Asked: table.Addresses, Values: table.Actions, Bare: "REJECT"}, func(list *table.List) policy.Hooks {
		return policy.Hooks{Rcpt: Envelope(policytest.ScriptedReply("listed"), list)}
	})
	policytest.EnvelopeBlock(t, policytest.Only(check), "listed", "550 5.7.1 listed", "554 5.7.1 closed")
}

func TestHeaderFrom(t *testing.T) {
	const refused = "end 550 5.7.1 Rejected by header based Blocked Senders - Block policy for Header From"
	from := func(value string) policytest.Letter { return policytest.Letter{Header: []string{"From: " + value}} }
	for display, hidden := range map[bool]string{false: "", true: refused} {
		check := listing(table.Use{Asked: table.Addresses, Values: table.Actions, Bare: "REJECT"}, func(list *table.List) policy.Hooks {
			return policy.Hooks{Headers: HeaderFrom(list, display)}
		})
		policytest.Only(check).Play(t, []string{"--listed-list=inline:{ {good@bad.example=OK} {bad.example=REJECT} }"}, []policytest.Scenario{
			{Name: "listed", Mail: from("x@bad.example"), Said: refused, Cause: `"bad.example" matches`},
			{Name: "second of two", Mail: from("a@b.example, x@bad.example"), Said: refused},
			{Name: "exempt", Mail: from("good@bad.example")},
			{Name: "exempt and listed", Mail: from("good@bad.example, x@bad.example"), Said: refused},
			{Name: "in a display name", Mail: from(`"x@bad.example" <a@b.example>`), Said: hidden},
			{Name: "neighbour", Mail: from("a@b.example")},
			{Name: "none", Mail: policytest.Letter{Header: []string{"Subject: x"}}},
		})
	}
}

// Where looking up takes too long, the check fails.
func TestHeaderFromTakesTooLong(t *testing.T) {
	from := func(value string) *policy.Message {
		return &policy.Message{Fields: []policy.Field{{Name: "From", Value: value}}}
	}
	long := from(strings.Repeat("a@b.example,", 1000))
	ctx, end := InTime(t.Context(), long)
	if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > lookupTime {
		t.Errorf("tables in memory: until %v", deadline)
	}
	end()
	for _, ctx := range []context.Context{first(InTime(t.Context(), long, policy.Network{})), first(InTime(t.Context(), from("a@b.example")))} {
		if _, ok := ctx.Deadline(); ok {
			t.Error("what waits has a deadline of the runner's, and what is short none")
		}
	}
	var list *table.List
	v, err := HeaderFrom(list, false)(long)
	if err != nil || v.Work() == nil {
		t.Fatal(err)
	}
	late, end := context.WithTimeoutCause(t.Context(), -1, errTime)
	defer end()
	if v, err = v.Work()(late); !errors.Is(err, errTime) || v.Objects() {
		t.Errorf("too late: %v, %v", v.Objects(), err)
	}
}

func first(ctx context.Context, _ context.CancelFunc) context.Context { return ctx }

func TestBypass(t *testing.T) {
	const refused = "rcpt 550 5.7.1 listed"
	check := listing(BypassUse(), func(list *table.List) policy.Hooks {
		b := Bypass{List: list}
		return policy.Hooks{Rcpt: func(r *policy.Recipient) (policy.Verdict, error) {
			if by := b.Message(r.Msg) + b.Recipient(r); by != "" {
				return policy.Pass.Because("%s", by), nil
			}
			return b.Unless(policy.Object(policytest.ScriptedReply("listed")).Because("because"), r.Msg, r)
		}}
	})
	policytest.Only(check).Play(t, nil, []policytest.Scenario{
		{Name: "client", Flags: []string{"--listed-list=inline:{192.0.2.1=OK}"}},
		{Name: "another client", Flags: []string{"--listed-list=inline:{192.0.2.2=OK}"}, Said: refused},
		{Name: "host name", Flags: []string{"--listed-list=inline:{client.example=OK}"}, Mail: policytest.Letter{Name: "mx.client.example"}},
		{Name: "sender", Flags: []string{"--listed-list=inline:{ {else.example=OK unverified} }"}},
		{Name: "recipient", Flags: []string{"--listed-list=inline:{user@ours.example=OK}"}},
		{Name: "one recipient of two", Flags: []string{"--listed-list=inline:{user@ours.example=OK}"}, Mail: policytest.Letter{To: []string{"user@ours.example", "b@ours.example"}}, Said: refused},
		{Name: "an exception of the list", Flags: []string{"--listed-list=inline:{ {sender@else.example=DUNNO} {else.example=OK} }"}, Said: refused},
		{Name: "no client", Flags: []string{"--listed-list=inline:{192.0.2.1=OK}"}, Mail: policytest.Letter{Client: "none"}, Said: "end 550 5.7.1 listed"},
	})
}
