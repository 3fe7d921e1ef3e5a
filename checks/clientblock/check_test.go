package clientblock

import (
	"testing"

	"mailweir/internal/policytest"
)

func TestClientBlock(t *testing.T) {
	list := "--client-block-list=cidr:" + policytest.File(t, "clients", `192.0.2.7 OK
192.0.2.8 DUNNO
192.0.2.9 REJECT your host sends spam
192.0.2.10 DEFER come back tomorrow
192.0.2.11 550 5.7.25 no name for your address
192.0.2.12 REJECT 5.7.2 by our choice
192.0.2.13 450 try later
192.0.2.14 DEFER
192.0.2.0/24 REJECT
2001:db8::/32 REJECT
`)
	names := "--client-block-list=inline:{bad.example=REJECT, good.bad.example=OK}"
	const refused = "mail 421 4.7.1 Sender address blocked"
	policytest.Only(Check).Play(t, []string{list, names}, []policytest.Scenario{
		{Name: "listed", Mail: policytest.Letter{Client: "192.0.2.1"}, Said: refused, Events: "client-block deferred", Cause: `clients:9`},
		{Name: "neighbour", Mail: policytest.Letter{Client: "192.0.3.1"}},
		{Name: "mapped", Mail: policytest.Letter{Client: "::ffff:192.0.2.1"}, Said: refused},
		{Name: "IPv6", Mail: policytest.Letter{Client: "2001:db8::1"}, Said: refused},
		{Name: "IPv6 neighbour", Mail: policytest.Letter{Client: "2001:db9::1"}},
		{Name: "name", Mail: policytest.Letter{Client: "198.51.100.1", Name: "mx.bad.example"}, Said: refused, Cause: "inline:"},
		{Name: "name exempt", Mail: policytest.Letter{Client: "198.51.100.1", Name: "good.bad.example"}},
		{Name: "unknown name", Mail: policytest.Letter{Client: "198.51.100.1", Name: "unknown"}},
		{Name: "OK exempts", Mail: policytest.Letter{Client: "192.0.2.7"}},
		{Name: "DUNNO exempts", Mail: policytest.Letter{Client: "192.0.2.8"}},
		{Name: "REJECT text", Mail: policytest.Letter{Client: "192.0.2.9"}, Said: "mail 421 4.7.1 your host sends spam"},
		{Name: "DEFER text", Mail: policytest.Letter{Client: "192.0.2.10"}, Said: "mail 451 4.7.1 come back tomorrow"},
		{Name: "DEFER", Mail: policytest.Letter{Client: "192.0.2.14"}, Said: "mail 451 4.7.1 Sender address blocked"},
		{Name: "code", Mail: policytest.Letter{Client: "192.0.2.11"}, Said: "mail 550 5.7.25 no name for your address"},
		{Name: "enhanced code", Mail: policytest.Letter{Client: "192.0.2.12"}, Said: "mail 550 5.7.2 by our choice"},
		{Name: "4yz", Mail: policytest.Letter{Client: "192.0.2.13"}, Said: "mail 450 4.7.1 try later"},
		{Name: "monitor", Flags: []string{"--client-block=monitor"}, Events: "client-block would_refuse"},
		{Name: "monitor all", Flags: []string{"--mode=monitor"}, Events: "client-block would_refuse"},
		{Name: "defer", Flags: []string{"--client-block=defer"}, Said: refused, Events: "client-block deferred"},
		{Name: "defer a code", Flags: []string{"--client-block=defer"}, Mail: policytest.Letter{Client: "192.0.2.11"}, Said: "mail 451 4.7.25 no name for your address"},
		{Name: "off", Flags: []string{"--client-block=off"}},
		{Name: "login", Mail: policytest.Letter{Login: "alice"}},
		{Name: "trusted net", Flags: []string{"--trusted-nets=192.0.2.0/24"}, Said: refused},
		{Name: "no permit beats it", Flags: []string{"--permit-clients=static:OK"}, Said: refused},
		{Name: "always accepted recipient", Mail: policytest.Letter{To: []string{"postmaster@ours.example"}}, Said: refused},
		{Name: "permanently", Flags: []string{"--client-block-code=554"}, Said: "mail 554 5.7.1 Sender address blocked", Events: "client-block refused"},
		{Name: "permanently, OK exempts", Flags: []string{"--client-block-code=554"}, Mail: policytest.Letter{Client: "192.0.2.7"}},
		{Name: "permanently, with words", Flags: []string{"--client-block-code=554"}, Mail: policytest.Letter{Client: "192.0.2.9"}, Said: "mail 554 5.7.1 your host sends spam"},
		{Name: "permanently, defer", Flags: []string{"--client-block-code=554", "--client-block=defer"}, Said: "mail 451 4.7.1 Sender address blocked"},
		{Name: "local submission", Mail: policytest.Letter{Client: "none"}},
	})
}

func TestClientBlockErrors(t *testing.T) {
	list := policytest.File(t, "list", "192.0.2.1 REJECT\n192.0.2.2 REFUSE\n")
	policytest.Only(Check).WantError(t, list+":2: ", "--client-block-list="+list)
	policytest.Only(Check).WantError(t, "--client-block-list", "--client-block-list=cidr:/nonexistent")
	policytest.Only(Check).WantError(t, `--client-block-code: "550" is neither 421 nor 554`, "--client-block-code=550")
}
