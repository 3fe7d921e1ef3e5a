package dnslists_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"mailweir/test/testbed"
)

// smtpdLists are restrictions with all that import reads: lists before and behind one that permits,
// filters, one that is only watched, a restriction class and a $name.
const smtpdLists = `smtpd_authorized_xclient_hosts = 127.0.0.0/8 198.18.0.0/15
smtpd_restriction_classes = strict
strict = reject_rbl_client d.test=127.0.0.[2..6] reject_rbl_client e.test=127.0.1.[2;7..9]
own_lists = reject_rbl_client a.test=127.0.[0..1].[2;4..5],
    permit_dnswl_client b.test=127.0.0.[2..8]
smtpd_recipient_restrictions = permit_mynetworks, $own_lists, warn_if_reject reject_rbl_client f.test
    strict
    reject_rbl_client c.test
`

// A real smtpd with real lists, and mailweir with what is imported of it, decide the same of a
// thousand clients.
func TestSameAsSMTPD(t *testing.T) {
	testbed.Require(t, "postfix")
	testbed.Require(t, "dns")
	testbed.WithOwnResolver(t, func() { sameAsSMTPD(t) })
}

func sameAsSMTPD(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rnd := rand.New(rand.NewPCG(seed, 0))
	clients := make([]answers, 1000)
	for i := range clients {
		clients[i] = randomAnswers(rnd)
	}
	testbed.StartDNS(t, testbed.DNSConfig{Address: "127.0.0.1:53", Zones: zonesOf(clients)})
	mta := testbed.StartPostfix(t, testbed.MTAConfig{NoMilter: true, ErrorLimit: 100_000, Discard: true, Extra: smtpdLists})
	m, _ := importOld(t, readPostfix(t, mta.ConfigDir()), nil)
	set := m.set(t, newLists(t))
	defer set.Close()

	smtp, err := testbed.Dial(mta.MX, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	defer smtp.Close()
	if greeting, err := smtp.ReadReply(); err != nil || greeting.Code() != "220" {
		t.Fatal(greeting, err)
	}
	refused := 0
	for i, a := range clients {
		was := refusedBy(t, smtp, address(i))
		if is := listed(set, a); is != was {
			t.Fatalf("seed %d, %s: smtpd refuses: %t, mailweir: %t; %v %+v", seed, address(i), was, is, a, m)
		}
		if was {
			refused++
		}
	}
	if refused < 100 || refused > 900 {
		t.Errorf("seed %d is a poor sample: %d refused", seed, refused)
	}
	t.Logf("smtpd and mailweir agree on %d clients, %d refused by both", len(clients), refused)
}

func address(i int) netip.Addr { return netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}) }

// zonesOf has what the lists answer about each client: a data set for each code.
func zonesOf(clients []answers) (all []testbed.Zone) {
	type set struct{ zone, code string }
	data := map[set]string{}
	for i, a := range clients {
		for zone, codes := range a {
			for _, code := range codes {
				data[set{zone, code}] += address(i).String() + "\n"
			}
		}
	}
	for s, text := range data {
		all = append(all, testbed.Zone{Name: s.zone, Type: "ip4set", Data: fmt.Sprintf(":%s:listed\n%s", s.code, text)})
	}
	return all
}

// refusedBy plays a client and reports whether its recipient is refused because of a list.
func refusedBy(t *testing.T, smtp *testbed.Client, client netip.Addr) bool {
	t.Helper()
	for _, command := range []string{"EHLO x.test", "XCLIENT NAME=[UNAVAILABLE] ADDR=" + client.String(), "EHLO x.test", "MAIL FROM:<a@x.test>"} {
		if reply, err := smtp.Ask(command); err != nil || reply.Code()[0] != '2' {
			t.Fatalf("%s: %v %v", command, reply, err)
		}
	}
	reply, err := smtp.Ask("RCPT TO:<b@ours.test>")
	if err != nil || reply.Code() != "250" && !strings.Contains(fmt.Sprint(reply), "blocked using") {
		t.Fatalf("%v %v", reply, err)
	}
	return reply.Code() != "250"
}
