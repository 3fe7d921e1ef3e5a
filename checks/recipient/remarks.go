package recipient

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mailweir/internal/address"
	"mailweir/internal/table"
)

// unlikely is a local part that nobody has: a table that knows it knows everybody.
const unlikely = "no-such-user-2b7f1c"

// remarks say what the administrator may not expect of the flags, as far as tables in memory tell.
func (c *rule) remarks() (list []string) {
	locals := localDomains(c.settings.LocalDomains)
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if len(c.choice.all) > 0 && c.settings.LocalDomains == nil {
		add("--recipient-source *=%s is never asked: without --local-domains no domain is known to be local", c.choice.all[0].spec)
	}
	if missing := c.without(locals); len(missing) > 0 && len(c.choice.opened) > 0 {
		add("no --recipient-source says who exists in %s: mail to any address there is accepted", some(missing))
	}
	if strange := c.strange(); len(strange) > 0 {
		add("--recipient-source names %s, not in --local-domains: mail to there is not judged", some(strange))
	}
	if len(c.choice.all) > 0 && len(locals) > 0 && !slices.ContainsFunc(locals, func(d string) bool { return c.choice.domains[d] == nil }) {
		add("--recipient-source *=%s is never asked: every local domain has a source of its own", c.choice.all[0].spec)
	}
	return append(list, c.useless(locals)...)
}

// useless says of which domains sources say nothing, each thing once for all its domains.
func (c *rule) useless(locals []string) (list []string) {
	of := map[string][]string{}
	add := func(words, domain string) {
		if of[words] == nil {
			list = append(list, words)
		}
		of[words] = append(of[words], domain)
	}
	for _, domain := range c.sourced(locals) {
		to := address.Address{Local: unlikely, Domain: domain}
		sources := c.choice.of(to, "", c.settings.LocalDomains != nil)
		switch s := everybody(sources, to); {
		case s != nil:
			add(s.spec+" says that every address exists, so nobody is refused, in", domain)
		case everybody(sources, address.Address{Local: domain}) != nil:
			add("a domain as a key of its own source is never asked for, and all its addresses would be @DOMAIN:", domain)
		}
		if len(sources) > 1 && slices.ContainsFunc(sources, func(s *source) bool { return s.spec == sendOnly }) {
			add("--recipient-source DOMAIN="+sendOnly+" does nothing beside another source, since one that says yes is enough, for", domain)
		}
		if m := inMemory(c.access, to); m.Action.Verb == table.OK {
			add("--recipient-access says OK to every address ("+m.Where()+"), so sources are never asked, in", domain)
		}
	}
	for i, words := range list {
		list[i] = words + " " + some(of[words])
	}
	return list
}

// localDomains are those that a table in memory names.
func localDomains(list *table.List) (domains []string) {
	_ = list.CheckKeys(func(key string) error {
		if !strings.HasPrefix(key, ".") {
			domains = append(domains, address.NormalDomain(key))
		}
		return nil
	})
	slices.Sort(domains)
	return slices.Compact(domains)
}

// without are the local domains of which no source says anything.
func (c *rule) without(locals []string) (missing []string) {
	for _, domain := range locals {
		if c.choice.domains[domain] == nil && len(c.choice.all) == 0 {
			missing = append(missing, domain)
		}
	}
	return missing
}

// strange are the domains of sources that are not local.
func (c *rule) strange() (list []string) {
	if c.settings.LocalDomains == nil || c.settings.LocalDomains.Waits() {
		return nil
	}
	for _, domain := range c.choice.named() {
		if local, _ := c.settings.Local(context.Background(), domain); !local {
			list = append(list, domain)
		}
	}
	return list
}

// sourced are the domains that have sources, as far as is known: at most a hundred of those
// under *.
func (c *rule) sourced(locals []string) []string {
	list := slices.Collect(maps.Keys(c.choice.domains))
	if len(c.choice.all) > 0 {
		for _, domain := range locals[:min(len(locals), 100)] {
			if c.choice.domains[domain] == nil {
				list = append(list, domain)
			}
		}
	}
	slices.Sort(list)
	return list
}

// everybody is the first source that knows an address.
func everybody(list []*source, to address.Address) *source {
	for _, s := range list {
		if s.knows(to) {
			return s
		}
	}
	return nil
}

// knows reports whether a table in memory has the address.
func (s *source) knows(to address.Address) bool {
	if s.list == nil || s.list.Waits() {
		return false
	}
	m, _ := s.list.Recipient(context.Background(), to)
	return m.Found()
}

// inMemory is the entry of an access list for the address.
func inMemory(list *table.List, to address.Address) table.Match {
	if list.Waits() {
		return table.Match{}
	}
	m, _ := list.Address(context.Background(), to)
	return m
}

// some names the first few of a list.
func some(list []string) string {
	const most = 5
	slices.Sort(list)
	list = slices.Compact(list)
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
}
