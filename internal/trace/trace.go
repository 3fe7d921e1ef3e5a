// Package trace keeps what one piece of work asks of the world outside, with the answers: the query
// trace that an event shows. It travels in the context, so that whoever asks needs to know nothing
// of events.
package trace

import (
	"context"
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

// Trace collects queries, the first 64 of them. The zero Trace is empty and ready; a nil one is
// empty. It may be used from several goroutines.
type Trace struct {
	mu      sync.Mutex
	queries []Query
}

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

// Take returns what has been asked since it was called last.
func (c *Carrier) Take() []Query {
	c.trace.mu.Lock()
	defer c.trace.mu.Unlock()
	queries := c.trace.queries
	c.trace.queries = nil
	return queries
}

// Start has the trace begin with these, which are its own from then on.
func (t *Trace) Start(queries []Query) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queries = queries
}

// Add keeps a question and its answer in the trace of the context, if there is one. Both must be
// fit for a log: no secrets.
func Add(ctx context.Context, question, answer string) {
	t, _ := ctx.Value(key{}).(*Trace)
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.queries) < maxQueries {
		t.queries = append(t.queries, Query{cut(question), cut(answer)})
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
