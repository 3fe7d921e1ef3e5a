// Package fact holds values that are found out at most once, for everyone who asks.
package fact

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"mailweir/internal/trace"
)

var (
	// ErrBusy says that there was no room to look for the value.
	ErrBusy = errors.New("too many questions under way")
	// ErrDeadline says that the value was not found in the time there was.
	ErrDeadline = errors.New("no answer within the deadline")
)

// Fact is a value that is found out when it is first asked for. The work belongs to nobody who
// asks: whoever stops waiting leaves the answer to the others, and nobody waits longer than he may.
// The zero Fact is ready; it must not be copied.
type Fact[T any] struct {
	once  sync.Once
	done  chan struct{}
	value T
	err   error
	trace trace.Trace
	known atomic.Pointer[T]
}

// Launcher has work done beside whoever asks, with a context that ends when the daemon does. It
// reports false when there is no room for it.
type Launcher func(work func(context.Context)) bool

// Get returns the value, or why it could not be found in the time that ctx leaves. The first one to
// ask has find launched, which may take up to limit. What find asks of the world outside is added
// to the query trace of everyone who asks.
func (f *Fact[T]) Get(
	ctx context.Context, launch Launcher, limit time.Duration, find func(context.Context) (T, error),
) (T, error) {
	f.once.Do(func() {
		f.done = make(chan struct{})
		if !launch(func(ctx context.Context) { f.find(ctx, limit, find) }) {
			f.err = ErrBusy
			close(f.done)
		}
	})
	select {
	case <-f.done: // also when ctx has ended meanwhile: what is known is told
	default:
		select {
		case <-f.done:
		case <-ctx.Done():
			var none T
			return none, ErrDeadline
		}
	}
	f.trace.Tell(ctx)
	return f.value, f.err
}

// Set tells the value, or the error, of a fact that nobody has asked for yet; it is not looked for
// then. Otherwise it changes nothing.
func (f *Fact[T]) Set(value T, err error) {
	f.once.Do(func() {
		f.done = make(chan struct{})
		f.value, f.err = value, err
		if err == nil {
			f.known.Store(&value)
		}
		close(f.done)
	})
}

// Known returns the value if it has been found out by now. It asks nobody.
func (f *Fact[T]) Known() (value T, ok bool) {
	if known := f.known.Load(); known != nil {
		return *known, true
	}
	return value, false
}

func (f *Fact[T]) find(ctx context.Context, limit time.Duration, find func(context.Context) (T, error)) {
	defer close(f.done)
	defer func() {
		if r := recover(); r != nil {
			f.err = fmt.Errorf("panic: %v", r)
		}
	}()
	ctx, cancel := context.WithTimeout(trace.With(ctx, &f.trace), limit)
	defer cancel()
	if f.value, f.err = find(ctx); f.err == nil {
		f.known.Store(&f.value)
	}
}
