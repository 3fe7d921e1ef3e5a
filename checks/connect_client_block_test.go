package checks

import "testing"

func TestClientBlock(t *testing.T) {
	list := "--client-block-list=cidr:" + file(t, "clients", `192.0.2.7 OK
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
	only(ClientBlock).play(t, []string{list, names}, []scenario{
		{name: "listed", mail: letter{client: "192.0.2.1"}, said: refused, events: "client-block deferred", cause: `clients:9`},
		{name: "neighbour", mail: letter{client: "192.0.3.1"}},
		{name: "mapped", mail: letter{client: "::ffff:192.0.2.1"}, said: refused},
		{name: "IPv6", mail: letter{client: "2001:db8::1"}, said: refused},
		{name: "IPv6 neighbour", mail: letter{client: "2001:db9::1"}},
		{name: "name", mail: letter{client: "198.51.100.1", name: "mx.bad.example"}, said: refused, cause: "inline:"},
		{name: "name exempt", mail: letter{client: "198.51.100.1", name: "good.bad.example"}},
		{name: "unknown name", mail: letter{client: "198.51.100.1", name: "unknown"}},
		{name: "OK exempts", mail: letter{client: "192.0.2.7"}},
		{name: "DUNNO exempts", mail: letter{client: "192.0.2.8"}},
		{name: "REJECT text", mail: letter{client: "192.0.2.9"}, said: "mail 421 4.7.1 your host sends spam"},
		{name: "DEFER text", mail: letter{client: "192.0.2.10"}, said: "mail 451 4.7.1 come back tomorrow"},
		{name: "DEFER", mail: letter{client: "192.0.2.14"}, said: "mail 451 4.7.1 Sender address blocked"},
		{name: "code", mail: letter{client: "192.0.2.11"}, said: "mail 550 5.7.25 no name for your address"},
		{name: "enhanced code", mail: letter{client: "192.0.2.12"}, said: "mail 550 5.7.2 by our choice"},
		{name: "4yz", mail: letter{client: "192.0.2.13"}, said: "mail 450 4.7.1 try later"},
		{name: "monitor", flags: []string{"--client-block=monitor"}, events: "client-block would refuse"},
		{name: "monitor all", flags: []string{"--mode=monitor"}, events: "client-block would refuse"},
		{name: "defer", flags: []string{"--client-block=defer"}, said: refused, events: "client-block deferred"},
		{name: "defer a code", flags: []string{"--client-block=defer"}, mail: letter{client: "192.0.2.11"}, said: "mail 451 4.7.25 no name for your address"},
		{name: "off", flags: []string{"--client-block=off"}},
		{name: "login", mail: letter{login: "alice"}},
		{name: "trusted net", flags: []string{"--trusted-nets=192.0.2.0/24"}, said: refused},
		{name: "no permit beats it", flags: []string{"--permit-clients=static:OK"}, said: refused},
		{name: "always accepted recipient", mail: letter{to: []string{"postmaster@ours.example"}}, said: refused},
		{name: "local submission", mail: letter{client: "none"}},
	})
}

func TestClientBlockErrors(t *testing.T) {
	list := file(t, "list", "192.0.2.1 REJECT\n192.0.2.2 REFUSE\n")
	only(ClientBlock).wantError(t, list+":2: ", "--client-block-list="+list)
	only(ClientBlock).wantError(t, "--client-block-list", "--client-block-list=cidr:/nonexistent")
}
