package test

import (
	"slices"
	"testing"
	"time"

	"mailweir/test/testbed"
)

// couldNotTell is the log line of a check error.
var couldNotTell = testbed.Entry{"check": "rbl", "msg": "check_error"}

// Twenty lists, one of which falls silent. No test measures time: where the answer did not wait for
// the silent list, its question has not failed yet. It is given up then, or, where the list only
// has no say, it fails after five seconds: on a machine that was slower than that, another client
// comes.
func TestSilentList(t *testing.T) {
	names := numbered(18)
	zones := append(ipv4Lists("127.0.0.66\n", names...), ipv4Lists("", "silent.example")...)
	zones = append(zones, testbed.Zone{Name: "allow.example", Type: "ip4set", Data: ":127.0.0.2:\n127.0.0.2\n127.0.0.68\n"})
	const listed, unlisted, allowed = "127.0.0.66", "127.0.0.67", "127.0.0.68"
	others := []string{"127.0.0.69", "127.0.0.70"} // unlisted, too
	const waits, doesNot = "--rbl-timeout=300ms", "--rbl-timeout=1h"
	onEach(t, testbed.DNSConfig{Zones: zones}, func(b *listBed) {
		for _, tt := range []struct {
			name, client, rcpt string
			cannotTell         bool
			flags              []string
		}{
			{"another list lists it", listed, "550 5.7.1 l", false, []string{doesNot, "--rbl-zone=silent.example"}},
			{"could list it", unlisted, "250", true, []string{waits, "--rbl-zone=silent.example"}},
			{"could list it, deferred", unlisted, "451 4.7.1 Internal resource temporarily unavailable", false, []string{waits, "--rbl-zone=silent.example", "--rbl-on-error=defer"}},
			{"could not outweigh an allow list", allowed, "250", false, []string{doesNot, "--rbl-zone=silent.example", "--rbl-zone=allow.example*-2"}},
			{"could not reach the threshold", unlisted, "250", false, []string{doesNot, "--rbl-zone=silent.example", "--rbl-threshold=2"}},
			{"the others reach the threshold", listed, "550 5.7.1 l", false, []string{doesNot, "--rbl-zone=silent.example", "--rbl-threshold=18"}},
			{"could save it", listed, "250", true, []string{waits, "--rbl-zone=silent.example*-1", "--rbl-threshold=18"}},
			{"cannot save it", listed, "550 5.7.1 l", false, []string{doesNot, "--rbl-zone=silent.example*-1", "--rbl-threshold=17"}},
			{"has no say", unlisted, "250", false, []string{doesNot, "--rbl-zone=silent.example", "--rbl-monitor-zone=silent.example"}},
		} {
			b.t.Run(tt.name, func(t *testing.T) {
				b := &listBed{t, b.binary, b.relay, b.mta, nil}
				b.relay.set("silent.example", rule{})
				for _, name := range names {
					tt.flags = append(tt.flags, "--rbl-zone="+name)
				}
				b.start(tt.flags...)
				release := make(chan struct{})
				b.relay.set("silent.example", rule{release: release}) // after its self-test
				wait := slices.Contains(tt.flags, waits)
				waited := b.waits(tt.client, tt.rcpt)
				for _, client := range others {
					if tt.client != unlisted || waited == wait {
						break
					}
					waited = b.waits(client, tt.rcpt)
				}
				if waited != wait {
					t.Errorf("the silent list was waited for: %v, want %v", waited, wait)
				}
				close(release)
				b.stop()
				if got := b.has(couldNotTell); got != tt.cannotTell {
					t.Errorf("could not tell: %v, want %v\n%s", got, tt.cannotTell, b.mailweir.Log)
				}
			})
		}
	})
}

// waits sends a message from the client, and tells whether the silent list had failed by the time
// it was answered.
func (b *listBed) waits(client, rcpt string) bool {
	b.t.Helper()
	before := b.silences()
	c := b.connect(client)
	c.message("alice@example.net", rcpt)
	after := b.silences()
	c.say("QUIT", "221")
	return after > before
}

// silences is how often the silent list has failed.
func (b *listBed) silences() float64 {
	b.t.Helper()
	n, err := b.mailweir.Metric(`mailweir_dns_list_errors_total{zone="silent.example"}`)
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// Twenty lists that take 1.5 seconds each: together 30, longer than the 8 seconds after which the
// mail would go on. All of them are needed for the refusal, so they have been asked at once.
func TestSlowListsDoNotAddUp(t *testing.T) {
	names := numbered(20)
	flags := []string{"--rbl-threshold=20", "--rbl-timeout=1h"}
	for _, name := range names {
		flags = append(flags, "--rbl-zone="+name)
	}
	onEach(t, testbed.DNSConfig{Zones: ipv4Lists("127.0.0.66\n", names...)}, func(b *listBed) {
		b.start(flags...)
		b.relay.set("66.0.0.127", rule{delay: 1500 * time.Millisecond})
		c := b.connect("127.0.0.66")
		c.message("alice@example.net", "550 5.7.1 l1.example Blocked")
		c.say("QUIT", "221")
		b.stop()
	})
}

// While one session waits for its lists, another is served.
func TestOtherSessionsDoNotWait(t *testing.T) {
	onEach(t, testbed.DNSConfig{Zones: ipv4Lists("127.0.0.66\n", "l1.example")}, func(b *listBed) {
		b.start("--rbl-zone=l1.example", "--rbl-timeout=7s")
		release := make(chan struct{})
		b.relay.set("66.0.0.127", rule{release: release})
		slow := b.connect("127.0.0.66")
		slow.say("MAIL FROM:<alice@example.net>", "250")
		if err := slow.client.Send("RCPT TO:<bob@example.org>"); err != nil {
			b.t.Fatal(err)
		}
		answered := make(chan testbed.Reply, 1)
		go func() {
			reply, _ := slow.client.ReadReply() // it sends RCPT first; an error is no 550
			answered <- reply
		}()
		other := b.connect("127.0.0.67")
		other.message("alice@example.net", "250")
		other.say("QUIT", "221")
		select {
		case reply := <-answered:
			b.t.Errorf("the slow session was answered first: %v", reply)
		default:
		}
		close(release)
		if reply := <-answered; reply.Code() != "550" {
			b.t.Errorf("the slow session: %v", reply)
		}
		slow.say("QUIT", "221")
		b.stop()
	})
}
