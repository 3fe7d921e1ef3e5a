package recipient

import (
	"strings"
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

func TestAccess(t *testing.T) {
	access := "--recipient-access=" + policytest.File(t, "access", `known@ours.example OK
gone@ours.example REJECT
moved@ours.example 550 5.1.6 has moved
text@ours.example REJECT no longer with us
later@ours.example DEFER
soon@ours.example 450 4.2.1 come back
asked@gone.example DUNNO
gone.example REJECT
postmaster@ours.example REJECT
user@ REJECT
`)
	source := "--recipient-source=*=inline:{bob@ours.example=x, asked@gone.example=x, asked@sub.gone.example=x}"
	locals := "--local-domains=inline:{ours.example=x, gone.example=x, sub.gone.example=x}"
	rig().Play(t, []string{locals, access, source}, []policytest.Scenario{
		{Name: "OK", Mail: to("known@ours.example")},
		{Name: "OK with an extension", Mail: to("known+x@ours.example")},
		{Name: "REJECT", Mail: to("gone@ours.example"), Said: refused, Events: "recipient refused", Cause: "access:2"},
		{Name: "a code", Mail: to("moved@ours.example"), Said: "rcpt 550 5.1.6 has moved"},
		{Name: "a text", Mail: to("text@ours.example"), Said: "rcpt 550 5.1.1 no longer with us"},
		{Name: "DEFER", Mail: to("later@ours.example"), Said: later, Events: "recipient deferred"},
		{Name: "a temporary code", Mail: to("soon@ours.example"), Said: "rcpt 450 4.2.1 come back"},
		{Name: "a domain", Mail: to("x@gone.example"), Said: refused},
		{Name: "a sub-domain", Mail: to("asked@sub.gone.example"), Said: refused},
		{Name: "DUNNO asks the sources", Mail: to("asked@gone.example")},
		{Name: "a local part", Mail: to("user@ours.example"), Said: refused},
		{Name: "no entry", Mail: to("eve@ours.example", "bob@ours.example"), Said: refused},
		{Name: "postmaster", Mail: to("postmaster@ours.example")},
		{Name: "elsewhere", Mail: policytest.Letter{Client: "127.0.0.1", To: []string{"gone@far.example"}}},
		{Name: "alone", Flags: []string{"--recipient-source=ours.example=static:x"}, Mail: to("eve@ours.example", "gone@ours.example"), Said: refused},
	})
}

// Which keys of a table are asked, and how addresses may be written.
func TestKeys(t *testing.T) {
	in := func(entry string) []string { return []string{"--recipient-source=*=inline:{{" + entry + "=x}}"} }
	locals := "--local-domains=inline:{ours.example=x, xn--bcher-kva.example=x, {[192.0.2.1]=x}}"
	rig().Play(t, []string{locals}, []policytest.Scenario{
		{Name: "catch-all", Flags: in("@ours.example"), Mail: to("any@ours.example")},
		{Name: "a catch-all elsewhere", Flags: in("@far.example"), Mail: to("any@ours.example"), Said: refused},
		{Name: "a local part", Flags: in("bob"), Mail: to("bob+x@ours.example", "eve@ours.example"), Said: refused},
		{Name: "an extension alone", Flags: in("bob+x"), Mail: to("bob+x@ours.example", "bob@ours.example"), Said: refused},
		{Name: "case", Flags: in("Bob@OURS.example"), Mail: to("bOB@ours.EXAMPLE")},
		{Name: "U-labels in the table", Flags: in("bob@bücher.example"), Mail: to("bob@xn--bcher-kva.example")},
		{Name: "A-labels in the table", Flags: in("bob@xn--bcher-kva.example"), Mail: policytest.Letter{UTF8: true, To: []string{"bob@BÜCHER.example"}}},
		{Name: "non-ASCII local part", Flags: in("jürgen@ours.example"), Mail: policytest.Letter{UTF8: true, To: []string{"JÜRGEN@ours.example"}}},
		{Name: "quoted", Flags: []string{"--recipient-source=*=" + policytest.File(t, "r", `"a b"@ours.example x`+"\n")}, Mail: to(`"A b"@ours.example`, `"b a"@ours.example`), Said: refused},
		{Name: "an @ in quotes is no other address", Flags: in("x@far.example"), Mail: to(`"x@far.example"@ours.example`), Said: refused},
		{Name: "address literal", Flags: in("bob@[192.0.2.1]"), Mail: to("bob@[192.0.2.1]", "eve@[192.0.2.1]"), Said: refused},
		{Name: "pattern", Flags: []string{"--recipient-source=*=pcre:" + policytest.File(t, "p", "/^b.b@ours/ x\n")}, Mail: to("bub@ours.example", "eve@ours.example"), Said: refused},
		{Name: "list", Flags: []string{"--recipient-source=*=list:" + policytest.File(t, "l", "bob@ours.example\n")}, Mail: to("bob@ours.example", "eve@ours.example"), Said: refused},
		{Name: "no delimiter", Flags: append(in("bob@ours.example"), "--recipient-delimiter="), Mail: to("bob+x@ours.example"), Said: refused},
		{Name: "domain in U-labels", Flags: []string{"--recipient-source=bücher.example=send-only"}, Mail: to("a@xn--bcher-kva.example", "a@ours.example"), Said: refused},
	})
}

// Without --local-domains those domains are ours that have a source.
func TestWithoutLocalDomains(t *testing.T) {
	for _, c := range []struct {
		letter policytest.Letter
		want   string
	}{
		{to("eve@ours.example"), refused},
		{to("bob@ours.example"), ""},
		{to("eve@far.example"), ""},
		{policytest.Letter{Client: "127.0.0.1", To: []string{"eve@ours.example"}}, refused},
		{policytest.Letter{Client: "127.0.0.1", To: []string{"eve@far.example"}}, ""},
		{to("noreply@other.example"), refused},
		{policytest.Letter{Login: "x", To: []string{"noreply@other.example"}}, refused},
	} {
		world := policytest.NewWorld()
		p, err := rig().BuildBare(world, "--recipient-source=ours.example=inline:{bob@ours.example=x}", "--recipient-source=*=send-only", "--recipient-source=noreply@other.example=send-only")
		if err != nil {
			t.Fatal(err)
		}
		if said := strings.Join(policytest.NewHost(t, world, p).Visit(c.letter), "\n"); said != c.want {
			t.Errorf("%+v: %q, want %q", c.letter, said, c.want)
		}
	}
}
