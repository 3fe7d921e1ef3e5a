package main

import (
	"golang.org/x/net/dns/dnsmessage"
)

// listed are the entries of the DNS list bl.example: the client of one message,
// and the test entry that every list has (RFC 5782, section 5).
var listed = map[string]string{
	"66.2.0.192.bl.example.": "Listed for the demo, see https://bl.example/192.0.2.66",
	"2.0.0.127.bl.example.":  "Test entry",
}

// records are what the demo's name server knows: the list's entries and no
// other name, so that the demo asks nobody on the network.
func records(name string, kind dnsmessage.Type) []dnsmessage.ResourceBody {
	text, found := listed[name]
	switch {
	case found && kind == dnsmessage.TypeA:
		return []dnsmessage.ResourceBody{&dnsmessage.AResource{A: [4]byte{127, 0, 0, 2}}}
	case found && kind == dnsmessage.TypeTXT:
		return []dnsmessage.ResourceBody{&dnsmessage.TXTResource{TXT: []string{text}}}
	}
	return nil
}
