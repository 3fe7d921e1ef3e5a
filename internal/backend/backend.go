package backend

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

var (
	// ErrUnavailable is the error of a backend that is lost: nothing is known, and whether anything
	// was done neither.
	ErrUnavailable = errors.New("unavailable")
	// ErrBusy is the error of a call for which there was no room within its deadline. The backend
	// is not lost.
	ErrBusy = errors.New("too many calls are under way")
)

// Options say how a backend is used. Name, Deadline and Probe are needed.
type Options struct {
	// Name is what errors, log and metrics call it, such as ldap://127.0.0.1. It has no secret.
	Name string
	// Deadline is how long one call may take. It should be much shorter than what the caller of a
	// call has.
	Deadline time.Duration
	// InFlight bounds the calls that are under way at once; others wait for room within Deadline. 0
	// is no bound.
	InFlight int
	// Probe asks a part that is lost whether it is back, within Deadline. Parts are what can be
	// lost one without the other, such as the nodes of a cluster, and have numbers; what has no
	// parts is part 0.
	Probe func(ctx context.Context, part int) error
	// Answered reports errors by which the backend has answered, so that it is not lost, such as
	// "no such object". nil: there are none.
	Answered func(error) bool
	// Unavailable is what errors of a lost backend are; nil is [ErrUnavailable].
	Unavailable error
	// OnDown is called when the first part is lost, with the error that callers get, and OnUp when
	// none is lost any more. OnCall is called after each call with how long it took and its error,
	// for metrics. None may wait, or use the backend.
	OnDown func(error)
	OnUp   func()
	OnCall func(took time.Duration, err error)
	// OnClose is called by Close, when nothing else will be.
	OnClose func()
	// FirstProbe and LastProbe are the pace of the prober: quick after a hiccup, and with twice the
	// pause each time, patient with what is gone. 0 is 100 ms and 1 s.
	FirstProbe, LastProbe time.Duration
}

// Backend watches over the calls to something that may fail. Its methods may be called from any
// goroutine.
type Backend struct {
	options Options
	room    chan struct{} // nil: no bound

	mu      sync.Mutex
	causes  map[int]error // of the parts that are lost
	probing bool

	ctx  context.Context // ends with Close
	stop context.CancelFunc
	work sync.WaitGroup
}

// New returns a backend of which nothing is lost.
func New(options Options) *Backend {
	b := &Backend{options: options.withDefaults(), causes: map[int]error{}}
	if options.InFlight > 0 {
		b.room = make(chan struct{}, options.InFlight)
	}
	b.ctx, b.stop = context.WithCancel(context.Background())
	return b
}

func (o Options) withDefaults() Options {
	if o.Unavailable == nil {
		o.Unavailable = ErrUnavailable
	}
	if o.Answered == nil {
		o.Answered = func(error) bool { return false }
	}
	if o.OnDown == nil {
		o.OnDown = func(error) {}
	}
	if o.OnUp == nil {
		o.OnUp = func() {}
	}
	if o.FirstProbe <= 0 {
		o.FirstProbe = 100 * time.Millisecond
	}
	if o.LastProbe <= 0 {
		o.LastProbe = time.Second
	}
	return o
}

// Call asks a part. While it is known to be lost, the error is [ErrUnavailable] at once; else ask
// is called with a context that ends at the deadline, and what it returns decides: an error that is
// no answer loses the part. The caller's own leaving is the error of ctx, and loses nothing.
func (b *Backend) Call(ctx context.Context, part int, ask func(context.Context) error) error {
	if err := b.Lost(part); err != nil {
		return err
	}
	var failure error
	if err := b.Bounded(ctx, func(ctx context.Context) error {
		failure = ask(ctx)
		return failure
	}); err != nil {
		return err
	}
	if failure == nil || b.options.Answered(failure) {
		return failure
	}
	return b.Lose(failure, part)
}

// Bounded calls ask within the deadline, when there is room. Its error is that of a caller who has
// left, or [ErrBusy]. What ask returns is only told to OnCall: what it means for which part is for
// the caller to say, with [Backend.Lose].
func (b *Backend) Bounded(ctx context.Context, ask func(context.Context) error) error {
	begun := time.Now()
	if err := b.enter(ctx); err != nil {
		return err
	}
	err := b.within(ctx, ask)
	if b.options.OnCall != nil {
		b.options.OnCall(time.Since(begun), err)
	}
	if b.left(ctx, begun) {
		return ctx.Err()
	}
	return nil
}

// within calls ask within the deadline, and leaves the room afterwards, also by a panic.
func (b *Backend) within(ctx context.Context, ask func(context.Context) error) error {
	defer b.leave()
	call, cancel := context.WithTimeout(ctx, b.options.Deadline)
	defer cancel()
	return ask(call)
}

// left says that the caller's leaving, and not the backend, ended a call. A caller who has waited
// long has been kept waiting.
func (b *Backend) left(ctx context.Context, begun time.Time) bool {
	err := ctx.Err()
	return err != nil && (errors.Is(err, context.Canceled) || time.Since(begun) < b.options.Deadline/4)
}

// enter waits for room. With an error there is nothing to leave.
func (b *Backend) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil || b.room == nil {
		return err
	}
	select {
	case b.room <- struct{}{}:
		return nil
	default:
	}
	late := time.NewTimer(b.options.Deadline)
	defer late.Stop()
	select {
	case b.room <- struct{}{}:
		return nil
	case <-late.C:
		return fmt.Errorf("%s: %w", b.options.Name, ErrBusy)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *Backend) leave() {
	if b.room != nil {
		<-b.room
	}
}

// Close ends the prober and waits for it.
func (b *Backend) Close() {
	b.mu.Lock()
	b.stop()
	b.mu.Unlock()
	b.work.Wait()
	if b.options.OnClose != nil {
		b.options.OnClose()
	}
}
