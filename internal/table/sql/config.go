package sql

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"mailweir/internal/table/expand"
	"mailweir/internal/table/postfixcf"
	"mailweir/internal/table/remote"
)

// config is what the files of all types have in common.
type config struct {
	file    *postfixcf.File
	name    string // of the parameter that has the query
	text    string // of the query, as it stands in the file
	set     expand.Set
	query   expand.Query
	result  expand.Result
	domains *expand.Domains
	limit   int // expansion_limit; 0 is none
}

// maxAnswer bounds what is read of an answer: a value of a table has at most 1 MiB.
const maxAnswer = 2 << 20

// readConfig reads them. function is whether the file may have select_function.
func readConfig(f *postfixcf.File, function bool) *config {
	c := &config{file: f}
	if c.text, c.name = query(f, function); c.text == "" {
		f.Errorf("query", "is missing; it is the statement to ask, such as SELECT goto FROM alias WHERE address = '%%s'")
	}
	var err error
	if c.query, err = c.set.Query(c.text); err != nil {
		f.Errorf(c.name, "%w", err)
	}
	if c.result, err = c.set.Result(f.String("result_format", "%s")); err != nil {
		f.Errorf("result_format", "%w", err)
	}
	if c.domains, err = expand.OpenDomains(f.String("domain", "")); err != nil {
		f.Errorf("domain", "%w", err)
	}
	c.limit = f.Int("expansion_limit", 0, 0, 1<<30)
	return c
}

// query is the statement and the parameter that it stands in. Without "query" it is made of the
// parameters that Postfix had before 2.2.
func query(f *postfixcf.File, function bool) (text, name string) {
	legacy := []string{"table", "select_field", "where_field", "additional_conditions"}
	if function {
		legacy = append(legacy, "select_function")
	}
	f.Known(legacy...)
	switch {
	case f.Has("query"):
		return f.String("query", ""), "query"
	case function && f.Has("select_function"):
		return fmt.Sprintf("SELECT %s('%%s')", f.String("select_function", "")), "select_function"
	case !f.Has("table"):
		return "", "query"
	}
	for _, needed := range legacy[:3] {
		if f.String(needed, "") == "" {
			f.Errorf(needed, "is missing; better write the statement as query = SELECT … WHERE … = '%%s'")
		}
	}
	return fmt.Sprintf("SELECT %s FROM %s WHERE %s='%%s' %s",
		f.String("select_field", ""), f.String("table", ""), f.String("where_field", ""), f.String("additional_conditions", "")), "table"
}

// scan reads the query as a dialect does, notes what is wrong with it, and returns the quotes
// around its places. What follows a first statement is an error, or cut off with a remark.
func (c *config) scan(l lexis, cut bool) []byte {
	s, err := l.scan(c.text)
	switch {
	case err != nil:
		c.file.Errorf(c.name, "%w", err)
	case s.rest && cut:
		c.file.Remarkf(c.name, "what follows the first statement is not carried out, as in Postfix")
		c.text = c.text[:s.end]
		c.query, _ = c.set.Query(c.text) // a part of what was right
		return c.scan(l, cut)
	case s.rest:
		c.file.Errorf(c.name, "has more than one statement; only one is carried out")
	}
	return s.quotes
}

// statement fills in a key. escape makes it fit for a string in those quotes.
func (c *config) statement(key string, quotes []byte, escape func(key string, quote byte) string) string {
	place := 0
	text, _ := c.query.Expand(key, func(part string) string {
		place++
		return escape(part, quotes[place-1])
	})
	return text
}

// asks reports whether there may be an entry for a key, so that it must be asked for.
func (c *config) asks(ctx context.Context, key string) (bool, error) {
	if !utf8.ValidString(key) || strings.ContainsRune(key, 0) {
		return false, nil
	}
	if _, ok := c.query.Expand(key, func(s string) string { return s }); !ok {
		return false, nil
	}
	return c.domains.Match(ctx, key)
}

// answer makes the table's answer of what a query has found.
func (c *config) answer(key string, values []string) (string, bool, error) {
	var text []byte
	count := 0
	for _, value := range values {
		// A C string ends at its first NUL.
		value, _, _ = strings.Cut(value, "\x00")
		var ok bool
		if text, ok = c.result.Append(text, value, key); !ok {
			continue
		}
		if count++; c.limit > 0 && count > c.limit {
			return "", false, remote.Answered{Err: fmt.Errorf("there are more than %d values (expansion_limit)", c.limit)}
		}
	}
	return string(text), len(text) > 0, nil
}

// errLarge is the error of an answer that nobody can want.
var errLarge = remote.Answered{Err: errors.New("the answer is larger than 2 MiB")}

// values collects what a query finds, within bounds.
type values struct {
	list []string
	size int
}

func (v *values) add(value string) error {
	if v.size += len(value) + 16; v.size > maxAnswer {
		return errLarge
	}
	v.list = append(v.list, value)
	return nil
}
