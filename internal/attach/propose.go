package attach

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"mailweir/internal/mta/postfix"
)

// proposePostfix reads from an instance of Postfix what mailweir is to know of it.
func proposePostfix(from *postfix.Postfix) *Proposal {
	p := &Proposal{}
	local := &domains{names: make(map[string]string), proposal: p}
	for _, parameter := range []string{"mydestination", "virtual_alias_domains", "virtual_mailbox_domains", "relay_domains"} {
		parents := slices.Contains(postfix.SplitList(from.Parameters["parent_domain_matches_subdomains"]), parameter)
		local.add(parameter, from.Parameters[parameter], parents)
	}
	local.propose()
	trusted := &nets{proposal: p}
	trusted.add("mynetworks", from.Parameters["mynetworks"])
	trusted.propose("mynetworks")
	proposeServices(p, servers(from))
	proposeSize(p, from)
	if d := from.Parameters["recipient_delimiter"]; d != "+" {
		p.line("recipient-delimiter", d, "recipient_delimiter")
	}
	proposeRecipients(p, from)
	proposeLogins(p, from)
	proposeRelays(p, from)
	remarkPostfix(p, from)
	return p
}

// proposeSize takes over message_size_limit, above which Postfix refuses by itself.
func proposeSize(p *Proposal, from *postfix.Postfix) {
	limit, err := strconv.ParseInt(from.Parameters["message_size_limit"], 10, 64)
	if err != nil || limit < 0 {
		p.remark("message_size_limit = %s is no number; size-max stays as it is", from.Parameters["message_size_limit"])
		return
	}
	p.line("size-max", strconv.FormatInt(limit, 10), "message_size_limit; above it Postfix refuses by itself")
	for _, parameter := range []string{"mailbox_size_limit", "virtual_mailbox_limit"} {
		if n, err := strconv.ParseInt(from.Parameters[parameter], 10, 64); err == nil && n > 0 && n < limit {
			p.remark("%s = %d is below message_size_limit = %d: Postfix delivers no mail to mailboxes", parameter, n, limit)
		}
	}
}

// proposeRelays has hosts that Postfix lets speak for others: they may be gateways in front of it.
// Only the administrator knows.
func proposeRelays(p *Proposal, from *postfix.Postfix) {
	var hosts []string
	for _, parameter := range []string{"smtpd_authorized_xclient_hosts", "smtpd_authorized_xforward_hosts", "permit_mx_backup_networks"} {
		for _, word := range postfix.SplitList(from.Parameters[parameter]) {
			prefix, ok := parseNet(word)
			if ok && !prefix.Addr().IsLoopback() && prefix.Addr() != netip.IPv4Unspecified() && !slices.Contains(hosts, prefix.String()) {
				hosts = append(hosts, prefix.String())
			}
		}
	}
	value := "cidr:/etc/mailweir/inbound-relays"
	off := "only you know whether a backup MX or a gateway hands mail to this host; list their addresses there (ADDRESS OK)"
	if len(hosts) > 0 {
		off = "Postfix lets " + strings.Join(hosts, ", ") + " speak for others; if mail comes through them, list them there (ADDRESS OK)"
	}
	p.comment("inbound-relays", value, "a backup MX or gateway in front of this host", off)
}

// remarkPostfix says what init leaves as it is, and why.
func remarkPostfix(p *Proposal, from *postfix.Postfix) {
	if value := from.Parameters["non_smtpd_milters"]; value != "" {
		p.remark("non_smtpd_milters = %s stays as it is, but for mailweir's own address where it has that", value)
	} else {
		p.remark("non_smtpd_milters stays empty: mail of local programs (cron, sendmail -t) is not judged, because a refusal would return it to them")
	}
	if value := from.Parameters["smtpd_milter_maps"]; value != "" {
		p.remark("smtpd_milter_maps = %s keeps mailweir, too, from seeing those clients; permit-clients would leave them in the log", value)
	}
	for _, s := range servers(from) {
		if proxy := from.Value(s.Service, "smtpd_proxy_filter"); proxy != "" {
			p.remark("%s has smtpd_proxy_filter = %s: there a milter sees no header and no body. Use content_filter, or attach mailweir in the smtpd behind the proxy", s.Key(), proxy)
		}
	}
	if from.Bool(nil, "soft_bounce") {
		p.remark("soft_bounce = yes turns each refusal of mailweir into a temporary one")
	}
}
