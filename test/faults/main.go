// Command faults makes every server that mailweir asks fail in every way, under load, and looks
// what becomes of the mail:
//
//	go run ./test/faults [-peers tcp,slapd,…] [-faults refuse,hang,…] [-messages 100]
//
// A peer stands behind a proxy of the testbed, which refuses connections, hangs, lets half of an
// answer through, makes rubbish of it, or is slow, and then works again. Through a real Postfix
// come messages of which some are to be refused and some are not. None that was accepted may be
// lost, none refused permanently that should not be, none answered later than the MTA waits, and
// the log has one line when the peer goes and one when it is back. Dovecot is asked about logins
// instead (mailweir auth): no right password may be called wrong, and no wrong one right.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"mailweir/test/testbed"
)

// faults are what becomes of a peer.
var faults = []testbed.Fault{
	{Kind: "refuse"},
	{Kind: "hang"},
	{Kind: "half"},
	{Kind: "rubbish"},
	{Kind: "slow", Delay: time.Second},
	{Kind: "slow", Delay: 5 * time.Second},
	{Kind: "slow", Delay: 30 * time.Second},
}

func main() {
	only := flag.String("peers", "", "peers to try, joined by commas; all of them if empty")
	kinds := flag.String("faults", "", "faults to try, joined by commas; all of them if empty")
	messages := flag.Int("messages", 100, "messages in each cell")
	flag.Parse()
	h := testbed.NewProgram("faults")
	b := &bed{Program: h, messages: *messages, binary: testbed.BuildMailweir(h)}
	b.mta = testbed.StartPostfix(h, testbed.MTAConfig{Extra: "smtpd_client_connection_count_limit = 0\ndefault_process_limit = 150\n"})
	fmt.Printf("%d messages at once in each cell. Answered: as without the fault / to try again / let through unchecked; wrong: what must not be.\n\n", b.messages)
	fmt.Println("| peer | fault | as usual | try again | unchecked | wrong | lost | slowest answer | log: gone, back | back after |")
	fmt.Println("|---|---|--:|--:|--:|--:|--:|--:|---|--:|")
	for _, s := range subjects {
		if !chosen(*only, s.name) {
			continue
		}
		b.try(s, *kinds)
	}
	h.Close()
	if h.Failed() {
		os.Exit(1)
	}
}

func chosen(list, name string) bool {
	return list == "" || slices.Contains(strings.Split(list, ","), name)
}

// try has one peer fail in every way.
func (b *bed) try(s subject, kinds string) {
	h := b.Part()
	defer h.Close()
	network, target := s.start(h)
	startProxy := testbed.StartProxy
	if s.atSocket {
		startProxy = testbed.StartProxyAtSocket
	}
	proxy := startProxy(h, network, target)
	if s.logins {
		b = b.withLogins(h)
	}
	flags := s.flags(h, proxy.Address)
	for _, f := range faults {
		if !chosen(kinds, f.Kind) {
			continue
		}
		c := &cell{bed: b, subject: s, proxy: proxy, fault: f, flags: flags}
		if err := c.run(h); err != nil {
			b.Errorf("faults: %s, %s: %v", s.name, f, err)
		}
		fmt.Println(c.row())
		for _, complaint := range c.complaints() {
			b.Errorf("faults: %s, %s: %s", s.name, f, complaint)
		}
	}
}

// quiet are checks that would have something against the load itself.
var quiet = []string{
	"--greylist=off", "--tempblock=off", "--concurrency=off", "--reputation=off", "--load=off", "--rcpt-limit=off", "--trusted-nets=127.0.0.2/32",
	"--table-cache=0",
}
