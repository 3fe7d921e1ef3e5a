package policy

import (
	"context"
	"fmt"
	"sync"

	"mailweir/internal/trace"
)

// future is a fact that is found out at most once, for everyone who asks. The work belongs to the runner and not to
// the first one who asked: whoever stops waiting leaves the answer to the others, and nobody waits longer than he may.
type future[T any] struct {
	once  sync.Once
	done  chan struct{}
	value T
	err   error
	trace trace.Trace
}

// get returns the fact, or an error when it could not be found out in the time that ctx leaves.
func (f *future[T]) get(ctx context.Context, rn *Runner, find func(context.Context) (T, error)) (T, error) {
	f.once.Do(func() {
		f.done = make(chan struct{})
		if !rn.launch(func() { f.find(rn, find) }) {
			f.err = errBusy
			close(f.done)
		}
	})
	if !isDone(f.done) {
		select {
		case <-f.done:
		case <-ctx.Done():
			var none T
			return none, errDeadline
		}
	}
	for _, q := range f.trace.Queries() {
		trace.Add(ctx, q.Question, q.Answer)
	}
	return f.value, f.err
}

func (f *future[T]) find(rn *Runner, find func(context.Context) (T, error)) {
	defer close(f.done)
	defer func() {
		if r := recover(); r != nil {
			f.err = fmt.Errorf("panic: %v", r)
		}
	}()
	ctx, cancel := context.WithTimeout(trace.With(rn.ctx, &f.trace), rn.limits.Stage)
	defer cancel()
	f.value, f.err = find(ctx)
}

func isDone(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}
