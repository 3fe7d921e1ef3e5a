package access

import (
	"fmt"
	"slices"
	"strings"

	"mailweir/internal/importing"
	"mailweir/internal/mta/postfix"
	"mailweir/internal/table"
)

// managedFlag is the flag for what single recipients do not want.
const managedFlag = "managed-list"

// managedLine is a recipient, and whom his restriction class refuses and permits.
type managedLine struct {
	entry  *entry
	blocks []string
	free   []string
}

// follow makes of a class that asks maps about the sender, for some recipients, those recipients'
// own lists of senders.
func (r *reader) follow(u *use, e *entry, a *action) {
	one := managedLine{entry: e}
	class := strings.TrimSpace(e.Value)
	if why := r.senders(a.maps, &one); why != "" {
		a.why = fmt.Sprintf("%s is about the senders of these recipients alone, and %s; it does its work in Postfix as before", class, why)
		return
	}
	if err := table.CheckLine("texthash", e.Key+" x", u.kind.permitUse); err != nil {
		a.why = "mailweir cannot have it: " + err.Error()
		return
	}
	r.managed = append(r.managed, one)
	r.followed[class] = true
	r.fates.changed(e, fmt.Sprintf("%s: the senders that %s refuses are blocked for these recipients, in header From, too", managedFlag, class))
}

// classes accounts for the words of classes that only maps name.
func (r *reader) classes() {
	for _, name := range postfix.SplitList(r.in.Postfix.Value(nil, "smtpd_restriction_classes")) {
		if slices.ContainsFunc(r.in.Postfix.Restrictions(), func(one postfix.Restriction) bool { return slices.Contains(one.Classes, name) }) {
			continue
		}
		words, _ := r.in.Postfix.Class(nil, postfix.RestrictionLists()[4], name)
		for _, one := range words {
			if one.Parameter != name || isListed(strings.ToLower(one.Name)) {
				continue // told where it stands, or by who carries DNS lists over
			}
			at := r.place(one)
			if r.followed[name] {
				r.result.Carried(at, one.Text, "%s, for those to whom a map gives %s", managedFlag, name)
				continue
			}
			r.result.Left(at, one.Text, "%s is for those alone to whom a map gives it; it does its work in Postfix as before", name)
		}
	}
}

// senders reads the maps of a class.
func (r *reader) senders(maps []postfix.Restriction, one *managedLine) (why string) {
	for _, restriction := range maps {
		tables := postfix.ParseTables(restriction.Argument)
		m := r.open(tables[0])
		switch {
		case m.Unread != "":
			return m.Unread
		case m.Asked != "" || m.Kind != "texthash" || m.Table.Type == "inline":
			return restriction.Argument + " is no list of addresses and domains"
		}
		u := &use{Restriction: restriction, kind: &kinds[1], accessMap: m, at: r.in.At(restriction.Service, restriction.Parameter, restriction.Argument)}
		for i := range m.Entries {
			if why := r.sender(u, &m.Entries[i], one); why != "" {
				return why
			}
		}
	}
	if len(one.blocks) == 0 {
		return "it refuses no sender"
	}
	return ""
}

// sender takes in one entry of a map of senders.
func (r *reader) sender(u *use, e *entry, one *managedLine) (why string) {
	if e.Dead != "" || r.foreignKey(u, e) != "" {
		return ""
	}
	a := r.actionOf(u, e.Value)
	key := strings.ToLower(e.Key)
	switch {
	case slices.Contains(one.blocks, key) || slices.Contains(one.free, key): // the first map has answered
	case key == "<>" || strings.HasSuffix(key, "@") || strings.HasPrefix(key, ".") || !strings.Contains(key, ".") || !r.parents() && !strings.Contains(key, "@"):
		return fmt.Sprintf("%s is for %q, which a recipient cannot block", e.At, key)
	case a.verb == reject:
		one.blocks = append(one.blocks, key)
		r.fates.carried(e, managedFlag)
	case a.verb == ok || a.verb == dunno:
		one.free = append(one.free, key)
		r.fates.carried(e, managedFlag+", as an exception")
	default:
		return fmt.Sprintf("%s is neither REJECT nor OK", e.At)
	}
	return ""
}

// writeManaged writes the recipients' own lists.
func (r *reader) writeManaged() {
	if len(r.managed) == 0 {
		return
	}
	var b strings.Builder
	b.WriteString("# recipients whom a restriction class gives senders of their own to refuse\n")
	var from []importing.Place
	for _, one := range r.managed {
		fmt.Fprintf(&b, "%s\tblock %s", one.entry.Key, strings.Join(one.blocks, " "))
		if len(one.free) > 0 {
			fmt.Fprintf(&b, " permit %s", strings.Join(one.free, " "))
		}
		b.WriteByte('\n')
		if at := (importing.Place{File: one.entry.At.File}); !slices.Contains(from, at) {
			from = append(from, at)
		}
	}
	const name = "access-managed"
	r.result.Files = append(r.result.Files, importing.File{Name: name, Text: b.String()})
	r.result.Flag(managedFlag, "texthash:"+r.in.In(name), from...)
}

// logins writes the logins that check_sasl_access refuses.
func (r *reader) logins(k *kind, uses []*use) {
	for _, u := range uses {
		if u.accessMap.Kind != "texthash" || u.Asked != "" {
			if u.Asked == "" {
				for i := range u.Entries {
					r.fates.left(&u.Entries[i], "account-list has logins, not patterns; it does its work in Postfix as before")
				}
			}
			continue
		}
		p := &projection{kind: "texthash", parents: true}
		for i := range u.Entries {
			e, a := &u.Entries[i], &u.acts[i]
			switch {
			case a.skip || a.why != "":
			case !a.refuses():
				r.fates.left(e, "a login is refused nothing here; it does its work in Postfix as before")
			case strings.ContainsAny(e.Key, `"*`) || strings.HasPrefix(e.Key, "@"):
				r.fates.left(e, "it is no login of account-list; it does its work in Postfix as before")
			default:
				p.lines = append(p.lines, &line{entry: e, act: a, target: true, value: strings.TrimSpace("outbound " + a.text)})
				r.fates.changed(e, "account-list: its mail is deferred and not refused, so that nothing is lost if that is an error")
			}
		}
		if len(p.lines) > 0 {
			r.write(k.word, k.block, u, p)
		}
	}
}
