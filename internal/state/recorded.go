package state

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/trace"
)

// Recorded is a store of what [Traced] has kept of one decision, for the same to be made again.
// What nobody asked then is [trace.ErrNotRecorded]; what is written goes nowhere but to the same
// decision.
type Recorded struct {
	*Copy
	answers map[string]string
}

// NewRecorded returns the store of these answers.
func NewRecorded(answers []string, clock func() time.Time) *Recorded {
	known := make(map[string]string, len(answers))
	for _, one := range answers {
		name, answer, _ := strings.Cut(one, " ")
		known[name] = answer
	}
	r := &Recorded{answers: known}
	r.Copy = NewCopy(recording{NewMemory(clock, 1), known}, clock)
	return r
}

// Do does the steps. What a check takes off a count, it has counted for another decision: that is
// in the record already.
func (r *Recorded) Do(ctx context.Context, steps ...Step) ([]Result, error) {
	results := make([]Result, len(steps))
	var err error
	for i, s := range steps {
		if s.op == opTally && s.n < 0 {
			results[i].Done = true
			continue
		}
		results[i], _ = r.Copy.single.do(ctx, s)
		if err == nil {
			err = results[i].Err
		}
	}
	return results, err
}

// Get reads.
func (r *Recorded) Get(ctx context.Context, key string) ([]byte, bool, error) {
	return single{r}.Get(ctx, key)
}

// Acquire finds a place if that is sure: what was free of fewer places, or taken of more.
func (r *Recorded) Acquire(ctx context.Context, key string, limit int) (Lease, bool, error) {
	answer := r.answers[nameOf(key)]
	if answer == "" {
		return nil, false, unasked(key)
	}
	then, err := strconv.Atoi(answer[1:])
	switch {
	case err != nil:
		return nil, false, fmt.Errorf("state: %q is no recorded answer", answer)
	case answer[0] == '<' && limit >= then:
		return r.Copy.Acquire(ctx, key, limit)
	case answer[0] == '>' && limit <= then:
		return nil, false, nil
	}
	return nil, false, unasked(key)
}

// recording is the base of the copy.
type recording struct {
	*Memory
	answers map[string]string
}

// Do answers reads.
func (b recording) Do(_ context.Context, steps ...Step) ([]Result, error) {
	results := make([]Result, len(steps))
	for i, s := range steps {
		if answer, ok := b.answers[nameOf(s.key)]; ok {
			r, err := read(answer)
			r.Done, r.Err = r.Found, err
			results[i] = r
		} else {
			results[i].Err = unasked(s.key)
		}
	}
	return results, firstError(results)
}

// List knows nothing.
func (b recording) List(context.Context, string, string, int) ([]Entry, error) {
	return nil, trace.ErrNotRecorded
}

func unasked(key string) error {
	space, _ := Parts(key)
	return fmt.Errorf("%s: %w", space, trace.ErrNotRecorded)
}
