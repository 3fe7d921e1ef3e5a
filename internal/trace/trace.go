// Package trace keeps what one piece of work asks of the world outside, with the answers: the query
// trace that an event shows. It travels in the context, so that whoever asks needs to know nothing
// of events. A [Log] has what many pieces of work have asked, for the record.
package trace

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"sync"
)

// Query is one question to the world outside, with its answer.
type Query struct {
	Question string `json:"question"`
	Answer   string `json:"answer"`
}

// maxQueries bounds what one trace keeps, maxOctets each question and answer: senders choose the
// addresses that are asked for.
const (
	maxQueries = 64
	maxOctets  = 1024
)

// Trace collects queries, the first 64 of them; details make room for what sums them up. The zero
// Trace is empty and ready; a nil one is empty. It may be used from several goroutines.
type Trace struct {
	mu      sync.Mutex
	queries []Query
	details uint64 // which of them are, by their number
	state   answers
	leftOut int // of the queries, without details
	lost    int // what other traces could not pass on, at least
	log     *Log
	alone   bool // nobody is told of what it has, neither a log nor another trace
}

// ErrNotRecorded is the error of a question that is put to a record, and that nobody put then.
// ErrLeftOut is one of them: bounds have left a part of the record out, so it may have been put.
var (
	ErrNotRecorded = errors.New("not asked then")
	ErrLeftOut     = fmt.Errorf("left out of the record, or %w", ErrNotRecorded)
)

type key struct{}

// With returns a context under which [Add] writes to t.
func With(ctx context.Context, t *Trace) context.Context {
	return context.WithValue(ctx, key{}, t)
}

// Carrier is a context with a trace of its own, for one piece of work after the other: it can be
// used again. It must not be used by two of them at once.
type Carrier struct {
	context.Context
	trace Trace
}

// Value returns the trace, and what else the context has.
func (c *Carrier) Value(k any) any {
	if k == (key{}) {
		return &c.trace
	}
	return c.Context.Value(k)
}

// To is [Trace.To].
func (c *Carrier) To(log *Log) { c.trace.To(log) }

// Take returns what has been asked since it was called last.
func (c *Carrier) Take() []Query {
	c.trace.mu.Lock()
	defer c.trace.mu.Unlock()
	queries := c.trace.queries
	c.trace.queries, c.trace.details, c.trace.leftOut, c.trace.lost = nil, 0, 0, 0
	c.trace.state.reset()
	return queries
}

// Start has the trace begin with these, which are its own from then on and in its log already.
func (t *Trace) Start(queries []Query) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queries = queries
}

// To has what is asked from now on kept in a log as well. Without a log, nil, nobody asks for what
// [State] tells.
func (t *Trace) To(log *Log) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.log, t.alone = log, log == nil
}

// Add keeps a question and its answer in the trace of the context, if there is one. Both must be
// fit for a log: no secrets.
func Add(ctx context.Context, question, answer string) {
	if t := of(ctx); t != nil {
		t.add(Query{cut(question), cut(answer)}, false)
	}
}

// Detail is Add for what another query sums up, such as the questions of SPF: an event shows it, a
// log leaves it out.
func Detail(ctx context.Context, question, answer string) {
	if t := of(ctx); t != nil {
		t.add(Query{cut(question), cut(answer)}, true)
	}
}

// State keeps what stood under a name in what is remembered, in words that are not for people: the
// log alone has them, and asks for them when it is summed up. They must be the same then, and no
// longer than octets.
func State(ctx context.Context, name string, octets int, words func() string) {
	if t := of(ctx); t != nil {
		t.addState(remembered{name, octets, words})
	}
}

// HeedsState reports whether anybody is told of what [State] tells.
func HeedsState(ctx context.Context) bool {
	t := of(ctx)
	if t == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.alone
}

func of(ctx context.Context) *Trace {
	t, _ := ctx.Value(key{}).(*Trace)
	return t
}

func (t *Trace) add(q Query, detail bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch n := len(t.queries); {
	case n < maxQueries:
		t.queries = append(t.queries, q)
		if detail {
			t.details |= 1 << n
		}
	case detail || slices.Contains(t.queries, q):
	case t.details != 0:
		last := bits.Len64(t.details) - 1
		t.queries = append(slices.Delete(t.queries, last, last+1), q)
		t.details &^= 1 << last
	default:
		t.leftOut++
	}
	if !detail {
		t.log.add(q)
	}
}

func (t *Trace) addState(one remembered) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state.add(one)
	t.log.addState(one)
}

// lose notes how much another trace could not pass on. It may do so to each of many who ask for one
// fact, so the most is kept, and not the sum.
func (t *Trace) lose(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lost = max(t.lost, n)
	t.log.lose(n)
}

// Tell adds what this trace has to that of the context, if there is one, and how much its bounds
// have left out.
func (t *Trace) Tell(ctx context.Context) {
	other := of(ctx)
	if other == nil {
		return
	}
	t.mu.Lock()
	queries, details, state := slices.Clone(t.queries), t.details, slices.Clone(t.state.list)
	leftOut := t.leftOut + t.state.leftOut + t.lost
	t.mu.Unlock()
	for i, q := range queries {
		other.add(q, details&(1<<i) != 0)
	}
	for _, one := range state {
		other.addState(one)
	}
	if leftOut > 0 {
		other.lose(leftOut)
	}
}

func cut(s string) string {
	if len(s) > maxOctets {
		return strings.ToValidUTF8(s[:maxOctets], "") + "…"
	}
	return s
}

// Queries returns what has been asked so far.
func (t *Trace) Queries() []Query {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.queries)
}
