package address

import (
	"strings"
	"testing"

	"mailweir/internal/policytest"
)

func TestAddress(t *testing.T) {
	const sender, recipient = "mail 501 5.1.7 Invalid address", "rcpt 501 5.1.3 Invalid address"
	label := strings.Repeat("a", 64)
	to := func(addresses ...string) policytest.Letter { return policytest.Letter{To: addresses} }
	policytest.Only(Check).Play(t, nil, []policytest.Scenario{
		{Name: "ordinary"},
		{Name: "null sender", Mail: policytest.Letter{From: "<>"}},
		{Name: "postmaster sends", Mail: policytest.Letter{From: "postmaster"}},
		{Name: "Postmaster, whatever its case", Mail: to("Postmaster")},
		{Name: "sender without a domain", Mail: policytest.Letter{From: "alice"}, Said: sender, Cause: "no domain"},
		{Name: "sender without a local part", Mail: policytest.Letter{From: "@else.example"}, Said: sender, Cause: "local part is empty"},
		{Name: "sender with a space", Mail: policytest.Letter{From: "a b@else.example"}, Said: sender},
		{Name: "quoted space", Mail: policytest.Letter{From: `"a b"@else.example`}},
		{Name: "long label", Mail: policytest.Letter{From: "a@" + label + ".example"}, Said: sender},
		{Name: "longest label", Mail: policytest.Letter{From: "a@" + label[:63] + ".example"}},
		{Name: "malformed literal", Mail: policytest.Letter{From: "a@[192.0.2.300]"}, Said: sender},
		{Name: "literal", Mail: policytest.Letter{From: "a@[192.0.2.3]"}},
		{Name: "sender with %", Mail: policytest.Letter{From: "a%b@else.example"}},
		{Name: "recipient without a domain", Mail: to("alice"), Said: recipient},
		{Name: "null recipient", Mail: to(""), Said: recipient},
		{Name: "percent hack", Mail: to("a%else.example@ours.example"), Said: recipient},
		{Name: "bang path", Mail: to("else!a@ours.example"), Said: recipient},
		{Name: "source route", Mail: to("@ours.example:a@else.example"), Said: recipient},
		{Name: "one bad recipient of two", Mail: to("a b@ours.example", "user@ours.example"), Said: recipient},
		{Name: "trusted without a domain", Mail: policytest.Letter{Client: "127.0.0.1", From: "alice", To: []string{"bob"}}},
		{Name: "trusted routes", Mail: policytest.Letter{Client: "127.0.0.1", To: []string{"a%b@ours.example"}}},
		{Name: "login without a domain", Mail: policytest.Letter{Login: "alice", From: "alice", To: []string{"bob"}}},
		{Name: "trusted with a space", Mail: policytest.Letter{Client: "127.0.0.1", From: "a b@ours.example"}, Said: sender},
		{Name: "local submission is answered at the end", Mail: policytest.Letter{Client: "none", To: []string{"a b@ours.example"}}, Said: "end 501 5.1.3 Invalid address"},
		{Name: "not strict", Mail: policytest.Letter{From: "a..b@else.example"}},
		{Name: "strict", Flags: []string{"--address-strict"}, Mail: policytest.Letter{From: "a..b@else.example"}, Said: sender},
		{Name: "strict recipient", Flags: []string{"--address-strict"}, Mail: to("a..b@ours.example"), Said: recipient},
		{Name: "strict ordinary", Flags: []string{"--address-strict"}},
		{Name: "strict without SMTPUTF8", Flags: []string{"--address-strict"}, Mail: policytest.Letter{From: "ä@else.example"}, Said: sender},
		{Name: "strict SMTPUTF8", Flags: []string{"--address-strict"}, Mail: policytest.Letter{From: "ä@else.example", UTF8: true}},
		{Name: "monitor", Flags: []string{"--address=monitor"}, Mail: policytest.Letter{From: "alice"}, Events: "address would_refuse"},
		{Name: "defer", Flags: []string{"--address=defer"}, Mail: policytest.Letter{From: "alice"}, Said: "mail 451 4.1.7 Invalid address"},
		{Name: "always accepted recipient", Mail: policytest.Letter{From: "alice", To: []string{"abuse@ours.example"}}, Said: sender},
	})
}
