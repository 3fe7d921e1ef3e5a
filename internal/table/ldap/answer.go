package ldap

import (
	"errors"
	"fmt"
	"strings"

	ldaplib "github.com/go-ldap/ldap/v3"

	"mailweir/internal/table/expand"
)

// attributes are those that a table asks for. They stand in this order: terminal ones, leaf ones,
// ordinary ones, special ones; the numbers are where the next kind begins.
type attributes struct {
	names                    []string
	terminal, leaf, ordinary int
}

// rules say what becomes of the entries that a search has found.
type rules struct {
	attributes
	result expand.Result

	// Limits of entries in one search, of values in an answer, of searches within searches; 0 is
	// none but for the last.
	sizeLimit, expansionLimit, recursionLimit int
}

// searcher carries out one search on the connection of the question.
type searcher func(base string, scope int, filter string, attributes []string) ([]*ldaplib.Entry, error)

// answer is what one question has found so far.
type answer struct {
	*rules
	key      string
	search   searcher
	value    []byte
	values   int // counted against expansionLimit
	searches int
}

// maxSearches bounds the searches of one question: groups that contain each other could go on for
// ever, in spite of the limit of their depth.
const maxSearches = 10_000

// limitError is the error of a question that has passed a limit of its table.
type limitError string

func (e limitError) Error() string { return string(e) }

// take adds the values of entries to the answer. This follows dict_ldap_get_values of Postfix to
// the letter, also in that an entry with a terminal attribute makes terminal those behind it.
func (a *answer) take(entries []*ldaplib.Entry, depth int) error {
	if a.sizeLimit > 0 && len(entries) > a.sizeLimit {
		return limitError(fmt.Sprintf("the server sends more entries than size_limit, %d", a.sizeLimit))
	}
	terminal, leaf := false, true
	for _, entry := range entries {
		if a.terminal > 0 {
			terminal = hasAny(entry, a.names[:a.terminal], terminal)
		}
		if !terminal && a.leaf > a.terminal {
			leaf = !hasAny(entry, a.names[a.ordinary:], !leaf)
		}
		for _, attribute := range entry.Attributes {
			if err := a.takeAttribute(attribute, terminal, leaf, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// hasAny reports whether an entry has values of an attribute that is called by one of the names. If
// it has none of them at all, what held for the entry before still holds.
func hasAny(entry *ldaplib.Entry, names []string, before bool) bool {
	has := before
	for _, name := range names {
		for _, attribute := range entry.Attributes {
			if strings.EqualFold(attribute.Name, name) {
				if has = len(attribute.Values) > 0; has {
					return true
				}
				break
			}
		}
	}
	return has
}

func (a *answer) takeAttribute(attribute *ldaplib.EntryAttribute, terminal, leaf bool, depth int) error {
	i := 0
	for i < len(a.names) && subtype(a.names[i], attribute.Name) <= 0 {
		i++
	}
	switch {
	case i < a.ordinary || terminal:
		if terminal && i >= a.terminal || !leaf && i < a.leaf {
			return nil
		}
		return a.takeValues(attribute.Values)
	case i == len(a.names) || len(attribute.Values) == 0:
		return nil
	case depth >= a.recursionLimit:
		return limitError(fmt.Sprintf("%s leads deeper than recursion_limit, %d", attribute.Name, a.recursionLimit))
	}
	for _, value := range attribute.Values {
		if err := a.follow(cString(value), depth); err != nil {
			return err
		}
	}
	return nil
}

func (a *answer) takeValues(values []string) error {
	for _, value := range values {
		grown, ok := a.result.Append(a.value, cString(value), a.key)
		if !ok {
			continue
		}
		a.value = grown
		if a.values++; a.expansionLimit > 0 && a.values > a.expansionLimit {
			return limitError(fmt.Sprintf("there are more values than expansion_limit, %d", a.expansionLimit))
		}
	}
	return nil
}

// follow searches what a special attribute names, a DN or a URL. A DN that does not exist has no
// values.
func (a *answer) follow(value string, depth int) error {
	r := reference{base: value, scope: ldaplib.ScopeBaseObject, filter: anyEntry}
	names := a.names
	if _, _, isURL := cutScheme(value); isURL {
		var err error
		if _, r, err = parseURL(value); err != nil {
			return limitError(err.Error())
		}
		if names = common(r.attributes, a.names); names == nil {
			return nil
		}
	}
	if a.searches++; a.searches > maxSearches {
		return limitError(fmt.Sprintf("the groups need more than %d searches", maxSearches))
	}
	entries, err := a.search(r.base, r.scope, r.filter, names)
	switch {
	case ldaplib.IsErrorWithCode(err, ldaplib.LDAPResultNoSuchObject):
		return nil
	case err != nil:
		return fmt.Errorf("%q: %w", value, err)
	}
	return a.take(entries, depth+1)
}

// common are the attributes that a URL and the table both name, each with the options that either
// has; all of the table's if the URL names none.
func common(url, names []string) []string {
	if len(url) == 0 {
		return names
	}
	var both []string
	for _, u := range url {
		for _, n := range names {
			switch relation := subtype(u, n); {
			case relation > 0:
				both = append(both, n)
			case relation < 0:
				both = append(both, u)
			}
		}
	}
	return both
}

// subtype compares attribute descriptions (RFC 4512, section 2.5): 1 if b is a or an a with
// options,
// -1 if a is a b with options, 0 for different attributes.
func subtype(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && lower(a[n]) == lower(b[n]) {
		n++
	}
	switch {
	case n == len(a) && (n == len(b) || b[n] == ';'):
		return 1
	case n == len(b) && a[n] == ';':
		return -1
	}
	return 0
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// cString is a value as far as Postfix sees it, which is up to a NUL.
func cString(value string) string {
	value, _, _ = strings.Cut(value, "\x00")
	return value
}

var errNotUTF8 = errors.New("the value is not UTF-8")
