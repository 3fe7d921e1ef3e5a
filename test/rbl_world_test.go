package test

import (
	"errors"
	"fmt"
	"testing"

	"mailweir/test/testbed"
)

// A list begins to list the world while its test entries stay in order. Good mail from senders with
// a permit that SPF vouches for finds it out at the 20th net; the untrusted clients refused until
// then are all that it costs. One of these senders, who sends from any number of nets, finds
// nothing out: he may be listed rightly, and two of his nets count.
func TestWorldListed(t *testing.T) {
	world := testbed.Zone{Name: "world.example", Type: "ip4set", Data: ":127.0.0.2:everybody\n127.0.0.0/8\n!127.0.0.1\n"}
	dns := testbed.DNSConfig{
		Zones: append(ipv4Lists("127.0.0.66\n", "fair.example"), world),
		Records: []string{
			`bots.example. 60 IN TXT "v=spf1 +all"`,
			`else.example. 60 IN TXT "v=spf1 -all"`,
		},
	}
	permits := "--permit-senders=inline:{bots.example=OK,else.example=OK"
	for i := range 13 {
		dns.Records = append(dns.Records, fmt.Sprintf(`good%d.example. 60 IN TXT "v=spf1 ip4:127.1.0.0/16 -all"`, i))
		permits += fmt.Sprintf(",good%d.example=OK", i)
	}
	onEach(t, dns, func(b *listBed) {
		b.start("--rbl-zone=world.example", "--rbl-zone=fair.example", permits+"}")
		const bots = 22
		for i := 1; i <= bots; i++ {
			bot := b.connect(fmt.Sprintf("127.3.0.%d", i))
			bot.message("mallory@bots.example", "250")
			bot.say("QUIT", "221")
			b.learns(i)
		}
		refused := 0
		for i := 1; i <= 25; i++ {
			good := b.connect(fmt.Sprintf("127.1.0.%d", i))
			good.message(fmt.Sprintf("alice@good%d.example", (i-1)/2), "250")
			good.say("QUIT", "221")
			b.learns(bots + min(i, 18))
			stranger := b.connect(fmt.Sprintf("127.2.0.%d", i))
			if i < 18 {
				// The permit of a forged sender does not help, nor does it teach.
				stranger.message("mallory@else.example", "550 5.7.1 world.example Blocked - see everybody")
				refused++
			} else {
				stranger.message("mallory@else.example", "250")
			}
			stranger.say("QUIT", "221")
		}
		b.t.Logf("%d refused before the breaker saw it, none after", refused)
		b.wants(testbed.Entry{
			"msg": "dns list suspended", "level": "warning", "zone": "world.example", "cause": "known-good",
			"error": "it lists 20 of 20 nets whose mail was known to be good in the last hour, of 10 sender domains",
		})
		for zone, want := range map[string]float64{"world.example": 0, "fair.example": 1} {
			if asked, err := b.mailweir.Metric(`mailweir_dns_list_asked{zone="` + zone + `"}`); err != nil || asked != want {
				b.t.Errorf("%s asked: %v %v", zone, asked, err)
			}
		}
		listed := b.connect("127.0.0.66") // the other list goes on
		listed.message("alice@example.net", "550 5.7.1 fair.example Blocked")
		listed.say("QUIT", "221")
		b.stop()
	})
}

// learns waits until that many hits on mail known to be good are counted, which happens after the
// answer.
func (b *listBed) learns(hits int) {
	b.t.Helper()
	err := testbed.Until(func() error {
		got, err := b.mailweir.Metric(`mailweir_dns_list_known_good_hits_total{zone="world.example"}`)
		if err == nil && int(got) < hits {
			err = errors.New("not learned yet")
		}
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
}
