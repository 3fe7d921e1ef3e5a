package checks

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
)

// signed returns the header and body of a message with a DKIM signature of that domain, and the TXT record of its key.
func signed(t *testing.T, domain, from, body string) (header []string, record string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	text := "From: " + from + "\r\nSubject: signed\r\n\r\n" + body
	var out bytes.Buffer
	options := &dkim.SignOptions{Domain: domain, Selector: "key", Signer: private, HeaderCanonicalization: "relaxed", BodyCanonicalization: "relaxed"}
	if err := dkim.Sign(&out, strings.NewReader(text), options); err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(out.String(), "\r\n\r\n")
	// A milter sees folded lines joined by LF.
	for _, line := range strings.Split(strings.ReplaceAll(head, "\r\n", "\n"), "\n") {
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			header[len(header)-1] += "\n" + line
		} else {
			header = append(header, line)
		}
	}
	return header, "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
}

func TestLockout(t *testing.T) {
	const refused = "550 5.7.1 Administrative Lockout - Inbound not allowed"
	const body = "hello\r\n"
	own, ownKey := signed(t, "ours.example", "boss@ours.example", body)
	sub, subKey := signed(t, "mail.ours.example", "boss@ours.example", body)
	service, serviceKey := signed(t, "news.example", "letter@ours.example", body)
	down, _ := signed(t, "down.example", "boss@ours.example", body)
	known := names{
		"ours.example TXT": "v=spf1 ip4:192.0.2.5 -all", "news.example TXT": "v=spf1 ip4:192.0.2.6 -all",
		"else.example TXT":                "v=spf1 ip4:192.0.2.1 -all",
		"down.example TXT":                "fail",
		"key._domainkey.ours.example TXT": ownKey, "key._domainkey.mail.ours.example TXT": subKey,
		"key._domainkey.news.example TXT": serviceKey, "key._domainkey.down.example TXT": "fail",
	}
	forged := []string{"From: boss@ours.example"}
	via := "--lockout-senders=inline:{ {letter@ours.example=via news.example} }"
	for _, c := range []scenario{
		{name: "envelope", mail: letter{from: "boss@ours.example"}, said: "rcpt " + refused, cause: `"boss@ours.example"`},
		{name: "sub-domain is not local", mail: letter{from: "boss@mail.ours.example"}},
		{name: "stranger", mail: letter{}},
		{name: "envelope, SPF passes", mail: letter{from: "boss@ours.example", client: "192.0.2.5"}},
		{name: "envelope, header not judged", flags: []string{"--lockout-on=envelope"}, mail: letter{header: forged}},
		{name: "trusted", mail: letter{from: "boss@ours.example", login: "boss"}},
		{name: "inbound relay", flags: []string{"--inbound-relays=inline:{192.0.2.1=x}"}, mail: letter{from: "boss@ours.example"}},
		{name: "client", flags: []string{"--lockout-clients=inline:{192.0.2.1=x}"}, mail: letter{from: "boss@ours.example", header: forged}},
		{name: "sender", flags: []string{"--lockout-senders=inline:{boss@ours.example=OK}"}, mail: letter{from: "boss@ours.example", header: forged}},
		{name: "envelope via a service", flags: []string{via}, mail: letter{from: "letter@ours.example", client: "192.0.2.6"}},
		{name: "envelope not via the service", flags: []string{via}, mail: letter{from: "letter@ours.example"}, said: "rcpt " + refused},
		{name: "header", mail: letter{header: forged}, said: "end " + refused, cause: "header From"},
		{name: "header under the null sender", mail: letter{from: "<>", helo: "else.example", header: forged}, said: "end " + refused},
		{name: "header, envelope only unaligned", flags: []string{"--lockout-on=header"}, mail: letter{from: "boss@ours.example", client: "192.0.2.5", header: forged}},
		{name: "signed", mail: letter{header: own, body: body}},
		{name: "signed by a sub-domain", mail: letter{header: sub, body: body}},
		{name: "signed, body changed", mail: letter{header: own, body: "pay this\r\n"}, said: "end " + refused},
		{name: "signed by the service", flags: []string{via}, mail: letter{header: service, body: body}},
		{name: "signed by another", mail: letter{header: service, body: body}, said: "end " + refused},
		{name: "key not to be had", mail: letter{header: down, body: body}, said: "end 451 4.3.0 Unable to process email at this time", cause: "down.example"},
		{name: "DNS down", mail: letter{from: "x@down.example", header: forged}, said: "end 451 4.3.0 Unable to process email at this time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			world := newWorld()
			world.DNS, world.Lists, _ = known.serve(t)
			p, err := only(Lockout).build(world, append([]string{"--lockout=enforce", "--lockout-on=both"}, c.flags...)...)
			if err != nil {
				t.Fatal(err)
			}
			c.check(t, p)
		})
	}
	only(Lockout).wantError(t, "neither OK nor via DOMAIN", "--lockout-senders=inline:{x@ours.example=REJECT}")
	only(Lockout).wantError(t, "--lockout-on", "--lockout-on=neither")
}
