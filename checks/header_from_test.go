package checks

import (
	"slices"
	"testing"
)

func TestHeaderFrom(t *testing.T) {
	const refused = "end 550 5.7.1 Rejected by header based Blocked Senders - Block policy for Header From"
	list := file(t, "from", "bad.example REJECT\ngood@bad.example OK\nxn--mller-kva.example REJECT\nlater@else.example DEFER later\ncode@else.example 554 5.7.9 no\n")
	from := func(values ...string) letter {
		l := letter{}
		for _, v := range values {
			l.header = append(l.header, "From: "+v)
		}
		return l
	}
	display := []string{"--header-from-display"}
	only(HeaderFrom).play(t, []string{"--header-from-list=" + list}, []scenario{
		{name: "listed", mail: from("Boss <x@bad.example>"), said: refused, events: "header-from refused", cause: list + ":1"},
		{name: "neighbour", mail: from("x@good.example")},
		{name: "exempt", mail: from("good@bad.example")},
		{name: "exempt beside one that is not", mail: from("good@bad.example, x@bad.example"), said: refused},
		{name: "second address", mail: from("a@else.example, x@bad.example"), said: refused},
		{name: "second field", mail: from("a@else.example", "x@bad.example"), said: refused},
		{name: "other field", mail: letter{header: []string{"Reply-To: x@bad.example"}}},
		{name: "envelope only", mail: letter{from: "x@bad.example", header: []string{"From: a@else.example"}}},
		{name: "folded", mail: from("Boss\n <x@bad.example>"), said: refused},
		{name: "encoded word", mail: from("=?utf-8?Q?x=40bad=2Eexample?="), said: refused},
		{name: "U-label", mail: from("x@müller.example"), said: refused},
		{name: "A-label", mail: from("x@xn--mller-kva.example"), said: refused},
		{name: "no From"},
		{name: "display name", mail: from(`"x@bad.example" <a@else.example>`)},
		{name: "display name, looked at", flags: display, mail: from(`"x@bad.example" <a@else.example>`), said: refused},
		{name: "DEFER", mail: from("later@else.example"), said: "end 451 4.7.1 later"},
		{name: "code", mail: from("code@else.example"), said: "end 554 5.7.9 no"},
		{name: "trusted", mail: letter{client: "127.0.0.1", header: []string{"From: x@bad.example"}}, said: refused},
		{name: "abuse", mail: letter{to: []string{"abuse@ours.example"}, header: []string{"From: x@bad.example"}}, said: refused},
		{name: "monitor", flags: []string{"--header-from=monitor"}, mail: from("x@bad.example"), events: "header-from would refuse"},
		{name: "defer", flags: []string{"--header-from=defer"}, mail: from("x@bad.example"), said: "end 451 4.7.1 Rejected by header based Blocked Senders - Block policy for Header From"},
		{name: "pilot: for all", flags: []string{"--enforce-for=inline:{user@ours.example=x}"}, mail: from("x@bad.example"), said: refused},
		{name: "pilot: not for all", flags: []string{"--enforce-for=inline:{user@ours.example=x}"}, mail: letter{to: []string{"user@ours.example", "b@ours.example"}, header: []string{"From: x@bad.example"}}, events: "header-from would refuse"},
	})
}

// Fields in front do not hide header From, however many there are.
func TestHeaderFromBehindManyFields(t *testing.T) {
	var header []string
	for range 20_000 {
		header = append(header, "X-Fill: x")
	}
	only(HeaderFrom).play(t, []string{"--header-from-list=inline:{bad@else.example=REJECT}"}, []scenario{
		{
			name: "blocked", mail: letter{header: slices.Concat(header, []string{"From: bad@else.example"})},
			said: "end 550 5.7.1 Rejected by header based Blocked Senders - Block policy for Header From",
		},
		{name: "neighbour", mail: letter{header: slices.Concat(header, []string{"From: good@else.example"})}},
	})
}
