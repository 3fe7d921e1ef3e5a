package access

import (
	"fmt"
	"strings"

	"mailweir/internal/mta/postfix"
)

// judge reads the map of a use and says what each entry does there; what no list takes is accounted
// for at once.
func (r *reader) judge(u *use) {
	tables := postfix.ParseTables(u.Argument)
	if u.why == "" && (len(tables) != 1 || tables[0].Type == "") {
		u.why = "it names no table"
	}
	if u.why != "" {
		r.result.Left(u.at, u.Text, "%s", u.why)
		r.leave(u, tables)
		return
	}
	u.table = tables[0]
	m := r.open(u.table)
	if u.addresses {
		m = m.ofAddresses()
	}
	u.accessMap = m
	switch {
	case m.Asked != "":
		r.ask(u)
		return
	case m.Unread != "" && len(m.Entries) == 0:
		u.why = m.Unread
		r.result.Left(u.at, u.Text, "%s; it does its work in Postfix as before", u.why)
		return
	case m.Unread != "":
		r.result.Note("%s: %s: what stands behind that was not imported", u.Text, m.Unread)
	}
	for i := range m.Entries {
		if m.Entries[i].At.File == "" {
			m.Entries[i].At = u.at
		}
	}
	if !r.ownLine(u) {
		r.result.Carried(u.at, u.Text, "line by line, below")
	}
	r.actions(u)
}

// leave accounts for the lines of a map of which nothing is used, where they can be read.
func (r *reader) leave(u *use, tables []postfix.Table) {
	if len(tables) != 1 || tables[0].Type == "" || tables[0].Type == "inline" || tables[0].Type == "static" {
		return
	}
	m := r.open(tables[0])
	for i := range m.Entries {
		e := &m.Entries[i]
		if e.Dead == "" {
			r.fates.foreign(e, u.why)
		} else {
			r.fates.foreign(e, e.Dead)
		}
	}
}

// ownLine reports whether the entries of the map stand where the map is named.
func (r *reader) ownLine(u *use) bool {
	return u.table.Type == "inline" || u.table.Type == "static" || strings.HasPrefix(u.table.Name, "{")
}

// lineOf is the line in which an entry stands for look-ups.
func (r *reader) lineOf(u *use, i int) int {
	if r.ownLine(u) {
		return i + 1
	}
	return u.Entries[i].At.Line
}

// actions reads the right-hand sides.
func (r *reader) actions(u *use) {
	u.acts = make([]action, len(u.Entries))
	seen := make(map[string]action)
	for i := range u.Entries {
		e := &u.Entries[i]
		if e.Block && e.Dead == "" {
			continue
		}
		why := r.foreignKey(u, e)
		if u.acts[i].skip = e.Dead != "" || why != ""; e.Dead != "" {
			r.fates.left(e, e.Dead)
			continue
		}
		if why != "" {
			r.fates.foreign(e, why)
			continue
		}
		a, known := seen[e.Value]
		if !known {
			a = r.actionOf(u, e.Value)
			seen[e.Value] = a
		}
		if u.Warn && (a.refuses() || a.verb == outsiders) {
			a = action{verb: other, why: "warn_if_reject stands before the map: Postfix refuses nothing by it"}
		}
		u.acts[i] = a
	}
	r.notForAll(u)
}

// foreignKey says why a key is never looked up in such a list, "" where it may be.
func (r *reader) foreignKey(u *use, e *entry) string {
	mail := u.kind.word == "senders" || u.kind.word == "recipients"
	switch {
	case u.kind.word == "logins":
		return ""
	case u.accessMap.Kind == "cidr":
		if mail {
			return "Postfix looks up addresses of mail here, and these are nets"
		}
		return ""
	case u.accessMap.Kind != "texthash":
		return ""
	}
	key := strings.ToLower(e.Key)
	switch {
	case mail && isNet(key):
		return "Postfix looks up addresses of mail here, and this is one of a client"
	case !mail && strings.Contains(key, "@"):
		return "Postfix looks up clients here, and this is an address of mail"
	case strings.HasPrefix(key, ".") && r.parents():
		return "Postfix does not look it up: parent_domain_matches_subdomains has smtpd_access_maps, so " + strings.TrimLeft(key, ".") + " stands for its sub-domains"
	case !mail && key == unknown:
		return "this is a client without a verified name, and mailweir looks up verified names alone; it does its work in Postfix as before"
	}
	return ""
}

// isNet knows addresses and nets of whole octets or groups.
func isNet(key string) bool {
	return key != "" && (strings.Trim(key, "0123456789.") == "" || strings.Trim(key, "0123456789abcdef:") == "" && strings.Contains(key, ":"))
}

// parents reports whether the key of a domain stands for its sub-domains.
func (r *reader) parents() bool {
	for _, word := range postfix.SplitList(r.in.Postfix.Parameters["parent_domain_matches_subdomains"]) {
		if word == "smtpd_access_maps" {
			return true
		}
	}
	return false
}

// notForAll takes the refusals out that mailweir would give to others than Postfix does.
func (r *reader) notForAll(u *use) {
	for i := range u.acts {
		e, a := &u.Entries[i], &u.acts[i]
		switch {
		case a.verb == outsiders && u.kind.word == "clients" && (!a.nets || u.own && r.own().known):
			// Our own networks stand before it in the list, and a login is never refused by it.
			a.verb, a.note = reject, "for clients that are not in mynetworks and have no login"
		case a.verb == outsiders:
			a.verb, a.why = other, insidersOnly(u.kind)
		case a.verb == senders:
			r.follow(u, e, a)
		case a.verb == reject && u.kind.word == "recipients" && u.insiders && !a.missing():
			a.verb, a.why = other, insidersOnly(u.kind)
		}
		if (a.refuses() && u.insiders || a.why == insidersOnly(u.kind)) && u.kind.word == "senders" {
			if domain := r.ownDomain(u, e); domain != "" {
				a.verb = other
				a.why = fmt.Sprintf("your own users send from %s; that nobody else does is the check lockout: see mailweir would --since 7d, then enforce it", domain)
			}
		}
		if a.why != "" && !a.skip {
			r.fates.left(e, a.why)
		}
	}
	if u.kind.word == "clients" {
		r.withoutName(u)
	}
}

// missing reports whether a refusal says that there is no such mailbox: that is said to everybody.
func (a *action) missing() bool {
	switch a.enhanced {
	case "5.1.1", "5.1.3", "5.1.6", "5.1.10", "5.2.1":
		return true
	}
	return false
}

func insidersOnly(k *kind) string {
	return "in Postfix your own networks and users are not refused here, and in mailweir's lists of " + k.word + " they would be; it does its work in Postfix as before"
}

// withoutName finds the entry that answers for clients without a verified name. mailweir looks up
// no name of these but their address, so the entry is left, and where it refuses nobody
// permanently, nothing must be refused by address that comes after it.
func (r *reader) withoutName(u *use) {
	i := r.answering(u)
	if i < 0 {
		return
	}
	e, a := &u.Entries[i], &u.acts[i]
	if u.accessMap.Kind != "texthash" && a.refuses() {
		r.fates.left(e, "it refuses clients without a verified name, and mailweir looks up verified names alone; it does its work in Postfix as before")
	}
	if a.verb != reject {
		u.nameless = action{verb: a.verb, ends: a.ends, why: e.At.String() + " answers before it for clients without a verified name, and mailweir looks up verified names alone"}
	}
	if a.verb == ok {
		r.fates.changed(e, "a client without a verified name is looked up by its address alone")
	}
	if u.accessMap.Kind == "texthash" || a.refuses() {
		*a = action{verb: other, skip: u.accessMap.Kind == "texthash", why: "without a name"}
	}
}

// answering is the entry that answers for clients without a verified name, and not for every
// address alike; -1 for none.
func (r *reader) answering(u *use) int {
	if u.accessMap.Kind == "texthash" {
		for i := range u.Entries {
			if e := &u.Entries[i]; e.Dead == "" && strings.EqualFold(e.Key, unknown) {
				u.acts[i] = r.actionOf(u, e.Value)
				return i
			}
		}
		return -1
	}
	if u.text == nil {
		return -1
	}
	m, err := u.text.Lookup(r.ctx, unknown)
	if err != nil || !m.Found() {
		return -1
	}
	for _, ip := range []string{"192.0.2.1", "2001:db8::1"} {
		if also, _ := u.text.Lookup(r.ctx, ip); also.Line != m.Line {
			for i := range u.Entries {
				if r.lineOf(u, i) == m.Line {
					return i
				}
			}
		}
	}
	return -1
}

// unknown is the name of a client without a verified one.
const unknown = "unknown"
