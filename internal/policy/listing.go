package policy

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"

	"mailweir/internal/terminal"
)

// Listing is an answer as people read it: rows under titles, then lines about the whole. The
// command prints it, and the console makes a page of it.
type Listing struct {
	Titles []string
	Rows   []ListRow
	Notes  []string
	// Next is where the next page begins, see [Paged]; "" after the last.
	Next string
}

// ListRow is one row: a cell a title, and what a person can do with what it shows.
type ListRow struct {
	Cells []string
	Uses  []Use
}

// Use is a run-time operation as the words of its command: of [tempblock rm 192.0.2.1] the title
// says "Take it off". A word may stand for a flag.
type Use struct {
	Title string
	// Group and Verb name the operation.
	Group, Verb string
	// Words are its arguments and flags.
	Words []string
}

// Row adds a row. A cell is written as fmt.Sprint does.
func (l *Listing) Row(cells ...any) *ListRow {
	texts := make([]string, len(cells))
	for i, cell := range cells {
		texts[i] = fmt.Sprint(cell)
	}
	l.Rows = append(l.Rows, ListRow{Cells: texts})
	return &l.Rows[len(l.Rows)-1]
}

// Use adds what a person can do with what the row shows.
func (r *ListRow) Use(title, group, verb string, words ...string) *ListRow {
	r.Uses = append(r.Uses, Use{title, group, verb, words})
	return r
}

// Note adds a line about the whole.
func (l *Listing) Note(format string, args ...any) {
	l.Notes = append(l.Notes, fmt.Sprintf(format, args...))
}

// Write prints the listing.
func (l Listing) Write(out io.Writer) error {
	table := terminal.NewTable(out, l.Titles...)
	for _, row := range l.Rows {
		cells := make([]any, len(row.Cells))
		for i, cell := range row.Cells {
			cells[i] = cell
		}
		table.Row(cells...)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, note := range l.Notes {
		if _, err := fmt.Fprintln(out, note); err != nil {
			return err
		}
	}
	return nil
}

// Paged is a request for a list that may be too long to be read at once.
type Paged interface {
	// Page is the same request for at most so many rows after a row: that of [Listing.Next], or ""
	// to begin. It looks at a bounded number of entries, so a page may be short, even empty, and
	// have a next one.
	Page(after string, rows int) any
}

// Span is the part of a long list that a request is about. A request that has one is [Paged].
type Span struct {
	// After is the row after which it begins, as [Listing.Next] names it; "" at the beginning.
	After string `json:"after,omitempty"`
	// Limit is how many rows there are at most, Look how many entries are looked at for them; 0 is
	// no bound.
	Limit int `json:"limit,omitempty"`
	Look  int `json:"look,omitempty"`
}

// After names a row by its key, so that a list can begin after it.
func After(key string) string { return base64.RawURLEncoding.EncodeToString([]byte(key)) }

// Begin is the key after which the span begins. What is no name of a row is the beginning.
func (s Span) Begin() string {
	key, _ := base64.RawURLEncoding.DecodeString(s.After)
	return string(key)
}

// looked is how many entries are looked at for one row of a page.
const looked = 1000

// PageOf is the span of one page.
func PageOf(after string, rows int) Span { return Span{after, rows, rows * looked} }

// Part is a part of a list, as the answer of an operation.
type Part[T any] struct {
	Rows []T `json:"rows"`
	// Next is where the next part begins, "" after the last.
	Next string `json:"next,omitempty"`
}

// NewList declares an operation whose answer is a list, as [NewOperation] does. list makes rows of
// the answer.
func NewList[In, Out any](about About, request func(*Flags) func(args []string) (In, error),
	run func(context.Context, *Call, In) (Out, error), list func(Out) Listing,
) Operation {
	o := NewOperation(about, request, run, func(out io.Writer, answer Out) error { return list(answer).Write(out) })
	o.list = func(data []byte) (Listing, error) {
		var answer Out
		if err := json.Unmarshal(data, &answer); err != nil {
			return Listing{}, fmt.Errorf("malformed answer: %w", err)
		}
		return list(answer), nil
	}
	return o
}

// Lists reports whether the operation's answer is a list.
func (o Operation) Lists() bool { return o.list != nil }

// Listing is an answer in JSON as a list. Only an operation that [Operation.Lists] has one.
func (o Operation) Listing(answer []byte) (Listing, error) { return o.list(answer) }
