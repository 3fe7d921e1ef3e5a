package attach

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"mailweir/internal/mta/postfix"
)

// recipientClass is a class of domains (ADDRESS_CLASS_README) with the lists of its recipients.
type recipientClass struct {
	domains string   // the parameter that names them
	lists   []string // the parameters with their recipients
}

var recipientClasses = []recipientClass{
	{"virtual_mailbox_domains", []string{"virtual_mailbox_maps", "virtual_alias_maps"}},
	{"virtual_alias_domains", []string{"virtual_alias_maps"}},
	{"relay_domains", []string{"relay_recipient_maps", "virtual_alias_maps"}},
}

// proposeRecipients names for each domain the lists in which Postfix looks for its recipients.
// Those of mydestination are users of the host, whom mailweir cannot look up: Postfix refuses them
// itself.
func proposeRecipients(p *Proposal, from *postfix.Postfix) {
	named := make(map[string]bool)
	for _, class := range recipientClasses {
		if _, set := from.Set[class.domains]; !set && class.domains == "virtual_alias_domains" {
			// By default they are the keys of the aliases that are no addresses.
			if !slices.ContainsFunc(postfix.ParseTables(from.Parameters[class.domains]), isText) {
				continue
			}
		}
		domains := &domains{names: make(map[string]string), proposal: new(Proposal)}
		domains.add(class.domains, from.Parameters[class.domains], false)
		if len(domains.names) == 0 && len(domains.tables) == 0 {
			continue
		}
		sources, why := recipientSources(from, class)
		if why != "" {
			p.remark("recipient-source is not set for %s: %s", class.domains, why)
			continue
		}
		if len(sources) == 0 {
			p.remark("recipient-source is not set for %s: Postfix has no list of their recipients (%s)", class.domains, strings.Join(class.lists, ", "))
			continue
		}
		if len(domains.tables) > 0 || domains.unread != "" || domains.all != "" {
			p.remark("recipient-source is not set for %s: its domains stand in a table (%s), and each must be named", class.domains, from.Parameters[class.domains])
			for _, source := range sources {
				p.comment("recipient-source", "DOMAIN="+source, class.domains+": its recipients", "the domains stand in a table; name each of them here")
			}
		}
		for _, domain := range slices.Sorted(maps.Keys(domains.names)) {
			if strings.HasPrefix(domain, ".") || named[domain] {
				continue
			}
			named[domain] = true
			for _, source := range sources {
				p.line("recipient-source", domain+"="+source, "recipients of "+class.domains)
			}
		}
	}
}

func isText(t postfix.Table) bool { return slices.Contains(textTypes, t.Type) }

// recipientSources are the tables of a class. Where one cannot be asked, whom it alone knows would
// be refused; then why is not "".
func recipientSources(from *postfix.Postfix, class recipientClass) (sources []string, why string) {
	if strings.TrimSpace(from.Parameters[class.lists[0]]) == "" {
		return nil, ""
	}
	for _, parameter := range class.lists {
		for _, t := range postfix.ParseTables(from.Parameters[parameter]) {
			spec, ok := askable(t)
			if !ok {
				return nil, fmt.Sprintf("mailweir cannot ask %s of %s", t.Text, parameter)
			}
			if !slices.Contains(sources, spec) {
				sources = append(sources, spec)
			}
		}
	}
	return sources, ""
}

// askable is a table as mailweir names it.
func askable(t postfix.Table) (spec string, ok bool) {
	if !slices.Contains(textTypes, t.Type) && !slices.Contains(askedTypes, t.Type) && t.Type != "static" {
		return "", false
	}
	return t.Type + ":" + t.Name, true
}

// proposeLogins takes over who may send as whom.
func proposeLogins(p *Proposal, from *postfix.Postfix) {
	const parameter = "smtpd_sender_login_maps"
	for _, s := range servers(from) {
		for _, t := range postfix.ParseTables(from.Value(s.Service, parameter)) {
			spec, ok := askable(t)
			line := Line{Flag: "sender-login-map", Value: spec, Why: parameter}
			switch {
			case !ok:
				p.comment(line.Flag, t.Text, parameter, "mailweir cannot ask such a table")
				p.remark("%s: mailweir cannot ask %s, so sender-login-map is only proposed", parameter, t.Text)
			case !slices.Contains(p.Lines, line):
				p.Lines = append(p.Lines, line)
			}
		}
	}
}
