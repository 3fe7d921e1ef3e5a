// Package expand fills in the templates of tables that Postfix asks over a connection: the search
// filter of ldap_table(5), the query of mysql_table(5) and so on, and what they make of a result.
// It decides as well which keys such a table is asked for at all: its parameter "domain", and keys
// that lack a part that a template needs.
//
// The rules are those of ldap_table(5) and of Postfix 3.7, db_common.c.
package expand

import (
	"errors"
	"fmt"
	"strings"
)

// Set is the templates of one table. What one of them needs of a key holds for all of them: with %d
// in the filter, a key without a domain is not asked for even if it would do for the search base.
// The zero Set is empty; it must not change once keys are expanded.
type Set struct {
	keyUser, keyDomain     bool
	valueUser, valueDomain bool
	labels                 int // the most that %1 to %9 ask for
}

// Query is the template of a question: a filter, a search base, a statement.
type Query struct {
	template
	set *Set
}

// Result is the template of an answer.
type Result struct {
	template
	set *Set
}

// template is a text in parts: literal ones, and those that are filled in.
type template []part

type part struct {
	literal string
	letter  byte // s u d S U D or a digit; 0: literal
}

// Query reads a template that is filled in with a key.
func (s *Set) Query(text string) (Query, error) {
	t, err := parse(text)
	for _, p := range t {
		switch p.letter {
		case 'u', 'U':
			s.keyUser = true
		case 'd', 'D':
			s.keyDomain = true
		default:
			s.needs(p.letter)
		}
	}
	return Query{t, s}, err
}

// Result reads a template that is filled in with a value; its capital letters and digits stand for
// the key.
func (s *Set) Result(text string) (Result, error) {
	t, err := parse(text)
	for _, p := range t {
		switch p.letter {
		case 'u':
			s.valueUser = true
		case 'd':
			s.valueDomain = true
		case 'U':
			s.keyUser = true
		case 'D':
			s.keyDomain = true
		default:
			s.needs(p.letter)
		}
	}
	return Result{t, s}, err
}

// needs notes a digit.
func (s *Set) needs(letter byte) {
	if '1' <= letter && letter <= '9' {
		s.keyDomain = true
		s.labels = max(s.labels, int(letter-'0'))
	}
}

func parse(text string) (template, error) {
	var t template
	for text != "" {
		literal, rest, found := strings.Cut(text, "%")
		if literal != "" {
			t = append(t, part{literal: literal})
		}
		switch {
		case !found:
			return t, nil
		case rest == "":
			return t, errors.New(`"%" at the end; want %%, %s, %u, %d, %S, %U, %D or %1 to %9`)
		case rest[0] == '%':
			t = append(t, part{literal: "%"})
		case strings.IndexByte("sudSUD123456789", rest[0]) >= 0:
			t = append(t, part{letter: rest[0]})
		default:
			return t, fmt.Errorf("unknown %q; want %%%%, %%s, %%u, %%d, %%S, %%U, %%D or %%1 to %%9", "%"+rest[:1])
		}
		text = rest[1:]
	}
	return t, nil
}

// Fixed reports whether nothing of the key is filled in.
func (q Query) Fixed() bool {
	for _, p := range q.template {
		if p.letter != 0 {
			return false
		}
	}
	return true
}

// Expand fills in a key, each part of it quoted. The result is false if the key lacks what some
// template of the set needs: the table has no entry for it, and is not to be asked.
func (q Query) Expand(key string, quote func(string) string) (string, bool) {
	k, ok := q.set.split(key)
	if !ok {
		return "", false
	}
	var b strings.Builder
	for _, p := range q.template {
		if p.letter == 0 {
			b.WriteString(p.literal)
		} else {
			b.WriteString(quote(k.part(p.letter | 0x20)))
		}
	}
	return b.String(), true
}

// Append fills in a value and the key that it was found for, behind what the table has answered so
// far, with a comma between. It is false, and nothing is appended, if the value is empty or lacks
// what the template needs.
func (r Result) Append(answer []byte, value, key string) ([]byte, bool) {
	k, ok := r.set.split(key)
	if value == "" || !ok {
		return answer, false
	}
	v := parts{whole: value, user: value}
	if at := strings.LastIndexByte(value, '@'); at >= 0 && (r.set.valueUser || r.set.valueDomain) {
		v.user, v.domain = value[:at], value[at+1:]
	}
	if r.set.valueDomain && v.domain == "" || r.set.valueUser && v.user == "" {
		return answer, false
	}
	if len(answer) > 0 {
		answer = append(answer, ',')
	}
	for _, p := range r.template {
		switch {
		case p.letter == 0:
			answer = append(answer, p.literal...)
		case p.letter >= 'a':
			answer = append(answer, v.part(p.letter)...)
		default:
			answer = append(answer, k.part(p.letter|0x20)...)
		}
	}
	return answer, true
}

// parts are what an address consists of.
type parts struct {
	whole, user, domain string
	labels              []string
}

// split takes a key apart as far as the templates need it; false if they need more than it has.
func (s *Set) split(key string) (parts, bool) {
	k := parts{whole: key, user: key}
	if key == "" {
		return k, false
	}
	if !s.keyUser && !s.keyDomain {
		return k, true
	}
	if at := strings.LastIndexByte(key, '@'); at >= 0 {
		k.user, k.domain = key[:at], key[at+1:]
	}
	if s.keyDomain && k.domain == "" || s.keyUser && k.user == "" {
		return k, false
	}
	if s.labels > 0 {
		k.labels = strings.FieldsFunc(k.domain, func(r rune) bool { return r == '.' })
	}
	return k, len(k.labels) >= s.labels
}

// part returns what a small letter or a digit stands for: %1 is the last label.
func (p parts) part(letter byte) string {
	switch letter {
	case 's':
		return p.whole
	case 'u':
		return p.user
	case 'd':
		return p.domain
	}
	return p.labels[len(p.labels)-int(letter-'0')]
}
