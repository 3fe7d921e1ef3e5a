package doctor

import (
	"slices"
	"strings"

	"mailweir/internal/mta/postfix"
)

func postfixBesideExaminations() []Examination {
	return []Examination{
		{
			ID: "greylist-twice", About: aboutPostfix, Title: "Greylisting by Postfix as well",
			Meaning: "postgrey or another policy service delays new senders, and mailweir delays them again: mail waits twice, and mailweir learns nothing of those that do not return.",
			Remedy:  "Take the policy service out of the restrictions, or set `--greylist=off`.",
			Examine: examineGreylistTwice,
		},
		{
			ID: "spf-twice", About: aboutPostfix, Title: "SPF by a policy service as well",
			Meaning: "A policy service asks about SPF and may refuse mail before mailweir sees it: that stands in its own log alone. mailweir uses SPF to know who is vouched for, and refuses nobody for it.",
			Remedy:  "Keep it if you want its refusals; know where to look for them.",
			Examine: examineSPFTwice,
		},
		{
			ID: "lists-twice", About: aboutPostfix, Title: "DNS lists that Postfix asks as well",
			Meaning: "What smtpd or postscreen refuses by a DNS list mailweir does not see: not in its log, not in `mailweir why`, and no permit of its own lifts it.",
			Remedy:  "Ask each list in one place.",
			Examine: examineListsTwice,
		},
		{
			ID: "scanner-twice", About: aboutPostfix, Title: "A spam scanner that is a milter as well",
			Meaning: "Postfix asks rspamd or SpamAssassin as a milter, and mailweir shows the same scanner each message again: twice the work, and its counters see each message twice.",
			Remedy:  "Take it out of `smtpd_milters`, or leave `--spam-scanner` out.",
			Examine: examineScannerTwice,
		},
		{
			ID: "signer-first", About: aboutPostfix, Title: "A signing milter in front of mailweir",
			Meaning: "Milters work in order. mailweir may change header fields, which breaks a DKIM signature that was made before.",
			Remedy:  "Put mailweir first in `smtpd_milters`.",
			Examine: examineSignerFirst,
		},
		{
			ID: "proxy-protocol", About: aboutPostfix, Title: "A proxy in front of Postfix",
			Meaning: "Behind a load balancer the client's address comes by the PROXY protocol. Without it all mail seems to come from the balancer: no check that judges the client works, and one bad sender blocks everybody.",
			Remedy:  "`smtpd_upstream_proxy_protocol=haproxy` (or postscreen's) where a proxy is in front; `--inbound-relays` where it is a mail server.",
			Examine: examineProxyProtocol,
		},
	}
}

// restrictions are the lists of smtpd in which a policy service or a DNS list may stand.
func restrictions() []string {
	return []string{"smtpd_client_restrictions", "smtpd_helo_restrictions", "smtpd_sender_restrictions", "smtpd_relay_restrictions", "smtpd_recipient_restrictions", "smtpd_data_restrictions", "smtpd_end_of_data_restrictions"}
}

// restricted is a restriction that takes an argument, where it was found.
type restricted struct {
	asking
	list, word, argument string
}

// with are the restrictions of that name of all services that ask mailweir, each once: most
// services share the lists of main.cf.
func (f *Facts) with(word string) (all []restricted) {
	for _, a := range f.askers() {
		for _, list := range restrictions() {
			words := postfix.SplitList(a.value(list))
			for i, w := range words {
				if w != word || i+1 == len(words) {
					continue
				}
				r := restricted{a, list, word, words[i+1]}
				if _, own := a.service.Overrides[list]; !own {
					r.service = nil
				}
				if !slices.ContainsFunc(all, func(o restricted) bool {
					return o.Postfix == r.Postfix && o.service == r.service && o.list == r.list && o.argument == r.argument
				}) {
					all = append(all, r)
				}
			}
		}
	}
	return all
}

// without is the command that takes the restriction out of its list.
func (r restricted) without() string {
	value := r.raw(r.service, r.list)
	if !hasWord(value, r.argument) {
		value = r.Value(r.service, r.list)
	}
	words := postfix.SplitList(value)
	var kept []string
	for i := 0; i < len(words); i++ {
		if words[i] == r.word && i+1 < len(words) && words[i+1] == r.argument {
			i++
			continue
		}
		kept = append(kept, words[i])
	}
	// A word with its argument must have a blank between them.
	text := strings.Join(kept, " ")
	if _, own := overrideOf(r.service, r.list); own {
		return r.setOwn(r.service, r.list, strings.Join(kept, ","))
	}
	return r.set(nil, r.list, text)
}

func overrideOf(s *postfix.Service, name string) (string, bool) {
	if s == nil {
		return "", false
	}
	value, own := s.Overrides[name]
	return value, own
}

func containsAny(text string, words ...string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

func examineGreylistTwice(f *Facts) (found []Finding) {
	if !f.Config.Greylists {
		return nil
	}
	for _, r := range f.with("check_policy_service") {
		if containsAny(r.argument, "grey", "gray", ":10023", "sqlgrey", ":2501") {
			found = append(found, remark(r.label(r.service), r.without(), "%s asks %s, and mailweir greylists as well", r.list, r.argument))
		}
	}
	return found
}

func examineSPFTwice(f *Facts) (found []Finding) {
	for _, r := range f.with("check_policy_service") {
		if containsAny(r.argument, "spf") {
			found = append(found, remark(r.label(r.service), r.without(), "%s asks %s, whose refusals mailweir does not see", r.list, r.argument))
		}
	}
	return found
}

func examineListsTwice(f *Facts) (found []Finding) {
	for _, word := range []string{"reject_rbl_client", "reject_rhsbl_client", "reject_rhsbl_sender", "reject_rhsbl_helo", "reject_rhsbl_reverse_client"} {
		for _, r := range f.with(word) {
			if zone := zoneOf(r.argument); hasZone(f.Config.Zones, zone) {
				found = append(found, remark(r.label(r.service), r.without(), "%s asks %s, and mailweir asks it as well", r.list, zone))
			}
		}
	}
	for _, p := range f.Postfix {
		for _, s := range p.Postscreens() {
			for _, site := range postfix.SplitList(p.Value(s, "postscreen_dnsbl_sites")) {
				if zone := zoneOf(site); hasZone(f.Config.Zones, zone) {
					found = append(found, remark(p.label(s), p.set(s, "postscreen_dnsbl_sites", p.replaced(s, "postscreen_dnsbl_sites", site, "")), "postscreen asks %s, and mailweir asks it as well", zone))
				}
			}
		}
	}
	return found
}

// zoneOf is the zone of an entry such as zen.example=127.0.0.[2..11]*3.
func zoneOf(entry string) string {
	zone, _, _ := strings.Cut(entry, "=")
	zone, _, _ = strings.Cut(zone, "*")
	return strings.ToLower(strings.TrimSuffix(zone, "."))
}

// hasZone reports whether a zone is among those of mailweir. A customer's key, which mailweir
// writes as {NAME}, makes no difference.
func hasZone(zones []string, zone string) bool {
	return slices.ContainsFunc(zones, func(own string) bool {
		own = zoneOf(own)
		if rest, ok := strings.CutPrefix(own, "{"); ok {
			_, rest, _ = strings.Cut(rest, "}")
			return rest != "" && strings.HasSuffix(zone, rest)
		}
		return own == zone
	})
}

func examineScannerTwice(f *Facts) (found []Finding) {
	if len(f.Config.SpamScanners) == 0 {
		return nil
	}
	for _, a := range f.askers() {
		milters, _ := postfix.ParseMilters(a.value("smtpd_milters"))
		for _, m := range milters {
			scanner := ""
			switch {
			case containsAny(m.Address, "rspamd", ":11332"):
				scanner = "rspamd"
			case containsAny(m.Address, "spamass"):
				scanner = "spamd"
			}
			if scanner != "" && slices.ContainsFunc(f.Config.SpamScanners, func(s string) bool { return strings.HasPrefix(s, scanner+":") }) {
				found = append(found, remark(a.subject(), a.set(a.service, "smtpd_milters", a.replaced(a.service, "smtpd_milters", m.Text, "")), "%s is asked by Postfix as the milter %s, and by mailweir", scanner, m.Address))
			}
		}
	}
	return found
}

func examineSignerFirst(f *Facts) (found []Finding) {
	if !f.Config.EditsHeaders {
		return nil
	}
	for _, a := range f.askers() {
		milters, _ := postfix.ParseMilters(a.value("smtpd_milters"))
		for _, m := range milters {
			if m.Text == a.entry.Text {
				break
			}
			if !containsAny(m.Address, "opendkim", "dkimpy", "openarc", ":8891", ":8892") {
				continue
			}
			rest := a.replaced(a.service, "smtpd_milters", a.entry.Text, "")
			found = append(found, remark(a.subject(), a.set(a.service, "smtpd_milters", join(a.entry.Text, rest)), "%s may sign before mailweir changes header fields", m.Address))
			break
		}
	}
	return found
}

// fewest is how many messages must have come before something is said of them all.
const fewest = 50

func examineProxyProtocol(f *Facts) (found []Finding) {
	proxied := false
	for _, a := range f.askers() {
		proxied = proxied || a.value("smtpd_upstream_proxy_protocol") != ""
	}
	for _, p := range f.Postfix {
		for _, s := range p.Postscreens() {
			proxied = proxied || p.Value(s, "postscreen_upstream_proxy_protocol") != ""
		}
	}
	if proxied {
		found = append(found, ok("", "clients' addresses come by the PROXY protocol"))
	}
	c := f.Clients.Value
	if c == nil || c.Messages < fewest || len(c.Counts) > 1 || proxied {
		return found
	}
	client, _ := c.Most()
	// Which of the two it is only a person knows, and PROXY where nobody speaks it stops all mail.
	return append(found, fault("", "", "all of the last %d messages from outside came from %s: a proxy or another mail server is in front of this one", c.Messages, client))
}
