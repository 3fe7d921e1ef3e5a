package recipient

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mailweir/internal/address"
	"mailweir/internal/policy"
)

// choice is which sources say who exists: those of the address itself, else those of its domain,
// else those of every local domain.
type choice struct {
	addresses map[string][]*source
	domains   map[string][]*source
	all       []*source
	opened    []*source // all of them, each once
}

// openSources opens the sources of --recipient-source.
func openSources(env *policy.Env, flags []string) (c choice, err error) {
	c.addresses, c.domains = map[string][]*source{}, map[string][]*source{}
	opened := map[string]*source{}
	for _, text := range flags {
		t, spec, err := parse(text)
		if err != nil {
			return c, fmt.Errorf("--recipient-source: %w", err)
		}
		s := opened[spec]
		if s == nil {
			if s, err = openSource(env, spec); err != nil {
				return c, err
			}
			opened[spec] = s
			c.opened = append(c.opened, s)
		}
		if list := c.list(t); !slices.Contains(list, s) {
			c.add(t, s)
		}
	}
	return c, nil
}

// target is what a source is for: an address, a domain, or every local domain if it is neither.
type target struct{ address, domain string }

func (c *choice) list(t target) []*source {
	switch {
	case t.address != "":
		return c.addresses[t.address]
	case t.domain != "":
		return c.domains[t.domain]
	}
	return c.all
}

func (c *choice) add(t target, s *source) {
	switch {
	case t.address != "":
		c.addresses[t.address] = append(c.addresses[t.address], s)
	case t.domain != "":
		c.domains[t.domain] = append(c.domains[t.domain], s)
	default:
		c.all = append(c.all, s)
	}
}

// of returns the sources for an address; those of every local domain only where it is known which
// domains are local.
func (c *choice) of(a address.Address, delimiter string, locals bool) []*source {
	if len(c.addresses) > 0 {
		if list := c.addresses[a.Key()]; list != nil {
			return list
		}
		if base := a.Base(delimiter); base.Local != a.Local {
			if list := c.addresses[base.Key()]; list != nil {
				return list
			}
		}
	}
	if list := c.domains[a.Domain]; list != nil {
		return list
	}
	if locals {
		return c.all
	}
	return nil
}

// names reports whether a source names the domain.
func (c *choice) names(domain string) bool {
	if c.domains[domain] != nil {
		return true
	}
	for key := range c.addresses {
		if strings.HasSuffix(key, "@"+domain) {
			return true
		}
	}
	return false
}

// named are the domains of all that is named.
func (c *choice) named() []string {
	list := slices.Collect(maps.Keys(c.domains))
	for key := range c.addresses {
		list = append(list, address.Parse(key).Domain)
	}
	return list
}

// parse reads DOMAIN=SOURCE, ADDRESS=SOURCE or *=SOURCE. The first = outside of quotes ends what
// the source is for, so a local part that has one stands in quotes.
func parse(text string) (t target, spec string, err error) {
	name, spec, found := cutName(text)
	name, spec = strings.TrimSpace(name), strings.TrimSpace(spec)
	switch {
	case !found:
		return t, "", fmt.Errorf("%q: want DOMAIN=SOURCE, such as example.org=texthash:/etc/mailweir/recipients", text)
	case name == "":
		return t, "", fmt.Errorf("%q: no domain stands before the =; * is every local domain", text)
	case spec == "":
		return t, "", fmt.Errorf("%q: no source stands behind the =", text)
	}
	if t, err = parseTarget(name); err != nil {
		return t, "", fmt.Errorf("%q: %w", text, err)
	}
	if err := validSpec(spec); err != nil {
		return t, "", fmt.Errorf("%q: %w", text, err)
	}
	return t, spec, nil
}

func cutName(text string) (name, spec string, found bool) {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			quoted = !quoted
		case '=':
			if !quoted {
				return text[:i], text[i+1:], true
			}
		}
	}
	return text, "", false
}

// errSubdomains is for who thinks of --local-domains.
var errSubdomains = errors.New("a domain does not stand for its sub-domains here; name each of them, or write *")

func parseTarget(name string) (t target, err error) {
	if name == "*" {
		return t, nil
	}
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "*.") {
		return t, errSubdomains
	}
	a := address.Parse(name)
	switch {
	case strings.HasPrefix(name, "@"):
		return t, fmt.Errorf("write the domain without the @")
	case !strings.Contains(name, "@"):
		a = address.Address{Domain: address.NormalDomain(name)}
		t.domain = a.Domain
	default:
		t.address = a.Key()
	}
	if a.Domain == "" || strings.ContainsAny(a.Domain, " \t/,;\"") || t.address != "" && a.Local == "" {
		return t, fmt.Errorf("%q is neither a domain nor an address, nor *", name)
	}
	return t, nil
}

// validSpec refuses what is no source whatever files there are.
func validSpec(spec string) error {
	if spec == sendOnly || strings.ContainsAny(spec, ":/") {
		return nil
	}
	if strings.Contains(spec, "@") && strings.Contains(spec, "=") {
		return fmt.Errorf("a local part with = stands in quotes")
	}
	return fmt.Errorf("%q is no source: want TYPE:SOURCE, a file name with its path, smtp:HOST, lmtp:unix:/PATH, dovecot:unix:/PATH or %s", spec, sendOnly)
}

// domainsOf are the domains by whose name a source was configured.
func (c *choice) domainsOf(s *source) (names []string) {
	for domain, list := range c.domains {
		if slices.Contains(list, s) {
			names = append(names, domain)
		}
	}
	slices.Sort(names)
	return names
}

// inspections ask each server whether it works.
func (c *choice) inspections() (list []policy.Inspection) {
	for _, s := range c.opened {
		server, ok := s.server.(policy.MailboxesInspector)
		if !ok {
			continue
		}
		list = append(list, policy.Inspection{Name: s.spec, Look: func(ctx context.Context) (found policy.Found, err error) {
			found.Text, found.Remarks, err = server.Inspect(ctx, c.domainsOf(s))
			return found, err
		}})
	}
	return list
}
