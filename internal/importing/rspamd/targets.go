package rspamd

import (
	"net/netip"
	"regexp"
	"strings"
)

// value is the right-hand side that a rule's entries have. Codes that mailweir would choose
// otherwise are those of rspamd.
func (one *rule) value(effect effect, list *list) string {
	if effect == permits {
		return "OK"
	}
	refusal := list.refusal
	if message := one.word("message"); message != "" {
		text, _, _ := strings.Cut(list.refusal, " ")
		if text != "REJECT" {
			text += " 5.7.1"
		}
		if with := text + " " + strings.Join(strings.Fields(message), " "); list.takes("a.example", with) {
			return with
		}
	}
	return refusal
}

func clientTarget(one *rule, effect effect) target {
	if effect == permits {
		return target{nets: true, changed: true, reason: "clients that the administrator permits: they pass spam, DNS lists, reputation and greylisting, but no virus check and no list of blocked senders or header From", take: func(r *reading, e mapEntry) {
			r.net(&r.lists.permitClients, e, "OK")
		}}
	}
	return target{nets: true, changed: true, reason: "clients that are refused, before they send the message", take: func(r *reading, e mapEntry) {
		r.net(&r.lists.blockClients, e, one.value(effect, &r.lists.blockClients))
	}}
}

// net takes an address or net over.
func (r *reading) net(list *list, e mapEntry, value string) {
	net, err := netip.ParsePrefix(e.key)
	if err != nil {
		address, err := netip.ParseAddr(e.key)
		if err != nil || address.Zone() != "" {
			r.Left(e.at, e.text, "it is neither an address nor a net")
			return
		}
		net = netip.PrefixFrom(address, address.BitLen())
	}
	key := net.Masked().String()
	if net.IsSingleIP() {
		key = net.Addr().String()
	}
	if net != net.Masked() {
		list.add(r, r.Changed, e, key, value, "is written as "+key+" in "+list.name)
		return
	}
	list.add(r, r.Carried, e, key, value, "stands in "+list.name)
}

func hostTarget(one *rule, effect effect) (to target, why string) {
	to.changed, to.reason = true, "clients by name that are refused, before they send the message"
	if effect == permits {
		to.reason = "clients by name that the administrator permits: they pass spam, DNS lists, reputation and greylisting, but no virus check and no list of blocked senders or header From"
	}
	filter := one.word("filter")
	if filter != "" && filter != "tld" {
		return to, "the filter " + filter + " of host names is nothing that a table can do; " + stays
	}
	to.take = func(r *reading, e mapEntry) {
		plain, patterns := &r.lists.blockNames, &r.lists.blockNamePatterns
		if effect == permits {
			plain, patterns = &r.lists.permitNames, &r.lists.permitNamePatterns
		}
		value := one.value(effect, plain)
		switch {
		case e.pattern || e.glob:
			if filter != "" {
				r.Left(e.at, e.text, "a pattern of what the filter tld leaves of a name is nothing that a table can do")
				return
			}
			patterns.pattern(r, e, partWhole, value)
		case !nameForm.MatchString(e.key):
			r.Left(e.at, e.text, "no host has such a name")
		case filter == "tld":
			plain.add(r, r.Carried, e, strings.ToLower(e.key), value, "stands in "+plain.name)
		default:
			patterns.exactly(r, e, "/^"+regexp.QuoteMeta(strings.ToLower(e.key))+"$/", value)
		}
	}
	return to, ""
}

var nameForm = regexp.MustCompile(`^(?:[A-Za-z0-9_-]+\.)*[A-Za-z0-9_-]+$`)

// partOf is what of an address a filter leaves; the domain of a filter email:domain:tld is taken
// with all below it.
func partOf(filter string) (of part, below, known bool) {
	switch filter {
	case "":
		return partAny, false, true
	case "email", "email:addr":
		return partWhole, false, true
	case "email:domain":
		return partDomain, false, true
	case "email:domain:tld":
		return partDomain, true, true
	case "email:user":
		return partUser, false, true
	}
	return 0, false, false
}

func senderTarget(one *rule, effect effect) (to target, why string) {
	of, below, known := partOf(one.word("filter"))
	if !known {
		return to, "the filter " + one.word("filter") + " is nothing that a table can do; " + stays
	}
	switch extract := one.word("extract_from"); {
	case extract == "mime":
		return authorTarget(one, effect)
	case extract != "" && extract != "smtp":
		return to, "extract_from = " + extract + " is about two addresses at once; write the map into two lists; " + stays
	}
	to.changed, to.reason = true, "senders that are refused, before they send the message; mail for postmaster or abuse alone passes (always-accept)"
	if effect == permits {
		to.reason = "senders that the administrator permits, where SPF, DKIM or the client vouches for them: anybody can write a sender"
	}
	to.take = func(r *reading, e mapEntry) {
		plain, patterns := &r.lists.blockSenders, &r.lists.blockSenderPatterns
		if effect == permits {
			plain, patterns = &r.lists.permitSenders, &r.lists.permitSenderPatterns
		}
		r.address(e, plain, patterns, of, below, one.value(effect, plain))
	}
	return to, ""
}

// authorTarget is for header From. Permits of senders count for it, too, and for spam alone.
func authorTarget(one *rule, effect effect) (to target, why string) {
	filter := one.word("filter")
	of, below, known := partOf(filter)
	switch {
	case !known || filter == "" && one.word("extract_from") == "":
		return to, "it is about header From as a whole; a content definition or --header-from-names can have what is meant; " + stays
	case effect == permits:
		return to, "anybody can write a header From, so mailweir has no permit for it but --permit-senders; " + stays
	}
	return target{changed: true, reason: "header From that is refused, by its addresses; those in a name count only with header-from-display = on", take: func(r *reading, e mapEntry) {
		r.address(e, &r.lists.blockAuthors, &r.lists.blockAuthorPatterns, of, below, one.value(effect, &r.lists.blockAuthors))
	}}, ""
}

func recipientTarget(one *rule) (to target, why string) {
	of, below, known := partOf(one.word("filter"))
	if !known || one.word("extract_from") != "" && one.word("extract_from") != "smtp" {
		return to, "mailweir goes by envelope recipients, without such a filter; " + stays
	}
	return target{changed: true, reason: "recipients that are refused, each by himself: rspamd refuses the message for all", take: func(r *reading, e mapEntry) {
		r.address(e, &r.lists.blockRecipients, &r.lists.blockRecipientPatterns, of, below, one.value(refuses, &r.lists.blockRecipients))
	}}, ""
}

// address takes an address, or a part of one, over.
func (r *reading) address(e mapEntry, plain, patterns *list, of part, below bool, value string) {
	key := strings.ToLower(e.key)
	local, after, isAddress := strings.Cut(key, "@")
	switch {
	case e.pattern || e.glob:
		if below {
			r.Left(e.at, e.text, "a pattern of what the filter tld leaves of a domain is nothing that a table can do")
			return
		}
		patterns.pattern(r, e, of, value)
	case isAddress && (of == partDomain || of == partUser):
		r.Left(e.at, e.text, "the filter leaves a part of addresses, and this is a whole one: rspamd never finds it")
	case !isAddress && of == partWhole:
		r.Left(e.at, e.text, "the filter leaves addresses, and this is none: rspamd never finds it")
	case isAddress && (local == "" || !nameForm.MatchString(after)):
		r.Left(e.at, e.text, "it is no address")
	case isAddress:
		plain.add(r, r.Carried, e, key, value, "stands in "+plain.name)
	case of == partUser:
		plain.add(r, r.Changed, e, key+"@", value, "is written as "+key+"@ in "+plain.name+": the user of any domain")
	case !nameForm.MatchString(key):
		r.Left(e.at, e.text, "it is no domain")
	case below:
		plain.add(r, r.Carried, e, key, value, "stands in "+plain.name)
	case of == partAny && !strings.Contains(key, "."):
		plain.add(r, r.Changed, e, key+"@", value, "is written as "+key+"@ in "+plain.name+": the user of any domain")
	default:
		patterns.exactly(r, e, "/@"+regexp.QuoteMeta(key)+"$/", value)
	}
}

// extensionForm is an extension, which is what stands behind the last dot.
var extensionForm = regexp.MustCompile(`^[^./\\]+$`)

func fileTarget(one *rule) (to target, why string) {
	filter := one.word("filter")
	isExtension := filter == "extension" || filter == "ext"
	if filter != "" && !isExtension || one.is("regexp") || one.is("glob") {
		return to, "patterns of file names go into a regexp: table of --signature-names by hand; " + stays
	}
	return target{changed: true, reason: "files that are refused by their names, also in archives", take: func(r *reading, e mapEntry) {
		key := strings.ToLower(e.key)
		if isExtension {
			key = "." + key
		}
		list := &r.lists.files
		switch {
		case e.pattern || e.glob:
			r.Left(e.at, e.text, "patterns of file names go into a regexp: table of --signature-names by hand")
		case isExtension && !extensionForm.MatchString(e.key), !list.takes(key, one.name):
			r.Left(e.at, e.text, "no file has such a name")
		case isExtension:
			list.add(r, r.Changed, e, key, one.name, "is written as "+key+" in "+list.name)
		default:
			list.add(r, r.Carried, e, key, one.name, "stands in "+list.name)
		}
	}}, ""
}
