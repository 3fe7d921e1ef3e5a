package trace_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"mailweir/internal/trace"
)

func TestAdd(t *testing.T) {
	trace.Add(t.Context(), "nobody listens", "and nothing happens")

	var outer, inner trace.Trace
	ctx := trace.With(t.Context(), &outer)
	trace.Add(ctx, "a?", "yes")
	trace.Add(trace.With(ctx, &inner), "b?", "no")

	if got, want := outer.Queries(), []trace.Query{{"a?", "yes"}}; !slices.Equal(got, want) {
		t.Errorf("outer: %v, want %v", got, want)
	}
	if got, want := inner.Queries(), []trace.Query{{"b?", "no"}}; !slices.Equal(got, want) {
		t.Errorf("inner: %v, want %v", got, want)
	}
}

// What a trace has returned is the caller's.
func TestQueriesAreACopy(t *testing.T) {
	var tr trace.Trace
	ctx := trace.With(t.Context(), &tr)
	trace.Add(ctx, "a?", "yes")
	tr.Queries()[0].Answer = "changed"
	if got := tr.Queries()[0].Answer; got != "yes" {
		t.Errorf("the trace now says %q", got)
	}
}

func TestTraceIsBounded(t *testing.T) {
	var tr trace.Trace
	ctx := trace.With(t.Context(), &tr)
	for i := range 100 {
		trace.Add(ctx, strconv.Itoa(i), "")
	}
	got := tr.Queries()
	if len(got) != 64 || got[63].Question != "63" {
		t.Errorf("%d kept, the last %v; want the first 64", len(got), got[len(got)-1])
	}
	for _, n := range []int{1023, 1024, 1025, 1 << 20} {
		var tr trace.Trace
		trace.Add(trace.With(t.Context(), &tr), strings.Repeat("q", n), strings.Repeat("a", n))
		got := tr.Queries()[0]
		if n <= 1024 && len(got.Question) != n || n > 1024 && got.Question != strings.Repeat("q", 1024)+"…" || len(got.Answer) != len(got.Question) {
			t.Errorf("of %d octets %d and %d are kept", n, len(got.Question), len(got.Answer))
		}
	}
}

func TestNilTraceIsEmpty(t *testing.T) {
	var tr *trace.Trace
	if got := tr.Queries(); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

// TestWhatABoundLeavesOut: what is known is not left out, the sum of details is not, and what many
// are told of is left out once.
func TestWhatABoundLeavesOut(t *testing.T) {
	var log trace.Log
	var found trace.Trace
	ctx := trace.With(t.Context(), &found)
	for i := range 70 {
		trace.Add(ctx, strconv.Itoa(i%60), "")
		trace.Detail(ctx, "detail "+strconv.Itoa(i), "")
	}
	trace.Add(ctx, "spf", "pass")
	tell := func() {
		var asks trace.Trace
		asks.To(&log)
		found.Tell(trace.With(t.Context(), &asks))
	}
	tell()
	queries, _, leftOut := trace.Sum(&log)
	if len(queries) != 61 || queries[60].Question != "spf" || leftOut != 0 {
		t.Errorf("%d queries, %d left out: %v", len(queries), leftOut, queries)
	}
	for i := range 10 {
		trace.Add(ctx, "more "+strconv.Itoa(i), "")
	}
	for range 20 {
		tell()
	}
	if queries, _, leftOut := trace.Sum(&log); len(queries) != 64 || leftOut != 7 {
		t.Errorf("%d queries, %d left out; want 64 and 7", len(queries), leftOut)
	}
}
