package doctor

import (
	"net/netip"
	"strings"

	"mailweir/internal/mta/postfix"
)

func postfixPathExaminations() []Examination {
	return []Examination{
		{
			ID: "proxy-filter", About: aboutPostfix, Title: "smtpd_proxy_filter",
			Meaning: "A milter beside `smtpd_proxy_filter` sees no header and no body: hops, header-from, content and scanners let everything pass.",
			Remedy:  "Use `content_filter` in its place, or ask mailweir in the smtpd behind the proxy.",
			Examine: examineProxyFilter,
		},
		{
			ID: "re-injection", About: aboutPostfix, Title: "Mail that comes back from a content filter",
			Meaning: "It has been judged, and comes from 127.0.0.1, which is trusted: judged again, it counts as mail of our own.",
			Remedy:  "`receive_override_options=no_milters` on that service, or name its port in `--services` as `reinject`.",
			Examine: examineReinjection,
		},
		{
			ID: "non-smtpd", About: aboutPostfix, Title: "non_smtpd_milters",
			Meaning: "Mail of local programs (cron, `sendmail -t`) is judged. Nobody waits for a reply there: what is refused is returned to its sender.",
			Remedy:  "Leave `non_smtpd_milters` empty unless that is wanted.",
			Examine: examineNonSMTPD,
		},
		{
			ID: "delay-reject", About: aboutPostfix, Title: "smtpd_delay_reject",
			Meaning: "With `no`, Postfix refuses clients and senders before mailweir hears of recipients: in its log and record they have none, and nobody finds them who asks for a recipient.",
			Remedy:  "`smtpd_delay_reject = yes`, the default.",
			Examine: examineDelayReject,
		},
		{
			ID: "milter-maps", About: aboutPostfix, Title: "smtpd_milter_maps",
			Meaning: "Clients in `smtpd_milter_maps` are not shown to mailweir, and so stand in no log of its own.",
			Remedy:  "`--permit-clients` or `--inbound-relays` keep them in the log.",
			Examine: examineMilterMaps,
		},
		{
			ID: "xclient", About: aboutPostfix, Title: "smtpd_authorized_xclient_hosts",
			Meaning: "These hosts may say that they are any client, with any login. mailweir believes what Postfix believes.",
			Remedy:  "Name single hosts, not networks of others.",
			Examine: examineXclient,
		},
		{
			ID: "bare-newline", About: aboutPostfix, Title: "smtpd_forbid_bare_newline",
			Meaning: "Lines that end in a bare line feed let a second message be smuggled within the first, past all checks of the host that sends it. A milter cannot see that; Postfix can refuse it.",
			Remedy:  "`smtpd_forbid_bare_newline = normalize`, the default since Postfix 3.9; before, `yes`.",
			Examine: examineBareNewline,
		},
	}
}

func examineProxyFilter(f *Facts) (found []Finding) {
	for _, a := range f.askers() {
		if proxy := a.value("smtpd_proxy_filter"); proxy != "" {
			found = append(found, fault(a.subject(), "", "smtpd_proxy_filter=%s hides header and body of every message from mailweir", proxy))
		}
	}
	return found
}

func examineReinjection(f *Facts) (found []Finding) {
	for _, p := range f.Postfix {
		filtered := p.Value(nil, "content_filter") != ""
		for _, s := range p.SMTPServers() {
			filtered = filtered || p.Value(s, "content_filter") != ""
		}
		if !filtered {
			continue
		}
		for _, s := range p.SMTPServers() {
			if !inside(s) || s.Type != "inet" || p.Value(s, "content_filter") != "" {
				continue
			}
			_, asks := f.ours(p, s, "smtpd_milters")
			if !asks || p.overridden(s, "no_milters") || f.kind(p, s) == reinject {
				found = append(found, ok(p.label(s), "what comes back is not judged again"))
				continue
			}
			value := join("no_milters", p.raw(s, "receive_override_options"))
			found = append(found, remark(p.label(s), p.setOwn(s, "receive_override_options", value), "what comes back from the content filter is judged again, as mail of our own"))
		}
	}
	return found
}

func examineNonSMTPD(f *Facts) (found []Finding) {
	for _, p := range f.Postfix {
		if m, asks := f.ours(p, nil, "non_smtpd_milters"); asks {
			found = append(found, remark(p.Name, p.set(nil, "non_smtpd_milters", p.replaced(nil, "non_smtpd_milters", m.Text, "")), "mail of local programs is judged: what is refused comes back to its sender"))
		}
	}
	return found
}

func examineDelayReject(f *Facts) (found []Finding) {
	for _, a := range f.askers() {
		if !a.Bool(a.service, "smtpd_delay_reject") {
			found = append(found, remark(a.subject(), a.set(a.service, "smtpd_delay_reject", "yes"), "smtpd_delay_reject is no: what Postfix refuses early has no recipient in mailweir's log"))
		}
	}
	return found
}

func examineMilterMaps(f *Facts) (found []Finding) {
	for _, a := range f.askers() {
		if maps := a.value("smtpd_milter_maps"); maps != "" {
			found = append(found, remark(a.subject(), "", "mailweir does not see the clients in smtpd_milter_maps=%s", maps))
		}
	}
	return found
}

// widest is how many bits the net of an XCLIENT host has at least.
const widest = 24

func examineXclient(f *Facts) (found []Finding) {
	for _, a := range f.askers() {
		hosts := a.value("smtpd_authorized_xclient_hosts")
		if hosts == "" {
			continue
		}
		wide := ""
		for _, host := range postfix.SplitList(hosts) {
			if wideNet(host) {
				wide = host
			}
		}
		if wide != "" {
			found = append(found, remark(a.subject(), "", "everybody in %s may play any client by XCLIENT", wide))
			continue
		}
		found = append(found, ok(a.subject(), "%s may play any client by XCLIENT", hosts))
	}
	return found
}

// wideNet reports whether a word is a network of many hosts beyond this one.
func wideNet(word string) bool {
	prefix, err := netip.ParsePrefix(strings.NewReplacer("[", "", "]", "").Replace(word))
	if err != nil {
		return word == "static:all" || word == "static:ALL"
	}
	if prefix.Addr().IsLoopback() {
		return false
	}
	return prefix.Addr().Is4() && prefix.Bits() < widest || prefix.Addr().Is6() && prefix.Bits() < 64
}

func examineBareNewline(f *Facts) (found []Finding) {
	for _, a := range f.forOutside() {
		switch value, known := a.Parameters["smtpd_forbid_bare_newline"]; {
		case !known:
			found = append(found, ok(a.subject(), "this Postfix does not look at bare line feeds; updates of it do"))
		case strings.EqualFold(a.value("smtpd_forbid_bare_newline"), "no") && value != "":
			// By default so before 3.9: what the distribution chose is no fault of this host.
			found = append(found, Finding{Level: OK, Subject: a.subject(), Why: "no, as before Postfix 3.9: it takes lines that end in a bare line feed; to refuse what smuggles messages by them", Command: a.set(a.service, "smtpd_forbid_bare_newline", "yes")})
		default:
			found = append(found, ok(a.subject(), "%s", value))
		}
	}
	return found
}
