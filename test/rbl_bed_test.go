package test

import (
	"fmt"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

// listBed is what a test of DNS lists needs: real lists behind a real resolver, a relay before it,
// an MTA, and mailweir.
type listBed struct {
	t        *testing.T
	binary   string
	relay    *relay
	mta      *testbed.MTA
	mailweir *testbed.Mailweir
}

// onEach runs a test with each MTA.
func onEach(t *testing.T, dns testbed.DNSConfig, test func(*listBed)) {
	t.Helper()
	binary := testbed.BuildMailweir(t)
	for _, name := range []string{"postfix", "sendmail"} {
		t.Run(name, func(t *testing.T) { test(newListBed(t, name, binary, dns)) })
	}
}

func newListBed(t *testing.T, mta, binary string, dns testbed.DNSConfig) *listBed {
	t.Helper()
	testbed.Require(t, mta)
	return &listBed{
		t: t, binary: binary, mta: testbed.StartMTA(t, mta, testbed.MTAConfig{}),
		relay: startRelay(t, testbed.StartDNS(t, dns).Address),
	}
}

// start starts mailweir with the relay as its resolver.
func (b *listBed) start(flags ...string) {
	b.t.Helper()
	flags = append([]string{b.mta.Services(), "--trusted-nets=" + testbed.Trusted + "/32", "--dns=" + b.relay.address}, flags...)
	b.mailweir = testbed.StartMailweir(b.t, testbed.MailweirConfig{Binary: b.binary, Socket: b.mta.Milter, Flags: flags})
}

// stop ends mailweir, which must have given back whatever it took.
func (b *listBed) stop() {
	b.t.Helper()
	if err := b.mailweir.Close(); err != nil {
		b.t.Errorf("%v\n%s", err, b.mailweir.Log)
	}
}

// wants waits for a log line.
func (b *listBed) wants(entry testbed.Entry) testbed.Entry {
	b.t.Helper()
	got, err := b.mailweir.WaitEntry(0, entry)
	if err != nil {
		b.t.Fatalf("%v\n%s", err, b.mailweir.Log)
	}
	return got
}

// has tells whether the log has such a line by now.
func (b *listBed) has(entry testbed.Entry) bool {
	for _, e := range b.mailweir.Entries() {
		if e.Has(entry) {
			return true
		}
	}
	return false
}

// connection is an SMTP connection from an address of 127.0.0.0/8.
type connection struct {
	t      *testing.T
	client *testbed.Client
}

func (b *listBed) connect(from string) *connection {
	b.t.Helper()
	client, err := testbed.Dial(b.mta.MX, from)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = client.Close() })
	c := &connection{b.t, client}
	c.read("220")
	c.say("EHLO client.example", "250")
	return c
}

// say gives a command and wants a reply that begins so.
func (c *connection) say(command, reply string) {
	c.t.Helper()
	if err := c.client.Send(command); err != nil {
		c.t.Fatal(err)
	}
	c.read(reply)
}

func (c *connection) read(want string) {
	c.t.Helper()
	reply, err := c.client.ReadReply()
	if got := strings.Join(reply, "\n"); err != nil || !strings.HasPrefix(got, want) {
		c.t.Fatalf("reply %q (%v), want %q", got, err, want)
	}
}

// message sends a message of which RCPT is answered so, as mailweir says it; the rest goes well if
// it is 250.
func (c *connection) message(from, rcpt string) {
	c.t.Helper()
	c.say("MAIL FROM:<"+from+">", "250")
	if err := c.client.Send("RCPT TO:<bob@example.org>"); err != nil {
		c.t.Fatal(err)
	}
	reply, err := c.client.ReadReply()
	// Sendmail puts the address before the text.
	got := strings.Replace(strings.Join(reply, "\n"), "<bob@example.org>... ", "", 1)
	if err != nil || !strings.HasPrefix(got, rcpt) {
		c.t.Fatalf("RCPT: %q (%v), want %q", got, err, rcpt)
	}
	if reply.Code() != "250" {
		c.say("RSET", "250")
		return
	}
	c.say("DATA", "354")
	for _, line := range []string{"From: " + from, "Subject: x", "", "hello"} {
		if err := c.client.Send(line); err != nil {
			c.t.Fatal(err)
		}
	}
	c.say(".", "250")
}

// ipv4Lists are lists of IPv4 addresses by name, each with its test entry.
func ipv4Lists(data string, names ...string) (zones []testbed.Zone) {
	for _, name := range names {
		zones = append(zones, testbed.Zone{Name: name, Type: "ip4set", Data: ":127.0.0.2:Listed\n127.0.0.2\n" + data})
	}
	return zones
}

// numbered are the names l1.example … lN.example.
func numbered(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("l%d.example", i+1))
	}
	return names
}
