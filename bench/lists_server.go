package main

import (
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"mailweir/test/testbed"
)

// startNameServer serves lists that list next to nobody: their test entries, and each address that
// ends in 9. late says how late a name that is no test entry is answered; nil is at once.
func startNameServer(h testbed.TB, late func(name string) time.Duration) *testbed.NameServer {
	config := testbed.NameServerConfig{Records: listRecords}
	if late != nil {
		config.Late = func(name string) time.Duration {
			if isTestEntry(name) {
				return 0
			}
			return late(name)
		}
	}
	return testbed.StartNameServer(h, config)
}

func isTestEntry(name string) bool {
	return strings.HasPrefix(name, "2.0.0.127.") || strings.HasPrefix(name, "1.0.0.127.") || strings.Contains(name, ".f.f.f.f.")
}

func listRecords(name string, kind dnsmessage.Type) []dnsmessage.ResourceBody {
	first, _, _ := strings.Cut(name, ".")
	if kind == dnsmessage.TypeA && (strings.HasPrefix(name, "2.0.0.127.") || !isTestEntry(name) && strings.HasSuffix(first, "9")) {
		return []dnsmessage.ResourceBody{&dnsmessage.AResource{A: [4]byte{127, 0, 0, 2}}}
	}
	return nil
}
