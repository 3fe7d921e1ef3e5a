package headerfrom

import (
	"slices"
	"testing"

	"mailweir/internal/policytest"
)

func TestHeaderFrom(t *testing.T) {
	const refused = "end 550 5.7.1 Rejected by header based Blocked Senders - Block policy for Header From"
	list := policytest.File(t, "from", "bad.example REJECT\ngood@bad.example OK\nxn--mller-kva.example REJECT\nlater@else.example DEFER later\ncode@else.example 554 5.7.9 no\n")
	from := func(values ...string) policytest.Letter {
		l := policytest.Letter{}
		for _, v := range values {
			l.Header = append(l.Header, "From: "+v)
		}
		return l
	}
	display := []string{"--header-from-display"}
	policytest.Only(Check).Play(t, []string{"--header-from-list=" + list}, []policytest.Scenario{
		{Name: "listed", Mail: from("Boss <x@bad.example>"), Said: refused, Events: "header-from refused", Cause: list + ":1"},
		{Name: "neighbour", Mail: from("x@good.example")},
		{Name: "exempt", Mail: from("good@bad.example")},
		{Name: "exempt beside one that is not", Mail: from("good@bad.example, x@bad.example"), Said: refused},
		{Name: "second address", Mail: from("a@else.example, x@bad.example"), Said: refused},
		{Name: "second field", Mail: from("a@else.example", "x@bad.example"), Said: refused},
		{Name: "other field", Mail: policytest.Letter{Header: []string{"Reply-To: x@bad.example"}}},
		{Name: "envelope only", Mail: policytest.Letter{From: "x@bad.example", Header: []string{"From: a@else.example"}}},
		{Name: "within another field", Mail: policytest.Letter{Header: []string{"Subject: hello\rFROM : x@bad.example", "From: a@else.example"}}, Said: refused},
		{Name: "within another field, and not its name", Mail: policytest.Letter{Header: []string{"Subject: hello\rX-From: x@bad.example\r", "From: a@else.example"}}},
		{Name: "within another field, folded", Mail: policytest.Letter{Header: []string{"Subject: hello\r From: x@bad.example", "From: a@else.example"}}},
		{Name: "another field within it", Mail: from("x@bad.example\rX: a@else.example"), Said: refused},
		{Name: "a second within it", Mail: from("a@else.example\rTo: b@else.example\rFrom: x@bad.example"), Said: refused},
		{Name: "a carriage return at its end", Mail: from("a@else.example\r")},
		{Name: "folded", Mail: from("Boss\n <x@bad.example>"), Said: refused},
		{Name: "encoded word", Mail: from("=?utf-8?Q?x=40bad=2Eexample?="), Said: refused},
		{Name: "U-label", Mail: from("x@müller.example"), Said: refused},
		{Name: "A-label", Mail: from("x@xn--mller-kva.example"), Said: refused},
		{Name: "no From"},
		{Name: "display name", Mail: from(`"x@bad.example" <a@else.example>`)},
		{Name: "display name, looked at", Flags: display, Mail: from(`"x@bad.example" <a@else.example>`), Said: refused},
		{Name: "DEFER", Mail: from("later@else.example"), Said: "end 451 4.7.1 later"},
		{Name: "code", Mail: from("code@else.example"), Said: "end 554 5.7.9 no"},
		{Name: "trusted", Mail: policytest.Letter{Client: "127.0.0.1", Header: []string{"From: x@bad.example"}}, Said: refused},
		{Name: "abuse", Mail: policytest.Letter{To: []string{"abuse@ours.example"}, Header: []string{"From: x@bad.example"}}, Said: refused},
		{Name: "monitor", Flags: []string{"--header-from=monitor"}, Mail: from("x@bad.example"), Events: "header-from would_refuse"},
		{Name: "defer", Flags: []string{"--header-from=defer"}, Mail: from("x@bad.example"), Said: "end 451 4.7.1 Rejected by header based Blocked Senders - Block policy for Header From"},
		{Name: "pilot: for all", Flags: []string{"--enforce-for=inline:{user@ours.example=x}"}, Mail: from("x@bad.example"), Said: refused},
		{Name: "pilot: not for all", Flags: []string{"--enforce-for=inline:{user@ours.example=x}"}, Mail: policytest.Letter{To: []string{"user@ours.example", "b@ours.example"}, Header: []string{"From: x@bad.example"}}, Events: "header-from would_refuse"},
	})
}

// Fields in front do not hide header From, however many there are.
func TestHeaderFromBehindManyFields(t *testing.T) {
	var header []string
	for range 20_000 {
		header = append(header, "X-Fill: x")
	}
	policytest.Only(Check).Play(t, []string{"--header-from-list=inline:{bad@else.example=REJECT}"}, []policytest.Scenario{
		{
			Name: "blocked", Mail: policytest.Letter{Header: slices.Concat(header, []string{"From: bad@else.example"})},
			Said: "end 550 5.7.1 Rejected by header based Blocked Senders - Block policy for Header From",
		},
		{Name: "neighbour", Mail: policytest.Letter{Header: slices.Concat(header, []string{"From: good@else.example"})}},
	})
}
