package checks

import "testing"

func TestOpenRelay(t *testing.T) {
	const relay = "rcpt 451 4.7.1 Open relay not allowed"
	away := []string{"user@else.example"}
	only(OpenRelay).play(t, nil, []scenario{
		{name: "relay", mail: letter{to: away}, said: relay},
		{name: "relay for a trusted net", flags: []string{"--trusted-nets=192.0.2.0/24"}, mail: letter{to: away}},
		{name: "relay for a login", mail: letter{to: away, login: "alice"}},
		{name: "relay for a listed client", flags: []string{"--open-relay-clients=inline:{192.0.2.1=x}"}, mail: letter{to: away}},
		{name: "relay for a client taken out of the list", flags: []string{"--open-relay-clients=inline:{192.0.2.1=DUNNO, 192.0.2=x}"}, mail: letter{to: away}, said: relay},
		{name: "relay to a listed domain", flags: []string{"--open-relay-exceptions=inline:{else.example=x}"}, mail: letter{to: away}},
		{name: "relay for an inbound relay", flags: []string{"--inbound-relays=inline:{192.0.2.1=x}"}, mail: letter{to: away}, said: relay},
		{name: "relay for a permitted client's sender", flags: []string{"--open-relay-senders=inline:{else.example=x}", "--permit-clients=inline:{192.0.2.1=OK}"}, mail: letter{to: away}},
	})
}
