package trace_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mailweir/internal/trace"
)

// A log has what several traces were told, each once, without what another query sums up.
func TestLog(t *testing.T) {
	var log, other trace.Log
	for range 2 {
		var tr trace.Trace
		tr.To(&log)
		ctx := trace.With(t.Context(), &tr)
		trace.Detail(ctx, "txt a", "v=spf1")
		trace.Add(ctx, "spf a", "pass")
		trace.State(ctx, "k", 3, func() string { return "k 1" })
		trace.State(ctx, "k", 3, func() string { return "k 2" })
		if got := tr.Queries(); len(got) != 2 {
			t.Errorf("the trace has %v", got)
		}
	}
	var found, mine trace.Trace
	mine.To(&other)
	ctx := trace.With(t.Context(), &found)
	trace.Detail(ctx, "txt b", "v=spf1")
	trace.Add(ctx, "spf b", "fail")
	trace.State(ctx, "l", 3, func() string { return "l 3" })
	found.Tell(trace.With(t.Context(), &mine))
	if got := mine.Queries(); len(got) != 2 {
		t.Errorf("who was told has %v", got)
	}
	queries, state, leftOut := trace.Sum(&log, &other)
	if got, want := fmt.Sprint(queries, state, leftOut), "[{spf a pass} {spf b fail}] [k 1 l 3] 0"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestWhoHeedsState(t *testing.T) {
	if trace.HeedsState(t.Context()) {
		t.Error("nobody listens")
	}
	var log trace.Log
	var tr trace.Trace
	ctx := trace.With(t.Context(), &tr)
	if !trace.HeedsState(ctx) {
		t.Error("another trace may be told")
	}
	if tr.To(nil); trace.HeedsState(ctx) {
		t.Error("nobody is told")
	}
	if tr.To(&log); !trace.HeedsState(ctx) {
		t.Error("a log is told")
	}
}

func TestLogIsBounded(t *testing.T) {
	for name, size := range map[string]int{"many": 3, "long": 512} {
		t.Run(name, func(t *testing.T) {
			var log trace.Log
			answer := strings.Repeat("x", size-len("00"))
			for i := range 100 {
				var tr trace.Trace
				tr.To(&log)
				ctx := trace.With(t.Context(), &tr)
				trace.Add(ctx, fmt.Sprintf("%02d", i), answer)
				trace.State(ctx, strconv.Itoa(i), size, func() string { return "is" + answer })
			}
			queries, state, leftOut := trace.Sum(&log)
			want := min(64, (8<<10)/size)
			if len(queries) != want || len(state) != want || leftOut != 200-2*want {
				t.Errorf("%d and %d kept, %d left out; want %d of each", len(queries), len(state), leftOut, want)
			}
			if !slices.Equal(queries[:1], []trace.Query{{Question: "00", Answer: answer}}) {
				t.Errorf("the first is %v", queries[0])
			}
		})
	}
}

// TestATraceIsBounded: what one trace has been told is kept up to a bound, and who is told of it
// later, or of that in turn, learns how much there is no more.
func TestATraceIsBounded(t *testing.T) {
	for name, c := range map[string]struct{ size, kept int }{"many": {3, 64}, "large": {4 << 10, 2}} {
		t.Run(name, func(t *testing.T) {
			var found, told, last trace.Trace
			var log trace.Log
			last.To(&log)
			ctx := trace.With(t.Context(), &found)
			for range 2 { // what is known is not left out
				for i := range 100 {
					trace.State(ctx, strconv.Itoa(i), c.size, func() string { return strconv.Itoa(i) })
					trace.Add(ctx, strconv.Itoa(i), "")
				}
			}
			trace.Detail(ctx, "of it", "")
			found.Tell(trace.With(t.Context(), &told))
			told.Tell(trace.With(t.Context(), &last))
			queries, state, leftOut := trace.Sum(&log)
			if len(queries) != 64 || len(state) != c.kept || leftOut < 36+100-c.kept || leftOut > 2*(36+100-c.kept) {
				t.Errorf("%d queries and %d answers are told, %d left out; want 64, %d and the rest", len(queries), len(state), leftOut, c.kept)
			}
		})
	}
}
