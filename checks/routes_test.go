package checks

import (
	"testing"

	"mailweir/internal/policy"
)

func TestRequireTLSConditions(t *testing.T) {
	strong := policy.TLS{Version: "TLSv1.3", Bits: 256, CertSubject: "mail.example.net"}
	sendmail := policy.TLS{Version: "TLSv1.2", Bits: 128, CertSubject: "/C=XX/O=Example/CN=mail.example.net"}
	old := policy.TLS{Version: "TLSv1", Bits: 56}
	for _, c := range []struct {
		need  string
		tls   policy.TLS
		lacks string
	}{
		{"tls", policy.TLS{}, "no TLS"},
		{"tls", old, ""},
		{"tls>=1.2", old, "only TLSv1"},
		{"tls>=1.2", sendmail, ""},
		{"tls>=1.3", sendmail, "only TLSv1.2"},
		{"bits>=128", old, "only 56 bits"},
		{"bits>=128", strong, ""},
		{"tls>=1.2 bits>=256", sendmail, "only 128 bits"},
		{"cert=mail.example.net", strong, ""},
		{"cert=MAIL.example.net", sendmail, ""},
		{"cert=other.example.net", strong, "no certificate of that name"},
		{"cert=mail.example.net", old, "no certificate of that name"},
		{"tls>=1.0", policy.TLS{Version: "SSLv3", Bits: 168}, "only SSLv3"},
	} {
		need, err := parseTLS(c.need)
		if err != nil {
			t.Fatal(err)
		}
		if got := need.lacks(c.tls); got != c.lacks {
			t.Errorf("%s with %v lacks %q, want %q", c.need, c.tls, got, c.lacks)
		}
	}
	for _, value := range []string{"ssl", "tls>=nan", "tls>=2", "tls>=", "cert="} {
		wantError(t, "none of tls", "--require-tls-routes=inline:{192.0.2.1="+value+"}")
	}
	wantError(t, "none of tls", "--require-tls-routes=inline:{192.0.2.1=bits>=x}")
}

func TestRoutes(t *testing.T) {
	const clear = "rcpt 553 5.7.1 This route requires encryption (TLS)"
	tls := []string{"--require-tls-routes=inline:{ {192.0.2.1=tls} {192.0.2.3=none} {user@ours.example=tls} {bank.example=tls} }"}
	play(t, tls, []scenario{
		{name: "client", said: clear, cause: "no TLS"},
		{name: "sender", mail: letter{client: "192.0.2.9", from: "x@bank.example", to: []string{"other@ours.example"}}, said: clear},
		{name: "recipient", mail: letter{client: "192.0.2.9"}, said: clear},
		{name: "other recipient", mail: letter{client: "192.0.2.9", to: []string{"other@ours.example"}}},
		{name: "loopback", mail: letter{client: "127.0.0.1"}},
		{name: "local submission", mail: letter{client: "none"}},
		{name: "monitored", flags: []string{"--require-tls=monitor"}, events: "require-tls would refuse\nrequire-tls would refuse"},
	})
	const relay = "rcpt 451 4.7.1 Open relay not allowed"
	away := []string{"user@else.example"}
	play(t, nil, []scenario{
		{name: "relay", mail: letter{to: away}, said: relay},
		{name: "relay for a trusted net", flags: []string{"--trusted-nets=192.0.2.0/24"}, mail: letter{to: away}},
		{name: "relay for a login", mail: letter{to: away, login: "alice"}},
		{name: "relay for a listed client", flags: []string{"--open-relay-clients=inline:{192.0.2.1=x}"}, mail: letter{to: away}},
		{name: "relay for a client taken out of the list", flags: []string{"--open-relay-clients=inline:{192.0.2.1=DUNNO, 192.0.2=x}"}, mail: letter{to: away}, said: relay},
		{name: "relay to a listed domain", flags: []string{"--open-relay-exceptions=inline:{else.example=x}"}, mail: letter{to: away}},
		{name: "relay for an inbound relay", flags: []string{"--inbound-relays=inline:{192.0.2.1=x}"}, mail: letter{to: away}, said: relay},
		{name: "relay for a permitted client's sender", flags: []string{"--open-relay-senders=inline:{else.example=x}", "--permit-clients=inline:{192.0.2.1=OK}"}, mail: letter{to: away}},
	})
	const owner = "mail 553 5.7.1 Sender address rejected: not owned by user"
	play(t, []string{"--sender-login-map=inline:{ {alice@ours.example=Alice, bob} {shop.example=bob} {@post.example=carl} }"}, []scenario{
		{name: "own", mail: letter{login: "alice", from: "alice@ours.example"}},
		{name: "own with an extension", mail: letter{login: "alice", from: "alice+x@ours.example"}},
		{name: "domain", mail: letter{login: "bob", from: "any@shop.example"}},
		{name: "domain as Postfix writes it", mail: letter{login: "carl", from: "any@post.example"}},
		{name: "somebody else's", mail: letter{login: "alice", from: "any@shop.example"}, said: owner, cause: `"alice"`},
		{name: "nobody's", mail: letter{login: "alice", from: "x@else.example"}, said: owner},
		{name: "null sender", mail: letter{login: "alice", from: "<>"}},
		{name: "no login", flags: []string{"--lockout=off"}, mail: letter{from: "alice@ours.example"}},
	})
}

func TestRequireAuth(t *testing.T) {
	const refused = "mail 550 5.7.0 Submitter failed to authenticate"
	play(t, []string{"--services=submit=submission"}, []scenario{
		{name: "not submission"},
		{name: "submission", mail: letter{door: "submit"}, said: refused},
		{name: "submission from a trusted net", mail: letter{door: "submit", client: "127.0.0.1"}, said: refused},
		{name: "login", mail: letter{door: "submit", login: "alice"}},
		{name: "exempt", flags: []string{"--require-auth-exempt=inline:{192.0.2.1=printer}"}, mail: letter{door: "submit"}},
		{name: "local", mail: letter{door: "submit", client: "none"}},
	})
}
