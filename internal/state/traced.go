package state

import (
	"context"
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/trace"
)

// traced is a store that tells the trace of a context what stood in it.
type traced struct{ Store }

// Traced returns the store with whatever is asked in the course of a decision kept for the record:
// what stood under each key, in a form that [Recorded] understands.
func Traced(s Store) Store { return traced{s} }

// Do does the steps and tells what stood there before them.
func (t traced) Do(ctx context.Context, steps ...Step) ([]Result, error) {
	results, err := t.Store.Do(ctx, steps...)
	if !trace.HeedsState(ctx) {
		return results, err
	}
	for i, r := range results {
		if key := steps[i].key; r.Err == nil {
			traceAnswer(ctx, key, r)
		}
	}
	return results, err
}

// Get reads, and tells what stood there.
func (t traced) Get(ctx context.Context, key string) ([]byte, bool, error) {
	return single{t}.Get(ctx, key)
}

// Acquire takes a place, and tells whether there was one.
func (t traced) Acquire(ctx context.Context, key string, limit int) (Lease, bool, error) {
	lease, ok, err := t.Store.Acquire(ctx, key, limit)
	if err == nil && trace.HeedsState(ctx) {
		trace.State(ctx, key, wordsOctets, func() string { return nameOf(key) + " " + placed(ok, limit) })
	}
	return lease, ok, err
}

// nameOf is a short name of a key.
func nameOf(key string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(key))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// written is what stood there before a step: "-" for nothing, else "=VALUE", and "@" with its end
// in Unix milliseconds.
func written(r Result) string {
	if !r.Found {
		return "-"
	}
	text := "=" + base64.RawURLEncoding.EncodeToString(r.Value)
	if !r.Until.IsZero() {
		text += "@" + strconv.FormatInt(r.Until.UnixMilli(), 36)
	}
	return text
}

// placed says whether there was a place, and of how many.
func placed(ok bool, limit int) string {
	if ok {
		return "<" + strconv.Itoa(limit)
	}
	return ">" + strconv.Itoa(limit)
}

// read reads what written wrote.
func read(text string) (r Result, err error) {
	if text == "-" {
		return r, nil
	}
	value, until, ends := strings.Cut(strings.TrimPrefix(text, "="), "@")
	r.Found = true
	if r.Value, err = base64.RawURLEncoding.DecodeString(value); err != nil || text[0] != '=' {
		return Result{}, fmt.Errorf("state: %q is no recorded answer", text)
	}
	if ends {
		ms, err := strconv.ParseInt(until, 36, 64)
		if err != nil {
			return Result{}, fmt.Errorf("state: %q is no recorded answer", text)
		}
		r.Until = time.UnixMilli(ms)
	}
	return r, nil
}

// Tell keeps for the record that an entry was found in a copy of the state, as [Traced] does for
// what was asked of the state itself.
func Tell(ctx context.Context, e Entry) {
	traceAnswer(ctx, e.Key, Result{Found: true, Value: e.Value, Until: e.Until})
}

// wordsOctets is how many octets an answer takes at most, beside a value.
const wordsOctets = 40

func traceAnswer(ctx context.Context, key string, r Result) {
	octets := wordsOctets + base64.RawURLEncoding.EncodedLen(len(r.Value))
	trace.State(ctx, key, octets, func() string { return nameOf(key) + " " + written(r) })
}
