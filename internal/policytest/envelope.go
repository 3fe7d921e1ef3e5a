package policytest

import "testing"

// senders is a block list with an entry of each kind.
const senders = `spammer@else.example REJECT
good@bad.example OK
fair@bad.example DUNNO
bad.example REJECT
text@else.example REJECT we know you
later@else.example DEFER not today
code@else.example 554 5.7.0 closed
soft@else.example 450 4.2.1 wait
class@else.example 554 closed
<> REJECT
`

// EnvelopeBlock tries a check that has a block list of envelope senders, --CHECK-list: every kind
// of entry, and who is exempt. The reply is its own; class is what becomes of a code without an
// enhanced one.
func EnvelopeBlock(t *testing.T, rig Rig, check, reply, class string) {
	list := File(t, "senders", senders)
	refused := "rcpt " + reply
	from := func(sender string) Letter { return Letter{From: sender} }
	rig.Play(t, []string{"--" + check + "-list=" + list}, []Scenario{
		{Name: "listed", Mail: from("spammer@else.example"), Said: refused, Events: check + " refused", Cause: list + ":1"},
		{Name: "whatever its case", Mail: from("SPAMMER@Else.Example"), Said: refused},
		{Name: "extension", Mail: from("spammer+1@else.example"), Said: refused},
		{Name: "quoted", Mail: from(`"spammer"@else.example`), Said: refused},
		{Name: "neighbour", Mail: from("spammers@else.example")},
		{Name: "domain", Mail: from("x@bad.example"), Said: refused},
		{Name: "sub-domain", Mail: from("x@mx.bad.example"), Said: refused},
		{Name: "other domain", Mail: from("x@notbad.example")},
		{Name: "null sender", Mail: from("<>"), Said: refused},
		{Name: "OK exempts", Mail: from("good@bad.example")},
		{Name: "DUNNO exempts", Mail: from("fair@bad.example")},
		{Name: "text", Mail: from("text@else.example"), Said: "rcpt 550 5.7.1 we know you"},
		{Name: "DEFER", Mail: from("later@else.example"), Said: "rcpt 451 4.7.1 not today", Events: check + " deferred"},
		{Name: "code", Mail: from("code@else.example"), Said: "rcpt 554 5.7.0 closed"},
		{Name: "code alone", Mail: from("class@else.example"), Said: "rcpt " + class},
		{Name: "4yz", Mail: from("soft@else.example"), Said: "rcpt 450 4.2.1 wait"},
		{Name: "each recipient", Mail: Letter{From: "x@bad.example", To: []string{"a@ours.example", "b@ours.example"}}, Said: refused + "\n" + refused},
		{Name: "trusted", Mail: Letter{Client: "127.0.0.1", From: "x@bad.example"}, Said: refused},
		{Name: "login", Mail: Letter{Login: "alice", From: "x@bad.example"}, Said: refused},
		{Name: "local submission", Mail: Letter{Client: "none", From: "x@bad.example"}, Said: "end " + reply},
		{Name: "no permit beats it", Flags: []string{"--permit-senders=static:OK", "--permit-clients=static:OK"}, Mail: from("x@bad.example"), Said: refused},
		{Name: "abuse", Mail: Letter{From: "x@bad.example", To: []string{"abuse@ours.example"}}},
		{Name: "abuse and another", Mail: Letter{From: "x@bad.example", To: []string{"abuse@ours.example", "a@ours.example"}}, Said: refused},
		{Name: "abuse elsewhere", Mail: Letter{Client: "127.0.0.1", From: "x@bad.example", To: []string{"abuse@else.example"}}, Said: refused},
		{Name: "monitor", Flags: []string{"--" + check + "=monitor"}, Mail: from("x@bad.example"), Events: check + " would_refuse"},
		{Name: "defer", Flags: []string{"--" + check + "=defer"}, Mail: from("x@bad.example"), Said: "rcpt 451 4" + reply[5:]},
		{Name: "off", Flags: []string{"--" + check + "=off"}, Mail: from("x@bad.example")},
		{Name: "pilot", Flags: []string{"--enforce-for=inline:{a@ours.example=x}"}, Mail: Letter{From: "x@bad.example", To: []string{"a@ours.example", "b@ours.example"}}, Said: refused, Events: check + " refused\n" + check + " would_refuse"},
	})
}
