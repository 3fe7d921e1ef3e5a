package table

import (
	"context"
	"errors"
	"net/netip"

	"mailweir/internal/address"
)

// ListOptions say how a list is used.
type ListOptions struct {
	Use

	// Subdomains makes the key "example.com" match its sub-domains too, as Postfix does by default
	// (parent_domain_matches_subdomains); ".example.com" always does. True for block and permit
	// lists; false where a list says which domains are ours.
	Subdomains bool

	// Delimiters are the characters that begin an address extension (Postfix's
	// recipient_delimiter), or "".
	Delimiters string
}

// List is what one flag of a check holds: several tables, asked in order; the first that has an
// answer gives it, and DUNNO is an answer. A table that can't answer ends the search with its
// error: one that stands behind it does not know what it would have said. A nil List is empty.
// Lists are immutable and safe for use by many at once.
//
// Where no table waits ([List.Waits]), a look-up never fails and does not look at its context.
type List struct {
	tables  []*Table
	options ListOptions
	waits   bool
}

// List opens the tables, each TYPE:SOURCE, and holds their keys and right-hand sides against the
// options. The error names all that is wrong, as [Errors] do. Without tables the list is nil.
func (l *Loader) List(options ListOptions, specs ...string) (*List, error) {
	if len(specs) == 0 {
		return nil, nil
	}
	list := &List{options: options}
	var errs []error
	for _, spec := range specs {
		t, faults, err := l.open(spec)
		if err == nil {
			err = t.check(&list.options, l.sharedBy(spec), faults)
		}
		errs = append(errs, err)
		list.tables = append(list.tables, t)
		list.waits = list.waits || t != nil && t.waiting != nil
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return list, nil
}

// Waits reports whether an answer may take waiting for, and may fail: some table is asked over a
// connection.
func (l *List) Waits() bool { return l != nil && l.waits }

// Empty reports whether none of the tables has an entry. Of a table that waits nobody knows: it
// counts as having some.
func (l *List) Empty() bool {
	if l == nil {
		return true
	}
	some := errors.New("there is one")
	for _, t := range l.tables {
		if t.waiting != nil || t.source.each(func(int, string, int) error { return some }) != nil {
			return false
		}
	}
	return true
}

// Tables are the tables as configured.
func (l *List) Tables() []string {
	if l == nil {
		return nil
	}
	specs := make([]string, len(l.tables))
	for i, t := range l.tables {
		specs[i] = t.spec
	}
	return specs
}

// Address asks for an envelope or header address, in the manner of access(5). The keys are, in this
// order,
//
//	user+ext@sub.example.com
//	user@sub.example.com
//	sub.example.com
//	.example.com, and example.com with Subdomains
//	.com, and com with Subdomains
//	user+ext@
//	user@
//
// and "<>" alone for the null sender. Patterns and networks are asked for the whole address only
// ("each pattern is applied to the entire string being looked up"). A domain with A-labels is also
// looked for with U-labels, a local part that needs quotes also with them.
func (l *List) Address(ctx context.Context, a address.Address) (Match, error) {
	if l == nil {
		return Match{}, nil
	}
	w := addressKeys(a, l.options)
	for _, t := range l.tables {
		if t.waiting != nil {
			if m, err := l.ask(ctx, t, t.addressSequence(a, l.options)); err != nil || m.Found() {
				return m, err
			}
			continue
		}
		if m, ok := w.in(t); ok {
			return l.answer(t, m), nil
		}
	}
	return Match{}, nil
}

// Domain asks for a domain or host name as [List.Address] does for the domain of an address: name,
// then its parents.
func (l *List) Domain(ctx context.Context, name string) (Match, error) {
	if l == nil {
		return Match{}, nil
	}
	w := domainKeys(name, l.options)
	for _, t := range l.tables {
		if t.waiting != nil {
			if m, err := l.ask(ctx, t, t.domainSequence(name, l.options)); err != nil || m.Found() {
				return m, err
			}
			continue
		}
		if m, ok := w.in(t); ok {
			return l.answer(t, m), nil
		}
	}
	return Match{}, nil
}

// Client asks for a client, in the manner of check_client_access in access(5): for each table its
// host names, if any, with their parents, then its address. Patterns and networks are asked for the
// whole of each; other tables also for the nets: 192.0.2.1, 192.0.2, 192.0, 192, and 2001:db8::1 by
// whole groups from the right as the address is written. An IPv4 address in IPv6 form counts as
// IPv4. Names must be verified ones: anyone can claim any name.
func (l *List) Client(ctx context.Context, ip netip.Addr, names ...string) (Match, error) {
	if l == nil {
		return Match{}, nil
	}
	ip = ip.Unmap().WithZone("")
	for _, t := range l.tables {
		if t.waiting != nil {
			if m, err := l.ask(ctx, t, t.clientSequence(ip, names, l.options)); err != nil || m.Found() {
				return m, err
			}
			continue
		}
		for _, name := range names {
			w := domainKeys(name, l.options)
			if m, ok := w.in(t); ok {
				return l.answer(t, m), nil
			}
		}
		if m, ok := t.client(ip); ok {
			return l.answer(t, m), nil
		}
	}
	return Match{}, nil
}

// Key asks for one key and no others, as "postmap -q" would.
func (l *List) Key(ctx context.Context, key string) (Match, error) {
	if l == nil {
		return Match{}, nil
	}
	for _, t := range l.tables {
		if t.waiting != nil {
			if m, err := l.ask(ctx, t, oneKey(fold(key))); err != nil || m.Found() {
				return m, err
			}
			continue
		}
		if m, ok := t.source.find(key); ok {
			return l.answer(t, m), nil
		}
	}
	return Match{}, nil
}

// CheckKeys holds every key that is a string of its own, folded, against what the caller can ask
// for: a key that can never be asked is a hole in a list. Patterns and networks have no such keys.
// The error names file and line.
func (l *List) CheckKeys(check func(key string) error) error {
	if l == nil {
		return nil
	}
	for _, t := range l.tables {
		if t.hash == nil {
			continue
		}
		err := t.hash.eachEntry(func(m Match) error {
			if err := check(m.Key); err != nil {
				return t.fault(m.Line, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *List) answer(t *Table, m Match) Match {
	m = t.named(m)
	if t.file != "" {
		m.uncommented()
	}
	if t.bare {
		m.Value, m.fixed = l.options.Bare, len(l.options.Bare)
	}
	if l.options.Values.action != nil {
		// There is no error: what is fixed was checked when the list was opened, and the rest can
		// only be text.
		m.Action, _ = parseAction(m.Value, m.fixed)
	}
	return m
}
