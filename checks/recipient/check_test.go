package recipient

import (
	"testing"

	"mailweir/internal/policytest"
)

const (
	refused = "rcpt 550 5.1.1 Invalid Recipient"
	later   = "rcpt 451 4.4.3 Recipient Temporarily Unavailable"
)

func rig() policytest.Rig { return policytest.Only(Check) }

func to(addresses ...string) policytest.Letter { return policytest.Letter{To: addresses} }

func TestTables(t *testing.T) {
	bob := "--recipient-source=ours.example=inline:{bob@ours.example=bob/}"
	rig().Play(t, []string{bob}, []policytest.Scenario{
		{Name: "exists", Mail: to("bob@ours.example")},
		{Name: "does not", Mail: to("eve@ours.example"), Said: refused, Events: "recipient refused", Cause: `"eve@ours.example": not in inline:`},
		{Name: "whatever its case", Mail: to("BOB@Ours.Example")},
		{Name: "extension", Mail: to("bob+news@ours.example")},
		{Name: "quoted", Mail: to(`"bob"@ours.example`)},
		{Name: "neighbours", Mail: to("eve@ours.example", "bob@ours.example", "mallory@ours.example"), Said: refused + "\n" + refused},
		{Name: "postmaster", Mail: to("postmaster@ours.example")},
		{Name: "postmaster and others", Mail: to("PostMaster@ours.example", "bob@ours.example")},
		{Name: "bare postmaster", Mail: to("postmaster")},
		{Name: "abuse alone", Mail: to("abuse@ours.example")},
		{Name: "abuse and others", Mail: to("abuse@ours.example", "bob@ours.example", "abuse@ours.example"), Said: refused},
		{Name: "null sender", Mail: policytest.Letter{From: "<>", To: []string{"eve@ours.example"}}, Said: refused},
		{Name: "trusted client", Mail: policytest.Letter{Client: "127.0.0.1", To: []string{"eve@ours.example"}}, Said: refused},
		{Name: "login", Mail: policytest.Letter{Login: "alice", To: []string{"eve@ours.example"}}, Said: refused},
		{Name: "local submission", Mail: policytest.Letter{Client: "none", To: []string{"eve@ours.example"}}},
		{Name: "outbound", Mail: policytest.Letter{Client: "127.0.0.1", To: []string{"eve@far.example"}}},
		{Name: "relay", Mail: to("eve@far.example")},
		{Name: "no permit beats it", Flags: []string{"--permit-senders=static:OK", "--permit-clients=static:OK"}, Mail: to("eve@ours.example"), Said: refused},
		{Name: "inbound relay", Flags: []string{"--inbound-relays=inline:{192.0.2.1=x}"}, Mail: to("eve@ours.example"), Said: refused},
		{Name: "monitor", Flags: []string{"--recipient=monitor"}, Mail: to("eve@ours.example"), Events: "recipient would_refuse"},
		{Name: "defer", Flags: []string{"--recipient=defer"}, Mail: to("eve@ours.example"), Said: "rcpt 451 4.1.1 Invalid Recipient"},
		{Name: "off", Flags: []string{"--recipient=off"}, Mail: to("eve@ours.example")},
		{Name: "pilot", Flags: []string{"--enforce-for=inline:{eve@ours.example=x}"}, Mail: to("eve@ours.example", "mallory@ours.example"), Said: refused, Events: "recipient refused\nrecipient would_refuse"},
		{Name: "the first of two", Flags: []string{"--recipient-source=ours.example=inline:{eve@ours.example=x}"}, Mail: to("bob@ours.example")},
		{Name: "the second of two", Flags: []string{"--recipient-source=ours.example=inline:{eve@ours.example=x}"}, Mail: to("eve@ours.example")},
		{Name: "neither", Flags: []string{"--recipient-source=ours.example=inline:{eve@ours.example=x}"}, Mail: to("mallory@ours.example"), Said: refused, Cause: "; not in"},
		{Name: "domain beats *", Flags: []string{"--recipient-source=*=static:x"}, Mail: to("eve@ours.example"), Said: refused},
		{Name: "address beats domain", Flags: []string{"--recipient-source=bob@ours.example=send-only"}, Mail: to("bob@ours.example"), Said: refused, Cause: "send-only"},
		{Name: "address with an extension", Flags: []string{"--recipient-source=bob@ours.example=send-only"}, Mail: to("bob+x@ours.example"), Said: refused},
	})
}
