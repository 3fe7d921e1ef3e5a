package checks

import (
	"strings"
	"testing"
)

func TestAddress(t *testing.T) {
	const sender, recipient = "mail 501 5.1.7 Invalid address", "rcpt 501 5.1.3 Invalid address"
	label := strings.Repeat("a", 64)
	to := func(addresses ...string) letter { return letter{to: addresses} }
	only(Address).play(t, nil, []scenario{
		{name: "ordinary"},
		{name: "null sender", mail: letter{from: "<>"}},
		{name: "postmaster sends", mail: letter{from: "postmaster"}},
		{name: "Postmaster, whatever its case", mail: to("Postmaster")},
		{name: "sender without a domain", mail: letter{from: "alice"}, said: sender, cause: "no domain"},
		{name: "sender without a local part", mail: letter{from: "@else.example"}, said: sender, cause: "local part is empty"},
		{name: "sender with a space", mail: letter{from: "a b@else.example"}, said: sender},
		{name: "quoted space", mail: letter{from: `"a b"@else.example`}},
		{name: "long label", mail: letter{from: "a@" + label + ".example"}, said: sender},
		{name: "longest label", mail: letter{from: "a@" + label[:63] + ".example"}},
		{name: "malformed literal", mail: letter{from: "a@[192.0.2.300]"}, said: sender},
		{name: "literal", mail: letter{from: "a@[192.0.2.3]"}},
		{name: "sender with %", mail: letter{from: "a%b@else.example"}},
		{name: "recipient without a domain", mail: to("alice"), said: recipient},
		{name: "null recipient", mail: to(""), said: recipient},
		{name: "percent hack", mail: to("a%else.example@ours.example"), said: recipient},
		{name: "bang path", mail: to("else!a@ours.example"), said: recipient},
		{name: "source route", mail: to("@ours.example:a@else.example"), said: recipient},
		{name: "one bad recipient of two", mail: to("a b@ours.example", "user@ours.example"), said: recipient},
		{name: "trusted without a domain", mail: letter{client: "127.0.0.1", from: "alice", to: []string{"bob"}}},
		{name: "trusted routes", mail: letter{client: "127.0.0.1", to: []string{"a%b@ours.example"}}},
		{name: "login without a domain", mail: letter{login: "alice", from: "alice", to: []string{"bob"}}},
		{name: "trusted with a space", mail: letter{client: "127.0.0.1", from: "a b@ours.example"}, said: sender},
		{name: "local submission is answered at the end", mail: letter{client: "none", to: []string{"a b@ours.example"}}, said: "end 501 5.1.3 Invalid address"},
		{name: "not strict", mail: letter{from: "a..b@else.example"}},
		{name: "strict", flags: []string{"--address-strict"}, mail: letter{from: "a..b@else.example"}, said: sender},
		{name: "strict recipient", flags: []string{"--address-strict"}, mail: to("a..b@ours.example"), said: recipient},
		{name: "strict ordinary", flags: []string{"--address-strict"}},
		{name: "strict without SMTPUTF8", flags: []string{"--address-strict"}, mail: letter{from: "ä@else.example"}, said: sender},
		{name: "strict SMTPUTF8", flags: []string{"--address-strict"}, mail: letter{from: "ä@else.example", utf8: true}},
		{name: "monitor", flags: []string{"--address=monitor"}, mail: letter{from: "alice"}, events: "address would refuse"},
		{name: "defer", flags: []string{"--address=defer"}, mail: letter{from: "alice"}, said: "mail 451 4.1.7 Invalid address"},
		{name: "always accepted recipient", mail: letter{from: "alice", to: []string{"abuse@ours.example"}}, said: sender},
	})
}
