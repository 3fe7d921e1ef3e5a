package table

import (
	"context"
	"fmt"
	"iter"
	"net/netip"
	"strings"
	"unicode/utf8"

	"mailweir/internal/address"
	"mailweir/internal/trace"
)

// Waiting is a table that is asked over a connection: a directory, a database, a server. Its
// answers may take waiting for, and it may fail. It is safe for use by many at once.
type Waiting interface {
	// Find answers one key, which is folded, as "postmap -q" does. An error means that there may be
	// an entry: no table says "not found" for what it could not find out. Find ends when ctx does.
	Find(ctx context.Context, key string) (value string, found bool, err error)
}

// Opener opens a waiting table TYPE:SOURCE. If there is no such type, both results are nil or the
// error is an [UnknownType].
type Opener func(kind, source string) (Waiting, error)

// maxValue is the most octets of a right-hand side that a waiting table may give: longer ones are
// an error. A group in a directory with tens of thousands of members is within it.
const maxValue = 1 << 20

// ask asks a waiting table for the keys, in order, until one has an entry.
func (l *List) ask(ctx context.Context, t *Table, keys iter.Seq[string]) (Match, error) {
	first := ""
	for key := range keys {
		if first == "" {
			first = key
		}
		m, err := t.ask(ctx, key)
		if err == nil && m.Found() {
			m, err = l.read(m)
		}
		switch {
		case err != nil:
			trace.Add(ctx, t.spec+" "+key, "error: "+err.Error())
			return Match{}, err
		case m.Found():
			trace.Add(ctx, t.spec+" "+key, m.Value)
			return m, nil
		}
	}
	if first != "" {
		trace.Add(ctx, t.spec+" "+first, "not found, nor a wider key")
	}
	return Match{}, nil
}

// ask asks a waiting table for one key.
func (t *Table) ask(ctx context.Context, key string) (Match, error) {
	if !validKey(key) {
		return Match{}, nil
	}
	value, found, err := t.waiting.Find(ctx, key)
	switch {
	case err != nil:
		return Match{}, &Error{Place: t.spec, Err: err}
	case !found:
		return Match{}, nil
	case len(value) > maxValue:
		return Match{}, &Error{Place: t.spec, Err: fmt.Errorf("the value of %q is longer than %d octets", key, maxValue)}
	case !utf8.ValidString(value):
		return Match{}, &Error{Place: t.spec, Err: fmt.Errorf("the value of %q is not UTF-8", key)}
	}
	return Match{Value: value, Key: key, Table: t.spec, fixed: len(value)}, nil
}

// read holds what a waiting table said against the list's values: other tables were checked when
// they were opened.
func (l *List) read(m Match) (Match, error) {
	values := &l.options.Values
	if err := values.check(m.Value, m.fixed); err != nil {
		return Match{}, &Error{Place: m.Table, Err: fmt.Errorf("the value of %q: %w", m.Key, err)}
	}
	if values.action != nil {
		m.Action, _ = parseAction(m.Value, m.fixed) // checked just now
	}
	return m, nil
}

// sequence is the keys of a question one after the other, each in all its spellings: what in looks
// for in a table in memory.
func (k *keys) sequence(yield func(string) bool) {
	if k.null {
		yield("<>")
		return
	}
	both := [...]*[2]string{&k.locals, &k.bases}
	for _, locals := range both {
		if !k.fullSequence(locals, yield) {
			return
		}
	}
	if !k.parentSequence(yield) {
		return
	}
	for _, locals := range both {
		for _, local := range locals {
			if local != "" && !yield(local+"@") {
				return
			}
		}
	}
}

// fullSequence is "user@example.com" in all spellings.
func (k *keys) fullSequence(locals *[2]string, yield func(string) bool) bool {
	for _, local := range locals {
		for _, domain := range k.domains {
			if local != "" && domain != "" && !yield(local+"@"+domain) {
				return false
			}
		}
	}
	return true
}

// wholeSequence is the whole address or name: what is asked of patterns.
func (k *keys) wholeSequence(yield func(string) bool) bool {
	for _, key := range k.wholes {
		if key != "" && !yield(key) {
			return false
		}
	}
	return true
}

// parentSequence is the domain and its parents.
func (k *keys) parentSequence(yield func(string) bool) bool {
	rest := k.domains
	for _, name := range rest {
		if name != "" && !yield(name) {
			return false
		}
	}
	if strings.HasPrefix(rest[0], "[") {
		return true
	}
	for {
		rest = [2]string{parent(rest[0]), parent(rest[1])}
		if rest[0] == "" && rest[1] == "" {
			return true
		}
		for _, name := range rest {
			if name != "" && !yield("."+name) {
				return false
			}
		}
		for _, name := range rest {
			if name != "" && k.parents && !yield(name) {
				return false
			}
		}
	}
}

// parent is a domain name without its first label.
func parent(name string) string {
	_, rest, _ := strings.Cut(name, ".")
	return rest
}

// clientSequence is the keys of a client: its names with their parents, its address, and the nets
// that contain it.
func (t *Table) clientSequence(ip netip.Addr, names []string, o ListOptions) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, name := range names {
			k := domainKeys(name, o)
			if t.wholes && !k.wholeSequence(yield) || !t.wholes && !k.parentSequence(yield) {
				return
			}
		}
		if !ip.IsValid() {
			return
		}
		if t.wholes {
			yield(ip.String())
			return
		}
		delimiter := byte('.')
		if ip.Is6() {
			delimiter = ':'
		}
		key := ip.String()
		for key != "" {
			if !yield(key) {
				return
			}
			key = key[:max(strings.LastIndexByte(key, delimiter), 0)]
		}
	}
}

// domainSequence is the keys of a domain or host name.
func (t *Table) domainSequence(name string, o ListOptions) iter.Seq[string] {
	k := domainKeys(name, o)
	return func(yield func(string) bool) {
		if t.wholes {
			k.wholeSequence(yield)
			return
		}
		k.parentSequence(yield)
	}
}

func oneKey(key string) iter.Seq[string] {
	return func(yield func(string) bool) { yield(key) }
}

// addressSequence is the keys of an address.
func (t *Table) addressSequence(a address.Address, o ListOptions) iter.Seq[string] {
	k := addressKeys(a, o)
	if t.wholes && !k.null {
		return func(yield func(string) bool) { k.wholeSequence(yield) }
	}
	return k.sequence
}
