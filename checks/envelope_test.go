package checks

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

func testEnvelopeBlock(t *testing.T, rig rig, check, reply, class string) {
	list := file(t, "senders", senders)
	refused := "rcpt " + reply
	from := func(sender string) letter { return letter{from: sender} }
	rig.play(t, []string{"--" + check + "-list=" + list}, []scenario{
		{name: "listed", mail: from("spammer@else.example"), said: refused, events: check + " refused", cause: list + ":1"},
		{name: "whatever its case", mail: from("SPAMMER@Else.Example"), said: refused},
		{name: "extension", mail: from("spammer+1@else.example"), said: refused},
		{name: "quoted", mail: from(`"spammer"@else.example`), said: refused},
		{name: "neighbour", mail: from("spammers@else.example")},
		{name: "domain", mail: from("x@bad.example"), said: refused},
		{name: "sub-domain", mail: from("x@mx.bad.example"), said: refused},
		{name: "other domain", mail: from("x@notbad.example")},
		{name: "null sender", mail: from("<>"), said: refused},
		{name: "OK exempts", mail: from("good@bad.example")},
		{name: "DUNNO exempts", mail: from("fair@bad.example")},
		{name: "text", mail: from("text@else.example"), said: "rcpt 550 5.7.1 we know you"},
		{name: "DEFER", mail: from("later@else.example"), said: "rcpt 451 4.7.1 not today", events: check + " deferred"},
		{name: "code", mail: from("code@else.example"), said: "rcpt 554 5.7.0 closed"},
		{name: "code alone", mail: from("class@else.example"), said: "rcpt " + class},
		{name: "4yz", mail: from("soft@else.example"), said: "rcpt 450 4.2.1 wait"},
		{name: "each recipient", mail: letter{from: "x@bad.example", to: []string{"a@ours.example", "b@ours.example"}}, said: refused + "\n" + refused},
		{name: "trusted", mail: letter{client: "127.0.0.1", from: "x@bad.example"}, said: refused},
		{name: "login", mail: letter{login: "alice", from: "x@bad.example"}, said: refused},
		{name: "local submission", mail: letter{client: "none", from: "x@bad.example"}, said: "end " + reply},
		{name: "no permit beats it", flags: []string{"--permit-senders=static:OK", "--permit-clients=static:OK"}, mail: from("x@bad.example"), said: refused},
		{name: "abuse", mail: letter{from: "x@bad.example", to: []string{"abuse@ours.example"}}},
		{name: "abuse and another", mail: letter{from: "x@bad.example", to: []string{"abuse@ours.example", "a@ours.example"}}, said: refused},
		{name: "abuse elsewhere", mail: letter{client: "127.0.0.1", from: "x@bad.example", to: []string{"abuse@else.example"}}, said: refused},
		{name: "monitor", flags: []string{"--" + check + "=monitor"}, mail: from("x@bad.example"), events: check + " would refuse"},
		{name: "defer", flags: []string{"--" + check + "=defer"}, mail: from("x@bad.example"), said: "rcpt 451 4" + reply[5:]},
		{name: "off", flags: []string{"--" + check + "=off"}, mail: from("x@bad.example")},
		{name: "pilot", flags: []string{"--enforce-for=inline:{a@ours.example=x}"}, mail: letter{from: "x@bad.example", to: []string{"a@ours.example", "b@ours.example"}}, said: refused, events: check + " refused\n" + check + " would refuse"},
	})
}
