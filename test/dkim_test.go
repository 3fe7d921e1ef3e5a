package test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"mailweir/test/testbed"
)

// A signature shows that a large message is ours, however long its key takes to come; and one octet
// less shows nothing.
func TestLargeSignedMessage(t *testing.T) {
	const size = 9 << 20
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Repeat("0123456789abcde ", 4) + "\r\n"
	text := "From: boss@ours.example\r\nSubject: large\r\n\r\n" + strings.Repeat(line, size/len(line))
	var signed bytes.Buffer
	options := &dkim.SignOptions{Domain: "ours.example", Selector: "key", Signer: private}
	if err := dkim.Sign(&signed, strings.NewReader(text), options); err != nil {
		t.Fatal(err)
	}
	message := strings.TrimSuffix(signed.String(), "\r\n")
	// In a zone file a record is strings of 255 octets at most; this one is shorter.
	record := `key._domainkey.ours.example. 60 IN TXT "v=DKIM1; k=ed25519; p=` + base64.StdEncoding.EncodeToString(public) + `"`
	others := `example.net. 60 IN TXT "v=spf1 -all"`
	onEach(t, testbed.DNSConfig{Records: []string{record, others}}, func(b *listBed) {
		b.start("--lockout=enforce", "--lockout-on=header", "--local-domains=inline:{ours.example=ours, example.org=ours}")
		b.relay.set("key._domainkey", rule{delay: 2 * time.Second})
		c := b.connect("127.0.0.66")
		for _, m := range []struct{ text, reply string }{
			{message, "250"},
			{message[:len(message)-3], "550 5.7.1 Administrative Lockout"},
		} {
			c.say("MAIL FROM:<alice@example.net>", "250")
			c.say("RCPT TO:<bob@example.org>", "250")
			c.say("DATA", "354")
			if err := c.client.Send(m.text); err != nil {
				b.t.Fatal(err)
			}
			c.say(".", m.reply)
		}
		c.say("QUIT", "221")
		b.stop()
	})
}
