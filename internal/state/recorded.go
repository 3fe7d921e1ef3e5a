package state

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Recorded is a store of what [Traced] has kept of one decision, for the same to be made again.
// What nobody asked then is the error that it is made with; what is written goes nowhere but to
// the same decision.
type Recorded struct {
	*Copy
	then recording
}

// NewRecorded returns the store of these answers. missing is the error of what is not among them.
func NewRecorded(answers []string, missing error, clock func() time.Time) *Recorded {
	known := make(map[string]string, len(answers))
	for _, one := range answers {
		name, answer, _ := strings.Cut(one, " ")
		known[name] = answer
	}
	base := recording{NewMemory(clock, 1), known, missing}
	return &Recorded{NewCopy(base, clock), base}
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
	answer := r.then.answers[nameOf(key)]
	if answer == "" {
		return nil, false, r.then.unasked(key)
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
	return nil, false, r.then.unasked(key)
}

// recording is the base of the copy.
type recording struct {
	*Memory
	answers map[string]string
	missing error
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
			results[i].Err = b.unasked(s.key)
		}
	}
	return results, firstError(results)
}

// List knows nothing.
func (b recording) List(context.Context, string, string, int) ([]Entry, error) {
	return nil, b.missing
}

func (b recording) unasked(key string) error {
	space, _ := Parts(key)
	return fmt.Errorf("%s: %w", space, b.missing)
}
