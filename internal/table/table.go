// Package table reads Postfix lookup tables and answers from them as Postfix does: for one key the
// answer is that of "postmap -q KEY TYPE:SOURCE". On top of tables a [List] is what one flag of a
// check holds: several tables, asked with the keys of an address, a domain or a client.
//
// Tables are in memory, or they are asked over a connection and may wait and fail ([Waiting]).
//
// A [Loader] opens tables. What Postfix only warns about (a line that it then ignores) is an error
// here: a block list with a hole in it must not go unnoticed. Every error names its file and line.
//
// The sources of the rules are postmap(1), access(5), cidr_table(5), regexp_table(5), pcre_table(5)
// of Postfix 3.7 and the answers of its postmap, which the tests ask.
package table

import (
	"context"

	"mailweir/internal/address"
)

// Match is an entry that answered.
type Match struct {
	// Value is the right-hand side, with $1 and so on filled in: those parts may be remote data.
	Value string

	// Action is Value read, in a list of [Actions] or [Permits]; else zero.
	Action Action

	// Key is the key that matched: of a texthash the entry's own, of a pattern or network the whole
	// key asked for.
	Key string

	// Table is the table as configured, "cidr:/etc/mailweir/clients".
	Table string

	// File and Line name the entry; File is empty and Line 0 for inline: and static:.
	File string
	Line int

	fixed   int  // the first octets of Value that stand so in the source
	filled  bool // Value has parts that do not: what looks like a comment in them is none
	comment int  // the last octets of such a Value that are a comment
}

// Found reports whether an entry answered: the zero Match is that of none.
func (m Match) Found() bool { return m.Table != "" }

// Member reports whether the match makes its subject a member of the list. In lists where only the
// key counts any right-hand side does, except those that say no: DUNNO, REJECT, DEFER and numeric
// replies take a subject out of a wider entry.
func (m Match) Member() bool {
	if !m.Found() {
		return false
	}
	a, err := parseAction(m.Value, len(m.Value))
	return err != nil || a.Verb == OK
}

// Table is one table, immutable and safe for use by many at once. It is in memory, or it is a
// [Waiting] one.
type Table struct {
	spec, file string
	waiting    Waiting
	wholes     bool // waiting, and asked for whole keys only
	bare       bool // of keys alone: what they mean is what the list is for

	// source answers whole keys. hash is the same thing again where keys are strings of their own
	// and not patterns: only such tables are asked for parts of an address or a client.
	source source
	hash   *hashed

	checked checked
}

// source is what a type of table is: it answers a key, and shows its right-hand sides.
type source interface {
	// find answers a key as postmap -q does, whatever its case.
	find(key string) (Match, bool)

	// each calls f for each right-hand side; fixed is as in Match.
	each(f func(line int, value string, fixed int) error) error
}

// Lookup answers one key exactly as "postmap -q" does, and from a table of keys alone with the key.
// Only a table that waits can fail. Postfix finds nothing for a key that is not UTF-8.
func (t *Table) Lookup(ctx context.Context, key string) (Match, error) {
	if t.waiting != nil {
		return t.ask(ctx, fold(key))
	}
	m, ok := t.source.find(key)
	if !ok {
		return Match{}, nil
	}
	if t.bare {
		m.Value = m.Key
	}
	return t.named(m), nil
}

// String is the table as configured: TYPE:SOURCE.
func (t *Table) String() string { return t.spec }

func (t *Table) named(m Match) Match {
	m.Table, m.File = t.spec, t.file
	return m
}

// constant is static:VALUE, which has VALUE for every key; "" for a key alone.
type constant string

func (c constant) find(key string) (Match, bool) {
	return Match{Value: string(c), Key: key, fixed: len(c)}, validKey(key)
}

func (c constant) each(f func(int, string, int) error) error { return f(0, string(c), len(c)) }

// fold is how keys are folded, on load and when asked.
func fold(key string) string { return address.Fold(key) }
