package table

import (
	"errors"
	"fmt"
	"slices"
)

// mostErrors is how many errors of one table are told.
const mostErrors = 20

// Error is an error in a table, with the place of it.
type Error struct {
	Place string // file, or TYPE:SOURCE of a table that has none
	Line  int    // 0 where there are no lines
	Err   error
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Place + ": " + e.Err.Error()
	}
	return fmt.Sprintf("%s:%d: %s", e.Place, e.Line, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Errors are those of one table, in the order of its lines: the first twenty, and how many more
// there are.
type Errors struct {
	List []*Error
	More int
}

func (e *Errors) Error() string {
	return errors.Join(e.Unwrap()...).Error()
}

// Unwrap returns the errors one by one, and then how many more there are.
func (e *Errors) Unwrap() []error {
	list := make([]error, 0, len(e.List)+1)
	for _, one := range e.List {
		list = append(list, one)
	}
	if e.More > 0 {
		list = append(list, &Error{Place: e.List[0].Place, Err: fmt.Errorf("and %d more errors", e.More)})
	}
	return list
}

// add notes what is wrong with an entry.
func (e *Errors) add(one *Error) {
	if len(e.List) == mostErrors {
		e.More++
		return
	}
	e.List = append(e.List, one)
}

// join adds those of others, which are of the same table.
func (e *Errors) join(others *Errors) {
	list := append(e.List, others.List...)
	slices.SortStableFunc(list, func(a, b *Error) int { return a.Line - b.Line })
	more := max(0, len(list)-mostErrors)
	e.List, e.More = list[:len(list)-more], e.More+others.More+more
}

// orNil is the errors as an error, nil where there are none.
func (e *Errors) orNil() error {
	if len(e.List) == 0 {
		return nil
	}
	return e
}

// Of returns err, which may be an [Error], [Errors] or several joined, with the flag that it is
// about. A place stays in front, so that the whole still reads FILE:LINE: message.
func Of(flag string, err error) error {
	switch err := err.(type) {
	case *Error:
		return of(flag, err)
	case *Errors:
		named := &Errors{More: err.More}
		for _, one := range err.List {
			named.List = append(named.List, of(flag, one))
		}
		return named
	case interface{ Unwrap() []error }:
		var joined []error
		for _, one := range err.Unwrap() {
			joined = append(joined, Of(flag, one))
		}
		return errors.Join(joined...)
	}
	var place *Error
	if errors.As(err, &place) {
		return of(flag, place)
	}
	return fmt.Errorf("--%s: %w", flag, err)
}

func of(flag string, e *Error) *Error {
	return &Error{Place: e.Place, Line: e.Line, Err: fmt.Errorf("--%s: %w", flag, e.Err)}
}
