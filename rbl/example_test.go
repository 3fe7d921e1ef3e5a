package rbl_test

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"mailweir/internal/dns"
	"mailweir/rbl"
)

// The whole way: a resolver and the lists' health once a process, a set once a configuration, a
// look-up once a client.
func Example() {
	resolver, err := dns.NewResolver(dns.ResolverOptions{Servers: []string{"127.0.0.1:53"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resolver.Close()
	lists := rbl.NewLists(resolver, rbl.ListsOptions{
		OnChange: func(c rbl.Change) { fmt.Println(c.Zone, c.Cause, c.Suspended, c.Why) },
	})
	defer lists.Close()

	entries, err := rbl.Parse(rbl.Addresses, []string{
		"zen.spamhaus.org=127.0.0.[2..11;30]*2",
		"bl.spamcop.net",
		"list.dnswl.org=127.0.[0..255].[1..3]*-2",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	set, err := lists.NewSet(entries, rbl.SetOptions{Threshold: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer set.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if err := set.Ready(ctx); err != nil {
		fmt.Println(err)
		return
	}
	result := set.Lookup(ctx, netip.MustParseAddr("192.0.2.99"))
	switch result.Verdict {
	case rbl.Listed:
		fmt.Printf("550 5.7.1 %s Blocked - see %s\n", result.Zone, result.Reason)
	case rbl.Unknown:
		fmt.Println("check error:", result.Err())
	case rbl.NotListed:
		lists.KnownGood(netip.MustParseAddr("192.0.2.99"), "sender.example", result.Hits()) // only if its mail is known to be good
	}
	for _, exchange := range result.Exchanges {
		fmt.Println(exchange)
	}
}

// Bad entries are refused with what to do.
func ExampleParse() {
	for _, spec := range []string{"dnsbl.ahbl.org", "dbl.spamhaus.org", "list.dnswl.org", "bl.example.org=127.0.0.300"} {
		_, err := rbl.Parse(rbl.Addresses, []string{spec})
		fmt.Println(err)
	}
	// Output:
	// list dnsbl.ahbl.org is dead since 2015-01: it lists every address there is (https://wordtothewise.com/2015/01/ahbl-wildcards-internet); remove it
	// list dbl.spamhaus.org lists domains, not addresses: name it with --rhsbl-zone
	// list list.dnswl.org: this is an allow list: give it a negative weight, list.dnswl.org*-1
	// list bl.example.org: filter "127.0.0.300": 300 is not a number from 0 to 255
}
