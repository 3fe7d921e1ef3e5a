package test

import (
	"testing"

	"mailweir/test/testbed"
)

// A question is put once: the rest of the connection, the next one and the policy after a reload
// have its answer.
func TestListsAreAskedOnce(t *testing.T) {
	zones := append(append(ipv4Lists("127.0.0.66\n", "l1.example"), ipv4Lists("", "l2.example")...),
		testbed.Zone{Name: "names.example", Type: "dnset", Data: ":127.0.0.2:Listed\ntest\n"})
	onEach(t, testbed.DNSConfig{Zones: zones}, func(b *listBed) {
		b.start("--rbl-zone=l1.example", "--rbl-zone=l2.example", "--rhsbl-zone=names.example")
		for round := range 2 {
			for range 2 {
				c := b.connect("127.0.0.67")
				for range 3 {
					c.message("alice@example.net", "250")
				}
				c.say("QUIT", "221")
				c = b.connect("127.0.0.66")
				for range 3 {
					c.message("alice@example.net", "550 5.7.1 l1.example")
				}
				c.say("QUIT", "221")
			}
			if round == 0 {
				if _, err := b.mailweir.Reload(testbed.Entry{"msg": "policy loaded"}); err != nil {
					b.t.Fatal(err)
				}
			}
		}
		for name, want := range map[string]int{
			"67.0.0.127.l1.example": 1, "67.0.0.127.l2.example": 1,
			"66.0.0.127.l1.example": 2, "66.0.0.127.l2.example": 1, // A, and TXT of the one that lists it
			"example.net.names.example": 1, "client.example.names.example": 1,
			"2.0.0.127.l1.example": 1, "test.names.example": 1, // no new self-test at a reload
		} {
			if got := b.relay.count(name); got != want {
				b.t.Errorf("%s: asked %d times, want %d", name, got, want)
			}
		}
		b.stop()
	})
}
