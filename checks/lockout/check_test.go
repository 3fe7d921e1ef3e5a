package lockout

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"mailweir/internal/policytest"
)

// signed returns the header and body of a message with a DKIM signature of that domain, and the TXT
// record of its key.
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
	down, _ := signed(t, "down.ours.example", "boss@ours.example", body)
	foreign, _ := signed(t, "down.example", "boss@ours.example", body)
	known := policytest.Names{
		"ours.example TXT": "v=spf1 ip4:192.0.2.5 -all", "news.example TXT": "v=spf1 ip4:192.0.2.6 -all",
		"else.example TXT":                "v=spf1 ip4:192.0.2.1 -all",
		"down.example TXT":                "fail",
		"key._domainkey.ours.example TXT": ownKey, "key._domainkey.mail.ours.example TXT": subKey,
		"key._domainkey.news.example TXT": serviceKey, "key._domainkey.down.example TXT": "fail",
		"key._domainkey.down.ours.example TXT": "fail",
	}
	forged := []string{"From: boss@ours.example"}
	via := "--lockout-senders=inline:{ {letter@ours.example=via news.example} }"
	for _, c := range []policytest.Scenario{
		{Name: "envelope", Mail: policytest.Letter{From: "boss@ours.example"}, Said: "rcpt " + refused, Cause: `"boss@ours.example"`},
		{Name: "sub-domain is not local", Mail: policytest.Letter{From: "boss@mail.ours.example"}},
		{Name: "untrusted client", Mail: policytest.Letter{}},
		{Name: "envelope, SPF passes", Mail: policytest.Letter{From: "boss@ours.example", Client: "192.0.2.5"}},
		{Name: "envelope, header not judged", Flags: []string{"--lockout-on=envelope"}, Mail: policytest.Letter{Header: forged}},
		{Name: "trusted", Mail: policytest.Letter{From: "boss@ours.example", Login: "boss"}},
		{Name: "inbound relay", Flags: []string{"--inbound-relays=inline:{192.0.2.1=x}"}, Mail: policytest.Letter{From: "boss@ours.example"}},
		{Name: "client", Flags: []string{"--lockout-clients=inline:{192.0.2.1=x}"}, Mail: policytest.Letter{From: "boss@ours.example", Header: forged}},
		{Name: "sender", Flags: []string{"--lockout-senders=inline:{boss@ours.example=OK}"}, Mail: policytest.Letter{From: "boss@ours.example", Header: forged}},
		{Name: "envelope via a service", Flags: []string{via}, Mail: policytest.Letter{From: "letter@ours.example", Client: "192.0.2.6"}},
		{Name: "envelope not via the service", Flags: []string{via}, Mail: policytest.Letter{From: "letter@ours.example"}, Said: "rcpt " + refused},
		{Name: "header", Mail: policytest.Letter{Header: forged}, Said: "end " + refused, Cause: "header From"},
		{Name: "header under the null sender", Mail: policytest.Letter{From: "<>", Helo: "else.example", Header: forged}, Said: "end " + refused},
		{Name: "header, envelope only unaligned", Flags: []string{"--lockout-on=header"}, Mail: policytest.Letter{From: "boss@ours.example", Client: "192.0.2.5", Header: forged}},
		{Name: "signed", Mail: policytest.Letter{Header: own, Body: body}},
		{Name: "signed by a sub-domain", Mail: policytest.Letter{Header: sub, Body: body}},
		{Name: "signed, body changed", Mail: policytest.Letter{Header: own, Body: "pay this\r\n"}, Said: "end " + refused},
		{Name: "signed by the service", Flags: []string{via}, Mail: policytest.Letter{Header: service, Body: body}},
		{Name: "signed by another", Mail: policytest.Letter{Header: service, Body: body}, Said: "end " + refused},
		{Name: "key not to be had", Mail: policytest.Letter{Header: down, Body: body}, Said: "end 451 4.3.0 Unable to process email at this time", Cause: "key unavailable"},
		{Name: "key of another not to be had", Mail: policytest.Letter{Header: foreign, Body: body}, Said: "end " + refused},
		{Name: "signed under those of others", Mail: policytest.Letter{Header: slices.Concat(many(6, foreign), own), Body: body}},
		{Name: "ten forged signatures of ours", Mail: policytest.Letter{Header: slices.Concat(many(10, forgery(own)), forged), Body: body}, Said: "end " + refused},
		{
			Name: "more than are looked at", Mail: policytest.Letter{Header: slices.Concat(many(10, forgery(own)), own), Body: body},
			Said: "end 451 4.3.0 Unable to process email at this time", Cause: "more than 10 signatures",
		},
		{
			Name: "a signature may be beyond what is kept of the header",
			Mail: policytest.Letter{Header: slices.Concat(forged, slices.Repeat([]string{"X: y"}, 10_001)), Body: body},
			Said: "end 451 4.3.0 Unable to process email at this time", Cause: "header section is too long",
		},
		{Name: "as many local senders as are looked at", Mail: policytest.Letter{From: "boss@ours.example", Client: "192.0.2.5", Header: []string{"From: " + senders(mostClaimed)}}},
		{Name: "more local senders", Mail: policytest.Letter{From: "boss@ours.example", Client: "192.0.2.5", Header: []string{"From: " + senders(mostClaimed+1)}}, Said: "end 451 4.3.0 Unable to process email at this time", Cause: "too many local senders"},
		{Name: "more local senders, and nothing passes", Mail: policytest.Letter{Header: []string{"From: " + senders(mostClaimed+1)}}, Said: "end " + refused},
		{Name: "DNS down", Mail: policytest.Letter{From: "x@down.example", Header: forged}, Said: "end 451 4.3.0 Unable to process email at this time"},
	} {
		t.Run(c.Name, func(t *testing.T) {
			world := policytest.NewWorld()
			world.DNS, world.Lists, _ = known.Serve(t)
			p, err := policytest.Only(Check).Build(world, append([]string{"--lockout=enforce", "--lockout-on=both"}, c.Flags...)...)
			if err != nil {
				t.Fatal(err)
			}
			c.Check(t, p)
		})
	}
	policytest.Only(Check).WantError(t, "neither OK nor via DOMAIN", "--lockout-senders=inline:{x@ours.example=REJECT}")
	policytest.Only(Check).WantError(t, "--lockout-on", "--lockout-on=neither")
}

// senders are that many local ones.
func senders(n int) string {
	var list []string
	for i := range n {
		list = append(list, strconv.Itoa(i)+"@ours.example")
	}
	return strings.Join(list, ",")
}

// many repeats the DKIM-Signature field of a header.
func many(n int, header []string) (fields []string) {
	for range n {
		for _, f := range header {
			if strings.HasPrefix(f, "DKIM-Signature:") {
				fields = append(fields, f)
			}
		}
	}
	return fields
}

// forgery is the header with a signature for another body.
func forgery(header []string) []string {
	return []string{regexp.MustCompile(`bh=[^;]*;`).ReplaceAllString(header[0], "bh=AAAA;")}
}
