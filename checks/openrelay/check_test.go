package openrelay

import (
	"testing"

	"mailweir/internal/policytest"
)

func TestOpenRelay(t *testing.T) {
	const relay = "rcpt 451 4.7.1 Open relay not allowed"
	away := []string{"user@else.example"}
	policytest.Only(Check).Play(t, nil, []policytest.Scenario{
		{Name: "relay", Mail: policytest.Letter{To: away}, Said: relay},
		{Name: "relay for a trusted net", Flags: []string{"--trusted-nets=192.0.2.0/24"}, Mail: policytest.Letter{To: away}},
		{Name: "relay for a login", Mail: policytest.Letter{To: away, Login: "alice"}},
		{Name: "relay for a listed client", Flags: []string{"--open-relay-clients=inline:{192.0.2.1=x}"}, Mail: policytest.Letter{To: away}},
		{Name: "relay for a client taken out of the list", Flags: []string{"--open-relay-clients=inline:{192.0.2.1=DUNNO, 192.0.2=x}"}, Mail: policytest.Letter{To: away}, Said: relay},
		{Name: "relay to a listed domain", Flags: []string{"--open-relay-exceptions=inline:{else.example=x}"}, Mail: policytest.Letter{To: away}},
		{Name: "relay for an inbound relay", Flags: []string{"--inbound-relays=inline:{192.0.2.1=x}"}, Mail: policytest.Letter{To: away}, Said: relay},
		{Name: "relay for a permitted client's sender", Flags: []string{"--open-relay-senders=inline:{else.example=x}", "--permit-clients=inline:{192.0.2.1=OK}"}, Mail: policytest.Letter{To: away}},
	})
}
