// Package rbl asks DNS lists about mail clients and domains, and takes care that a list can't do
// harm.
//
// # The subject
//
// A DNS list (DNSBL, DNSWL, RBL; RFC 5782) publishes opinions about IP addresses or domain names as
// a DNS zone. To ask the list bl.example about the client 192.0.2.99, its octets are reversed and
// the zone appended, and the A record of 99.2.0.192.bl.example is asked for. For an IPv6 client the
// 32 hexadecimal digits are reversed, and still an A record is asked for. For a domain the name
// itself stands in front: sender.example.dbl.example.
//
// The answer "no such name" means not listed. An A record means listed, and its value, somewhere in
// 127.0.0.0/8, says in what way: every list has its own codes. A TXT record at the same name tells
// people why. Each list of IPv4 addresses must list 127.0.0.2 and must not list 127.0.0.1 (for IPv6
// ::FFFF:7F00:2 and ::FFFF:7F00:1; for names TEST and INVALID), so that users can see whether the
// list is in working order (section 5).
//
// # What goes wrong
//
// Everything else that a DNS zone may answer has refused somebody's mail. A list that is asked too
// often, or through a public resolver, answers 127.255.255.254 or the like: listed, for a program
// that only looks whether there is an answer. Lists that were given up have answered "listed" to
// everything to get rid of their users. The domain of a dead list expires, and whoever buys it
// points every name below it at a web server with advertisements. A list does not answer, and each
// message waits for the time-out. A list of domains is asked about an address. A customer's key,
// part of the zone's name, is shown to spammers in a reply.
//
// # What this package does about it
//
//   - "Could not tell" is never "listed". Time-outs, server failures, anything outside 127.0.0.0/8,
//     all of 127.255.255.0/24 and, for lists in the table of well-known zones, any code that the
//     list does not document are errors, on block lists and allow lists alike.
//   - [Parse] refuses dead lists, lists of the wrong kind, keys in plain sight, and filters that
//     could never match.
//   - Each list tests itself by its test entries at start and every hour and is not asked while
//     that fails ([Lists]); nor while it does not answer, nor for an hour after it listed too many
//     clients known to be good ([Lists.KnownGood]).
//   - All lists are asked at once, and [Set.Lookup] returns as soon as no list that is still silent
//     could change the verdict.
//   - Keys are a [Secret] and stand as {NAME} in everything that can be printed.
//
// A list that is suspended counts as though it were not configured. One that failed just now leaves
// the verdict [Unknown] if its answer could have changed it: a lost packet of an allow list must
// not refuse what would be let in a second later.
//
// # The parts
//
// A [dns.Resolver] asks recursive DNS servers and keeps the answers. [Lists] holds the health and
// the counters of each list. Both live as long as the process. [Parse] reads entries in the syntax
// of Postfix's postscreen_dnsbl_sites, and [Lists.NewSet] makes a [Set] of them with a threshold:
// one configuration's view. Sets come and go; answers and health stay.
//
// The package knows nothing of mail policy and writes no log: changes of health are told to a
// callback, counters are snapshots, and every question and answer behind a [Result] can be printed
// and replayed.
package rbl
