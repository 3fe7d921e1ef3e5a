package policytest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailweir/internal/policy"
)

// Paged reads a list of so many rows whole, row by row, and looking at one entry a time, and wants
// the same each time.
func Paged[T any](t *testing.T, rows int, read func(policy.Span) (policy.Part[T], error)) {
	t.Helper()
	whole := readAll(t, policy.Span{Limit: rows + 1}, read)
	if len(whole) != rows {
		t.Errorf("%d rows, want %d", len(whole), rows)
	}
	for _, span := range []policy.Span{{Limit: 1}, {Limit: rows, Look: 1}} {
		if diff := cmp.Diff(whole, readAll(t, span, read)); diff != "" {
			t.Errorf("by %+v:\n%s", span, diff)
		}
	}
}

func readAll[T any](t *testing.T, span policy.Span, read func(policy.Span) (policy.Part[T], error)) (all []T) {
	t.Helper()
	for range 1000 {
		part, err := read(span)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, part.Rows...)
		if span.After = part.Next; span.After == "" {
			return all
		}
	}
	t.Fatal("no end in 1000 pages")
	return nil
}
