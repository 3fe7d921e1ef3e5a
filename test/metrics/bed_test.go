// Package metrics holds what mailweir shows of itself, the dashboard, the alerts and the
// expressions of the documentation against a real Prometheus that scraped a real mailweir behind a
// real Postfix.
package metrics

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailweir/internal/clamd/clamdtest"
	"mailweir/test/testbed"
)

// bed is a mailweir and a mailweir auth with everything on that has metrics.
type bed struct {
	*testing.T
	dir, binary string
	mta         *testbed.MTA
	mailweir    *testbed.Mailweir
	auth        *testbed.Auth
}

// newBed starts all of it and has mail come in. Nobody has asked for a metric yet: what is weighed
// with the first scrape finds that mail in the record.
func newBed(t *testing.T) *bed {
	t.Helper()
	for _, part := range []string{"postfix", "dns", "prometheus"} {
		testbed.Require(t, part)
	}
	b := &bed{T: t, dir: testbed.TempDir(t), binary: testbed.BuildMailweir(t)}
	const sasl = "private/mw-auth"
	b.mta = testbed.StartPostfix(t, testbed.MTAConfig{Extra: testbed.SASLFlags(sasl)})
	names := testbed.StartDNS(t, testbed.DNSConfig{
		Zones:   []testbed.Zone{{Name: "bl.example", Type: "ip4set", Data: ":127.0.0.2:Listed\n127.0.0.2\n127.0.0.66\n"}},
		Records: []string{`good.example. 60 IN TXT "v=spf1 ip4:127.0.0.0/8 -all"`},
	})
	// The real one says how old its signatures are only where they are ClamAV's own.
	clamd := clamdtest.Start(t, &clamdtest.Fake{Version: "ClamAV 1.4.6/27456/" + time.Now().Format(time.ANSIC)})
	asked := "--auth-milter=unix:" + b.dir + "/logins"
	b.mailweir = testbed.LaunchMailweir(t, testbed.MailweirConfig{Binary: b.binary, Socket: b.mta.Milter, Flags: []string{
		b.mta.Services(), "--trusted-nets=" + testbed.Trusted + "/32", "--dns=" + names.Address, asked, "--watch=0",
		"--state=file:" + b.dir + "/state", "--record=file:" + b.dir + "/record", "--control=unix:" + b.dir + "/control",
		"--local-domains=inline:{example.org=x}", "--greylist=monitor", "--greylist-skip-spf=off", "--open-relay=enforce", "--rbl-zone=bl.example",
		"--virus-scanner=" + clamd.Spec(), "--virus-max-size=64KiB", "--sender-block-list=inline:{blocked.example=REJECT}",
		"--recipient-source=example.org=inline:{bob@example.org=x, carol@example.org=x}", "--impersonation=off",
	}})
	b.mailweir.Await(t)
	b.mailweir.AwaitHTTP(t)
	file := filepath.Join(b.dir, "passwd")
	// By doveadm pw -s BLF-CRYPT: "secret".
	const alice = "alice:{BLF-CRYPT}$2y$05$EquRuNvSjew4013u1EUuueQlcdBmMYtiOzyItJ.ltM18s4OyYSWVq\n"
	if err := os.WriteFile(file, []byte(alice), 0o600); err != nil {
		t.Fatal(err)
	}
	b.auth = testbed.StartAuth(t, b.binary, b.mta.Below(sasl), "--auth-passwords="+file, asked, "--auth-http=127.0.0.1:0")
	b.auth.AwaitHTTP(t)
	t.Cleanup(func() {
		for _, end := range []func() error{b.auth.End, b.mailweir.End} {
			if err := end(); err != nil {
				t.Error(err)
			}
		}
	})
	b.traffic()
	return b
}

// traffic is mail of every kind.
func (b *bed) traffic() {
	b.Helper()
	b.mail("", "carol@example.org", "friend@good.example", "hello", "250", "250")     // outbound
	b.mail("", "friend@good.example", "bob@example.org", "hello", "250", "250")       // greylisting would defer it
	b.mail("127.0.0.66", "x@else.example", "bob@example.org", "", "250", "550 5.7.1") // listed
	b.mail("127.0.0.9", "x@else.example", "bob@example.org", clamdtest.Virus, "250", "250", "554 5.7.1")
	b.mail("127.0.0.9", "x@else.example", "bob@example.org", strings.Repeat("long enough\n", 8000), "250", "250")
	b.mail("127.0.0.9", "x@else.example", "a@elsewhere.example", "", "250", "451 4.7.1")
	for range 15 { // more than have lines of their own
		b.mail("127.0.0.10", "x@blocked.example", "bob@example.org", "", "250", "550 5.7.1")
	}
	for _, login := range []struct{ password, reply string }{{"secret", "235"}, {"wrong", "535"}} {
		c := b.mta.Talk(b, b.mta.Submission)
		c.Say("EHLO client.example", "250")
		c.Say("STARTTLS", "220")
		if err := c.StartTLS(nil); err != nil {
			b.Fatal(err)
		}
		c.Say("EHLO client.example", "250")
		c.Say("AUTH PLAIN "+base64.StdEncoding.EncodeToString([]byte("\x00alice\x00"+login.password)), login.reply)
		c.Say("QUIT", "221")
	}
}

// mail sends one message: from an address, or without one from a trusted one where the sender is
// ours. The replies are those to MAIL, RCPT and the end of the message, which is 250 unless given.
func (b *bed) mail(from, sender, recipient, text string, replies ...string) {
	b.Helper()
	if from == "" {
		from = "127.0.0.1"
		if strings.HasSuffix(sender, "@example.org") {
			from = testbed.Trusted
		}
	}
	client, err := testbed.Dial(b.mta.MX, from)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	if _, err := client.ReadReply(); err != nil {
		b.Fatal(err)
	}
	say := func(command, want string) bool {
		reply, err := client.Ask(command)
		if got := strings.Join(reply, "\n"); err != nil || !strings.HasPrefix(got, want) {
			b.Fatalf("%q is answered %q (%v), want %q\n%s", command, got, err, want, b.mailweir.Log)
		}
		return reply.Code() == "250"
	}
	say("EHLO client.example", "250")
	if say("MAIL FROM:<"+sender+">", replies[0]) && say("RCPT TO:<"+recipient+">", replies[1]) {
		say("DATA", "354")
		last := "250"
		if len(replies) > 2 {
			last = replies[2]
		}
		say("Subject: x\r\n\r\n"+strings.ReplaceAll(text, "\n", "\r\n")+"\r\n.", last)
	}
	say("QUIT", "221")
}

// command gives a command to the running mailweir, which may find nothing.
func (b *bed) command(args ...string) string {
	b.Helper()
	cmd := exec.Command(b.binary, append(args, "--config=", "--control=unix:"+b.dir+"/control", "--record=file:"+b.dir+"/record")...)
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState.ExitCode() != 1 {
		b.Fatalf("mailweir %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}
