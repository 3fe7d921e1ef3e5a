package rbl

// The sources of the codes below, and when they were read. Where a list's own page could not be
// had, the source is the rule file of a widely used filter.
const (
	srcSpamhaus  = "https://docs.spamhaus.com/datasets/docs/source/10-data-type-documentation/datasets/040-zones.html, read 2026-11"
	srcAbusix    = "https://docs.abusix.com/docs/guardian-mail/production-zones, read 2026-11"
	srcDNSWL     = "https://www.dnswl.org/?page_id=15, by way of Haraka's dns-list.ini, read 2026-11"
	srcMailspike = "https://www.mailspike.net, by way of rspamd's rbl.conf and Haraka's dns-list.ini, read 2026-11"
	srcHostkarma = "https://wiki.junkemailfilter.com, by way of Haraka's dns-list.ini, read 2026-11"
	srcSURBL     = "https://surbl.org/lists, by way of rspamd's rbl.conf, read 2026-11"
	srcURIBL     = "https://uribl.com/about.shtml, by way of rspamd's rbl.conf, read 2026-11"
	srcValidity  = "https://www.validity.com, by way of SpamAssassin's 20_dnsbl_tests.cf, read 2026-11"
	srcRFC       = "RFC 5782 section 2.1: 127.0.0.2 is the plain listing; read 2026-11"
)

const (
	pageSpamhaus  = "https://check.spamhaus.org/results/?query=$client"
	pageSURBL     = "https://surbl.org/surbl-analysis"
	pageURIBL     = "https://admin.uribl.com/"
	pageMailspike = "https://mailspike.io/ip_verify"
)

func code(pattern string, sense Sense, text string) meaning {
	return meaning{codes: mustFilter(pattern), sense: sense, text: text}
}

func bit(pattern string, b byte, sense Sense, text string) meaning {
	return meaning{codes: mustFilter(pattern), bits: b, sense: sense, text: text}
}

// plain is a list with the one code 127.0.0.2.
func plain(text string) []meaning { return []meaning{code("127.0.0.2", Block, text)} }

func join(sets ...[]meaning) (all []meaning) {
	for _, s := range sets {
		all = append(all, s...)
	}
	return all
}

var (
	sbl = []meaning{
		code("127.0.0.2", Block, "SBL: spam source"),
		code("127.0.0.3", Block, "CSS: snowshoe or compromised source"),
		code("127.0.0.9", Block, "DROP: hijacked or criminal network"),
		code("127.0.0.30", Block, "BCL: botnet controller"),
	}
	xbl = []meaning{code("127.0.0.[4..7]", Block, "XBL: infected or exploited host")}
	pbl = []meaning{
		code("127.0.0.10", Block, "PBL: not to send mail directly, says its provider"),
		code("127.0.0.11", Block, "PBL: not to send mail directly, says Spamhaus"),
	}
	authbl = []meaning{code("127.0.0.20", Block, "AuthBL: guesses passwords")}
	// Spamhaus: legitimate domains that are abused (102 to 106) are for links in messages, not a
	// reason to refuse a sender.
	dbl = []meaning{
		code("127.0.1.2", Block, "DBL: domain of low reputation"),
		code("127.0.1.4", Block, "DBL: phishing"),
		code("127.0.1.5", Block, "DBL: malware"),
		code("127.0.1.6", Block, "DBL: botnet controller"),
		code("127.0.1.[102..106]", Neutral, "DBL: legitimate domain, abused"),
	}
	zrd = []meaning{code("127.0.2.[2..24]", Block, "ZRD: domain first seen within a day")}

	abusixBlack   = []meaning{code("127.0.0.[2..3]", Block, "spam trap hits"), code("127.0.0.200", Block, "listed by hand")}
	abusixExploit = []meaning{code("127.0.0.4", Block, "infected or exploited host")}
	abusixPolicy  = []meaning{code("127.0.0.11", Block, "generic reverse name"), code("127.0.0.12", Block, "no reverse name")}

	mailspikeBad = []meaning{
		code("127.0.0.10", Block, "worst reputation"),
		code("127.0.0.11", Block, "very bad reputation"),
		code("127.0.0.12", Block, "bad reputation"),
	}
	mailspikeGood = []meaning{
		code("127.0.0.17", Allow, "possible legitimate sender"),
		code("127.0.0.18", Allow, "good reputation"),
		code("127.0.0.19", Allow, "very good reputation"),
		code("127.0.0.20", Allow, "excellent reputation"),
	}
	mailspikeZombie = []meaning{code("127.0.0.2", Block, "infected host")}

	// 127.0.10.x is category "special", in which the test entry stands: it must not earn trust.
	dnswl = []meaning{
		code("127.0.[2..9;11..20].0", Allow, "trust none: not to be refused outright"),
		code("127.0.[2..9;11..20].1", Allow, "trust low"),
		code("127.0.[2..9;11..20].2", Allow, "trust medium"),
		code("127.0.[2..9;11..20].3", Allow, "trust high"),
		code("127.0.10.[0..3]", Neutral, "special: test entry"),
	}
	hostkarma = []meaning{
		code("127.0.0.1", Allow, "white"), code("127.0.0.2", Block, "black"), code("127.0.0.3", Neutral, "yellow: sends both"),
		code("127.0.0.4", Neutral, "brown"), code("127.0.0.5", Neutral, "no black listing"),
	}

	// Bit 1 of both says "your questions are refused" and is therefore in no set.
	surbl = []meaning{
		bit(surblCodes, 2, Neutral, "retired"), // still in the answer about the test entry, 127.0.0.254
		bit(surblCodes, 4, Block, "DM"), bit(surblCodes, 8, Block, "PH: phishing"),
		bit(surblCodes, 16, Block, "MW: malware"), bit(surblCodes, 32, Block, "CT: click tracker"),
		bit(surblCodes, 64, Block, "ABUSE: spam"), bit(surblCodes, 128, Block, "CR: cracked site"),
	}
	uribl = []meaning{
		bit(uriblCodes, 2, Block, "black"), bit(uriblCodes, 4, Neutral, "grey"), bit(uriblCodes, 8, Neutral, "red"),
	}
)

const (
	surblCodes = "127.0.0.[2..255]"
	uriblCodes = "127.0.0.[2..15]"
)

// knownZones are the well-known lists: what each may answer, and nothing else it says is believed.
// None is asked unless configured.
var knownZones = []zoneInfo{
	{zone: "zen.spamhaus.org", meanings: join(sbl, xbl, pbl), ipv6: true, page: pageSpamhaus, source: srcSpamhaus},
	{zone: "sbl-xbl.spamhaus.org", meanings: join(sbl, xbl), ipv6: true, page: pageSpamhaus, source: srcSpamhaus},
	{zone: "sbl.spamhaus.org", meanings: sbl, ipv6: true, page: pageSpamhaus, source: srcSpamhaus},
	{zone: "xbl.spamhaus.org", meanings: xbl, ipv6: true, page: pageSpamhaus, source: srcSpamhaus},
	{zone: "pbl.spamhaus.org", meanings: pbl, ipv6: true, page: pageSpamhaus, source: srcSpamhaus},
	{zone: "dbl.spamhaus.org", kind: Domains, meanings: dbl, testName: "dbltest.com", page: pageSpamhaus, source: srcSpamhaus},

	{zone: "zen.dq.spamhaus.net", keyed: true, meanings: join(sbl, xbl, pbl), ipv6: true, page: pageSpamhaus, source: srcSpamhaus},
	{zone: "sbl-xbl.dq.spamhaus.net", keyed: true, meanings: join(sbl, xbl), ipv6: true, page: pageSpamhaus, source: srcSpamhaus},
	{zone: "sbl.dq.spamhaus.net", keyed: true, meanings: sbl, ipv6: true, page: pageSpamhaus, source: srcSpamhaus},
	{zone: "xbl.dq.spamhaus.net", keyed: true, meanings: xbl, ipv6: true, page: pageSpamhaus, source: srcSpamhaus},
	{zone: "pbl.dq.spamhaus.net", keyed: true, meanings: pbl, ipv6: true, page: pageSpamhaus, source: srcSpamhaus},
	{zone: "authbl.dq.spamhaus.net", keyed: true, meanings: authbl, ipv6: true, page: pageSpamhaus, source: srcSpamhaus},
	{zone: "dbl.dq.spamhaus.net", keyed: true, kind: Domains, meanings: dbl, testName: "dbltest.com", page: pageSpamhaus, source: srcSpamhaus},
	// ZRD knows names for a day only, so no fixed name can be listed for tests.
	{zone: "zrd.dq.spamhaus.net", keyed: true, kind: Domains, meanings: zrd, untested: true, page: pageSpamhaus, source: srcSpamhaus},

	{zone: "combined.mail.abusix.zone", keyed: true, meanings: join(abusixBlack, abusixExploit, abusixPolicy), ipv6: true, page: "https://lookup.abusix.com/search?q=$client", source: srcAbusix},
	{zone: "black.mail.abusix.zone", keyed: true, meanings: abusixBlack, ipv6: true, page: "https://lookup.abusix.com/search?q=$client", source: srcAbusix},
	{zone: "dynamic.mail.abusix.zone", keyed: true, meanings: abusixPolicy, page: "https://lookup.abusix.com/search?q=$client", source: srcAbusix},
	{zone: "dblack.mail.abusix.zone", keyed: true, kind: Domains, testName: "mail.test", meanings: []meaning{
		code("127.0.1.1", Block, "seen in spam"), code("127.0.1.2", Block, "newly observed"), code("127.0.1.3", Block, "behind a short link"),
	}, page: "https://lookup.abusix.com/search?q=$client", source: srcAbusix},

	{zone: "bl.spamcop.net", meanings: plain("reported spam source"), page: "https://www.spamcop.net/bl.shtml?$client", source: srcRFC},
	{zone: "b.barracudacentral.org", meanings: plain("poor reputation"), page: "https://www.barracudacentral.org/lookups", source: srcRFC},
	{zone: "psbl.surriel.com", meanings: plain("sent to a spam trap"), ipv6: true, page: "https://psbl.org/listing?ip=$client", source: srcRFC},
	{zone: "dnsbl-1.uceprotect.net", meanings: plain("address sent to spam traps"), page: "https://www.uceprotect.net/en/rblcheck.php?ipr=$client", source: srcRFC},
	{zone: "dnsbl-2.uceprotect.net", meanings: plain("network of spam sources"), page: "https://www.uceprotect.net/en/rblcheck.php?ipr=$client", source: srcRFC},
	{zone: "dnsbl-3.uceprotect.net", meanings: plain("provider of spam sources"), page: "https://www.uceprotect.net/en/rblcheck.php?ipr=$client", source: srcRFC},

	{zone: "bl.mailspike.net", meanings: join(mailspikeZombie, mailspikeBad), page: pageMailspike, source: srcMailspike},
	{zone: "z.mailspike.net", meanings: mailspikeZombie, page: pageMailspike, source: srcMailspike},
	{zone: "wl.mailspike.net", meanings: mailspikeGood, untested: true, page: pageMailspike, source: srcMailspike},
	{zone: "rep.mailspike.net", meanings: join(mailspikeBad, mailspikeGood, []meaning{code("127.0.0.[13..16]", Neutral, "middling reputation")}), untested: true, page: pageMailspike, source: srcMailspike},

	{zone: "list.dnswl.org", meanings: dnswl, ipv6: true, page: "https://www.dnswl.org/s/?s=$client", source: srcDNSWL},
	{zone: "hostkarma.junkemailfilter.com", meanings: hostkarma, untested: true, page: "https://wiki.junkemailfilter.com/", source: srcHostkarma},

	// Validity answers 127.255.255.255 to every resolver that is not registered.
	{zone: "bl.score.senderscore.com", meanings: plain("poor sender score"), page: "https://senderscore.org/", source: srcValidity},
	{zone: "sa-trusted.bondedsender.org", meanings: []meaning{code("127.0.0.[2..254]", Allow, "certified")}, untested: true, page: "https://senderscore.org/", source: srcValidity},
	{zone: "sa-accredit.habeas.com", meanings: []meaning{code("127.0.0.[2..254]", Allow, "safe")}, untested: true, page: "https://senderscore.org/", source: srcValidity},

	{zone: "multi.surbl.org", kind: Domains, base: true, meanings: surbl, testName: "surbl-org-permanent-test-point.com", page: pageSURBL, source: srcSURBL},
	{zone: "multi.uribl.com", kind: Domains, base: true, meanings: uribl, testName: "test.uribl.com", page: pageURIBL, source: srcURIBL},
	{zone: "black.uribl.com", kind: Domains, base: true, meanings: []meaning{code("127.0.0.2", Block, "black")}, testName: "test.uribl.com", page: pageURIBL, source: srcURIBL},
}
