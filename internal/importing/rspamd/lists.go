package rspamd

import (
	"slices"
	"strings"

	"mailweir/internal/importing"
	"mailweir/internal/oldmap"
	"mailweir/internal/table"
)

// list is a table that is written.
type list struct {
	name, kind, flag string
	use              table.Use
	// refusal is the right-hand side of what is refused.
	refusal string
	// names says that its patterns are of names alone: such lists are asked for addresses, too.
	names bool

	text strings.Builder
	keys map[string]bool
	from []importing.Place
}

// lists are all tables.
type lists struct {
	blockClients, permitClients, waitless                          list
	blockNames, blockNamePatterns, permitNames, permitNamePatterns list
	blockSenders, blockSenderPatterns                              list
	permitSenders, permitSenderPatterns                            list
	blockAuthors, blockAuthorPatterns                              list
	blockRecipients, blockRecipientPatterns                        list
	files                                                          list
}

func newLists() lists {
	clients := table.Use{Asked: table.Clients, Values: table.Actions, Bare: "REJECT"}
	addresses := table.Use{Asked: table.Addresses, Values: table.Actions, Bare: "REJECT"}
	permitClients := table.Use{Asked: table.Clients, Values: table.Permits, Bare: "OK", Opens: true}
	permitSenders := table.Use{Asked: table.Addresses, Values: table.Permits, Bare: "OK", Opens: true}
	const closed = "554 5.7.1 Sender address blocked"
	client := func(name, kind string, names bool) list {
		return list{name: name, kind: kind, flag: "client-block-list", use: clients, refusal: closed, names: names}
	}
	permit := func(name, kind string, names bool) list {
		return list{name: name, kind: kind, flag: "permit-clients", use: permitClients, names: names}
	}
	return lists{
		blockClients: client("rspamd-clients-blocked.cidr", "cidr", false),
		blockNames:   client("rspamd-clients-blocked", "texthash", true), blockNamePatterns: client("rspamd-clients-blocked.pcre", "pcre", true),
		permitClients: permit("rspamd-clients-permitted.cidr", "cidr", false),
		permitNames:   permit("rspamd-clients-permitted", "texthash", true), permitNamePatterns: permit("rspamd-clients-permitted.pcre", "pcre", true),
		waitless:               list{name: "rspamd-greylist.cidr", kind: "cidr", flag: "greylist-bypass-clients", use: permitClients},
		blockSenders:           list{name: "rspamd-senders-blocked", kind: "texthash", flag: "sender-block-list", use: addresses, refusal: "REJECT"},
		blockSenderPatterns:    list{name: "rspamd-senders-blocked.pcre", kind: "pcre", flag: "sender-block-list", use: addresses, refusal: "REJECT"},
		permitSenders:          list{name: "rspamd-senders-permitted", kind: "texthash", flag: "permit-senders", use: permitSenders},
		permitSenderPatterns:   list{name: "rspamd-senders-permitted.pcre", kind: "pcre", flag: "permit-senders", use: permitSenders},
		blockAuthors:           list{name: "rspamd-from-blocked", kind: "texthash", flag: "header-from-list", use: addresses, refusal: "REJECT"},
		blockAuthorPatterns:    list{name: "rspamd-from-blocked.pcre", kind: "pcre", flag: "header-from-list", use: addresses, refusal: "REJECT"},
		blockRecipients:        list{name: "rspamd-recipients", kind: "texthash", flag: "recipient-access", use: addresses, refusal: "REJECT"},
		blockRecipientPatterns: list{name: "rspamd-recipients.pcre", kind: "pcre", flag: "recipient-access", use: addresses, refusal: "REJECT"},
		files:                  list{name: "rspamd-files", kind: "texthash", flag: "signature-names"},
	}
}

// all are the tables in the order in which their flags are written.
func (l *lists) all() []*list {
	return []*list{
		&l.blockClients, &l.blockNames, &l.blockNamePatterns, &l.blockSenders, &l.blockSenderPatterns, &l.blockAuthors, &l.blockAuthorPatterns,
		&l.blockRecipients, &l.blockRecipientPatterns, &l.files, &l.permitClients, &l.permitNames, &l.permitNamePatterns,
		&l.permitSenders, &l.permitSenderPatterns, &l.waitless,
	}
}

// check says what mailweir has against a line.
func (t *list) check(key, value string) error {
	return table.CheckLine(t.kind, key+"\t"+value, table.ListOptions{Use: t.use, Subdomains: true, Delimiters: "+"})
}

func (t *list) takes(key, value string) bool {
	if t.kind == "cidr" {
		key = "192.0.2.1"
	}
	return t.check(key, value) == nil
}

// add enters a key once, and accounts for its line.
func (t *list) add(r *reading, give fate, e mapEntry, key, value, reason string) {
	if odd := oldmap.OddOctets(e.text); odd != "" {
		r.Left(e.at, e.text, "%s", odd)
		return
	}
	if err := t.check(key, value); err != nil {
		r.Left(e.at, e.text, "%v", err)
		return
	}
	give(e.at, e.text, "%s", reason)
	if at := (importing.Place{File: e.at.File}); !slices.Contains(t.from, at) {
		t.from = append(t.from, at)
	}
	if t.keys == nil {
		t.keys = make(map[string]bool)
	}
	if !t.keys[key] {
		t.keys[key] = true
		t.text.WriteString(key + "\t" + value + "\n")
	}
}

// pattern enters a pattern or glob that is about a part of an address.
func (t *list) pattern(r *reading, e mapEntry, of part, value string) {
	written, why := tablePattern(e, of)
	if why != "" {
		r.Left(e.at, e.text, "%s", why)
		return
	}
	reason := "is written as " + written + " in " + t.name
	if !strings.Contains(e.flags, "i") {
		reason += ", for upper and lower case alike"
	}
	t.add(r, r.Changed, e, written, value, reason)
}

// exactly enters a key that is to match nothing below it.
func (t *list) exactly(r *reading, e mapEntry, pattern, value string) {
	t.add(r, r.Changed, e, pattern, value, "is written as "+pattern+" in "+t.name+"; nothing below it is meant")
}

// Patterns of names are not to match addresses.
const (
	onlyNames = "if !/^[0-9.]+$|:/\n"
	endif     = "endif\n"
)

func (l *lists) write(r *reading) {
	for _, t := range l.all() {
		if len(t.keys) == 0 {
			continue
		}
		text := t.text.String()
		if t.names && t.kind == "pcre" {
			text = onlyNames + text + endif
		}
		r.Files = append(r.Files, importing.File{Name: t.name, Text: text})
		r.Flag(t.flag, t.kind+":"+r.In(t.name), t.from...)
		if t.kind == "texthash" && t.use.Asked == table.Addresses && anyAddress(t.keys) {
			r.Note("an address in %s stands for those with an extension, too: user@example.com for user+news@example.com", t.name)
		}
	}
}

// anyAddress reports whether whole addresses are among keys.
func anyAddress(keys map[string]bool) bool {
	for key := range keys {
		if at := strings.IndexByte(key, '@'); at >= 0 && at < len(key)-1 {
			return true
		}
	}
	return false
}
