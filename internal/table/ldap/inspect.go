package ldap

import (
	"context"
	"fmt"
	"strings"

	ldaplib "github.com/go-ldap/ldap/v3"
)

// Probe reports whether a server lets us in and answers. What it answers does not matter.
func (d *driver) Probe(ctx context.Context) error {
	err := d.ask(ctx, func(c *conn) error {
		_, err := c.search(d.settings, "", ldaplib.ScopeBaseObject, anyEntry, noAttributes)
		return err
	})
	if answered(err) {
		return nil
	}
	return err
}

// noAttributes asks for entries without anything in them (RFC 4511, section 4.5.1.8).
var noAttributes = []string{"1.1"}

// Inspect says which servers answer, and whether what the file names is there.
func (d *driver) Inspect(ctx context.Context) (text string, remarks []string, err error) {
	if err := d.domains.Reload(); err != nil {
		remarks = append(remarks, fmt.Sprintf("domain: %v; what was read before is used", err))
	}
	var failures []error
	for i, s := range d.servers {
		var found string
		var more []string
		err := d.try(ctx, share(ctx, len(d.servers)-i), func(ctx context.Context) error {
			c, err := d.dial(ctx, s)
			if err != nil {
				return notAnAnswer{err}
			}
			return d.on(ctx, c, func(c *conn) (err error) {
				if text == "" {
					found, more, err = d.look(c)
				}
				return err
			})
		})
		switch {
		case err != nil:
			failures = append(failures, fmt.Errorf("%s: %w", s.name, err))
		case text == "":
			text = fmt.Sprintf("%s answers as %s; %s", s.name, d.bind, found)
			remarks = append(remarks, more...)
		}
	}
	if text == "" {
		return "", remarks, failed(failures)
	}
	for _, err := range failures {
		remarks = append(remarks, "does not answer: "+err.Error())
	}
	if len(d.servers) > 1 {
		text = fmt.Sprintf("%d servers, %s", len(d.servers), text)
	}
	return text, remarks, nil
}

// look asks for the base, and for an entry that has an attribute of those that the table reads.
func (d *driver) look(c *conn) (text string, remarks []string, err error) {
	if !d.base.Fixed() {
		return "the base depends on the key", nil, nil
	}
	base, _ := d.base.Expand("x", quoteBase)
	_, err = c.search(d.settings, base, ldaplib.ScopeBaseObject, anyEntry, noAttributes)
	switch {
	case err == nil && base == "":
		text = "the base is the root"
	case err == nil:
		text = fmt.Sprintf("base %s exists", base)
	case answered(err):
		return "base not found", []string{fmt.Sprintf("search_base %s: %v; every lookup fails", base, err)}, nil
	default:
		return "", nil, err
	}
	return text, d.lookForAttributes(c, base), nil
}

// lookForAttributes remarks on attributes that no entry has, as far as that can be told within a
// second: no answer is no remark.
func (d *driver) lookForAttributes(c *conn, base string) []string {
	var filter strings.Builder
	for _, name := range d.names {
		if !isDescription(name) {
			return []string{fmt.Sprintf("%q is no name of an attribute", name)}
		}
		filter.WriteString("(" + name + "=*)")
	}
	if filter.Len() == 0 {
		return nil
	}
	request := ldaplib.NewSearchRequest(base, d.scope, d.dereference, 1, 1, false, "(|"+filter.String()+")", noAttributes, nil)
	result, err := c.ldap.Search(request)
	if err != nil || len(result.Entries) > 0 {
		return nil
	}
	return []string{fmt.Sprintf("no entry below %s that we may read has %s: nothing will be found", base, strings.Join(d.names, " or "))}
}
