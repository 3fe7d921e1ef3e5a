package access

import (
	"context"
	"slices"
	"strings"

	"mailweir/internal/address"
	"mailweir/internal/importing"
	"mailweir/internal/mta/postfix"
	"mailweir/internal/table"
)

// locals are the domains that Postfix takes mail for: our own users send from them.
type locals struct {
	ctx    context.Context
	in     *importing.Input
	names  map[string]bool
	asked  []postfix.Table
	tried  map[string]bool
	failed []string
}

// localParameters name the domains.
var localParameters = [...]string{"mydestination", "virtual_alias_domains", "virtual_mailbox_domains", "relay_domains"}

func (l *locals) find() {
	if l.names != nil {
		return
	}
	l.names, l.tried = make(map[string]bool), make(map[string]bool)
	for _, p := range localParameters {
		l.add(l.in.Postfix.Parameters[p], 0)
	}
}

// deepest bounds files that name files.
const deepest = 5

func (l *locals) add(value string, depth int) {
	for _, t := range postfix.ParseTables(value) {
		switch {
		case t.Type == "" && strings.HasPrefix(t.Name, "/") && depth < deepest:
			if data, err := l.in.ReadText(l.in.Old(t.Name)); err == nil {
				l.add(strings.Join(keysOf(string(data)), " "), depth+1)
			}
		case t.Type == "":
			l.names[address.NormalDomain(strings.TrimPrefix(t.Name, "."))] = true
		case slices.Contains([]string{"mysql", "pgsql", "ldap", "sqlite"}, t.Type):
			if strings.HasPrefix(t.Name, "{") {
				continue // a command line is for all to see, and it may have a password
			}
			l.asked = append(l.asked, t)
		case t.Type != "regexp" && t.Type != "pcre":
			if data, err := l.in.ReadText(l.in.Old(t.Name)); err == nil {
				for _, key := range keysOf(string(data)) {
					if !strings.Contains(key, "@") {
						l.names[address.NormalDomain(key)] = true
					}
				}
			}
		}
	}
}

// keysOf are the first words of the lines of a text table.
func keysOf(text string) (keys []string) {
	// A line with other octets is none of a net or domain, and must not keep the others from being
	// read.
	text = strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", "?"), "?")
	_ = table.ReadLines(strings.NewReader(text), func(_ int, line string) error {
		if key := table.Split("texthash", line).Key; key != "" {
			keys = append(keys, key)
		}
		return nil
	})
	return keys
}

// has reports whether a domain is local.
func (l *locals) has(domain string) bool {
	l.find()
	if l.names[domain] || l.tried[domain] {
		return l.names[domain]
	}
	l.tried[domain] = true
	for _, t := range l.asked {
		spec := t.Type + ":" + l.in.Old(t.Name)
		if slices.Contains(l.failed, spec) {
			continue
		}
		out, err := l.in.Run(l.ctx, domain+"\n", "postmap", "-q", "-", spec)
		switch {
		case strings.TrimSpace(out.Stdout) != "":
			l.names[domain] = true
		case err != nil && strings.Contains(err.Error(), "fatal"):
			l.failed = append(l.failed, spec)
		}
	}
	return l.names[domain]
}

// below are the local domains that a domain stands for: itself, and with parents those below it.
func (l *locals) below(domain string, parents bool) string {
	if l.has(domain) {
		return domain
	}
	if parents {
		for name := range l.names {
			if strings.HasSuffix(name, "."+domain) {
				return name
			}
		}
	}
	return ""
}

// ownDomain is the local domain whose mail an entry for senders is about, "" for none.
func (r *reader) ownDomain(u *use, e *entry) string {
	if u.accessMap.Kind != "texthash" {
		return r.ownInPattern(u, e)
	}
	key := strings.ToLower(e.Key)
	_, domain, found := strings.Cut(key, "@")
	if !found {
		domain = key
	}
	switch {
	case domain == "" || domain == "<>":
		return ""
	case found:
		return r.locals.below(address.NormalDomain(domain), false)
	case strings.HasPrefix(domain, "."):
		return r.locals.below(address.NormalDomain(domain[1:]), true)
	}
	return r.locals.below(address.NormalDomain(domain), r.parents())
}

// ownInPattern tries a sender of each local domain that is known by name.
func (r *reader) ownInPattern(u *use, e *entry) string {
	r.locals.find()
	one, err := table.Text(u.accessMap.Kind, e.String())
	if err != nil {
		return ""
	}
	var own []string
	for domain := range r.locals.names {
		if m, _ := one.Lookup(r.ctx, "user@"+domain); m.Found() {
			own = append(own, domain)
		}
	}
	slices.Sort(own)
	if len(own) == 0 {
		return ""
	}
	return own[0]
}
