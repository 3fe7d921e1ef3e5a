package table

import (
	"errors"
	"strings"
	"sync"
)

// checked are the uses that a table was held against, so that a reload does not do it again.
type checked struct {
	mu   sync.Mutex
	uses map[checkedUse]bool
}

// checkedUse tells uses apart by what the errors depend on.
type checkedUse struct {
	values, noun  string
	asked, others Asked
	subdomains    bool
}

// check holds keys and right-hand sides against what the list is for, and returns all that is wrong
// with the table, together with what was wrong with lines of it. What a table says that waits is
// checked where it is asked. Others is what other uses of the table ask for.
func (t *Table) check(o *ListOptions, others Asked, faults *Errors) error {
	if t.waiting != nil {
		return nil
	}
	if t.bare && o.Bare == "" {
		return t.errBare()
	}
	t.checked.mu.Lock()
	defer t.checked.mu.Unlock()
	use := checkedUse{o.Values.Name, o.Noun, o.Asked, others, o.Subdomains}
	if t.checked.uses[use] {
		return nil
	}
	var all Errors
	if faults != nil {
		all.join(faults)
	}
	all.join(t.wrongValues(&o.Values))
	all.join(t.wrongKeys(o, others))
	if err := all.orNil(); err != nil {
		return err
	}
	if t.checked.uses == nil {
		t.checked.uses = map[checkedUse]bool{}
	}
	t.checked.uses[use] = true
	return nil
}

func (t *Table) wrongValues(v *Values) *Errors {
	var wrong Errors
	if t.bare {
		return &wrong
	}
	last, lastFixed := "", -1 // a million entries mostly say the same
	_ = t.source.each(func(line int, value string, fixed int) error {
		if value == last && fixed == lastFixed {
			return nil
		}
		said := value
		if t.file != "" {
			said = withoutComment(value)
		}
		if said == "" {
			wrong.add(t.fault(line, errNoValue))
			return nil
		}
		if err := v.check(said, min(fixed, len(said))); err != nil {
			wrong.add(t.fault(line, err))
			return nil
		}
		last, lastFixed = value, fixed
		return nil
	})
	return &wrong
}

// wrongKeys finds the keys that can never match.
func (t *Table) wrongKeys(o *ListOptions, others Asked) *Errors {
	var wrong Errors
	if o.Asked == 0 {
		return &wrong
	}
	all := o.Use
	all.Asked |= others
	switch s := t.source.(type) {
	case *hashed:
		_ = s.eachEntry(func(m Match) error {
			if !all.asks(m.Key) && !t.alsoVirtual(o, m.Key) {
				wrong.add(t.fault(m.Line, o.neverAsked(m.Key)))
			}
			return nil
		})
	case *networks:
		s.wrongNets(&all, func(line int, err error) { wrong.add(t.fault(line, err)) })
	case *patterns:
		for i := range s.rules {
			r := &s.rules[i]
			if err := all.neverMatches(r.traits); err != nil && !r.negate {
				wrong.add(t.fault(r.line, err))
			}
		}
	}
	return &wrong
}

// alsoVirtual reports whether a key is one of those that Postfix's virtual(5) has beside domains:
// one file serves virtual_alias_maps and virtual_alias_domains.
func (t *Table) alsoVirtual(o *ListOptions, key string) bool {
	at := strings.LastIndexByte(key, '@')
	if o.Asked != Domains || t.bare || at < 0 || !isName(key[at+1:]) {
		return false
	}
	_, found := t.hash.find(key[at+1:])
	return found || at > 0 && isLocal(key[:at])
}

// fault says what is wrong with an entry, and where it stands.
func (t *Table) fault(line int, err error) *Error {
	place := t.file
	if place == "" {
		place = t.spec
	}
	return &Error{Place: place, Line: line, Err: err}
}

// wrongNets finds nets that hold no client as it is looked up.
func (n *networks) wrongNets(o *Use, wrong func(line int, err error)) {
	if o.Asked&Clients == 0 {
		if len(n.rules) > 0 {
			wrong(n.rules[0].line, errNoNets)
		}
		return
	}
	for i := range n.rules {
		if r := &n.rules[i]; r.prefix.Addr().Is4In6() && r.prefix.Bits() >= 96 {
			wrong(r.line, errMapped)
		}
	}
}

// errMapped is the error of a net in IPv6 form of IPv4.
var errMapped = errors.New("the net can never match: an IPv4 client in IPv6 form is looked up as IPv4; write the IPv4 net")
