package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Remote is the store of another process of this host, which a [Served] there shows: that of the
// predecessor or the successor while a service is upgraded. What waits for it waits for
// microseconds.
type Remote struct {
	single
	view     *View
	call     Caller
	watchers watchers

	mu        sync.Mutex
	releasing int           // places that are on their way back
	released  chan struct{} // closed when releasing comes to 0
}

// Caller asks the other process under a method; in and out are JSON there.
type Caller func(ctx context.Context, method string, in, out any) error

// NewRemote returns the store behind a caller. What the other side asks goes to [Remote.Handle].
func NewRemote(call Caller) *Remote {
	r := &Remote{call: call}
	r.single.doer = r
	r.view = NewView(func(ctx context.Context, q Question) (a Answer, err error) {
		err = call(ctx, methodAsk, q, &a)
		return a, err
	})
	return r
}

// Handle takes what the other process tells: which entries people have changed there.
func (r *Remote) Handle(_ context.Context, method string, body []byte) (any, error) {
	var changed wireChanged
	if method != methodChanged {
		return nil, fmt.Errorf("state: nothing here answers %q", method)
	}
	if err := json.Unmarshal(body, &changed); err != nil {
		return nil, err
	}
	for _, key := range changed.Keys {
		r.watchers.tell(string(key))
	}
	return struct{}{}, nil
}

// RemoteMethods are those that [Remote.Handle] knows, ServedMethods those of [Served.Handle].
func RemoteMethods() []string { return []string{methodChanged} }

// ServedMethods are those that [Served.Handle] knows.
func ServedMethods() []string {
	return []string{methodDo, methodAsk, methodAcquire, methodRelease, methodStats}
}

// ask asks, and says of what keeps the other process from answering that the state is unavailable.
func (r *Remote) ask(ctx context.Context, method string, in, out any) error {
	err := r.call(ctx, method, in, out)
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDown, err)
}

// Do sends the steps; those that update until nobody comes between.
func (r *Remote) Do(ctx context.Context, steps ...Step) ([]Result, error) {
	if err := ctx.Err(); err != nil {
		return Failed(steps, err)
	}
	p := &proposals{steps, make([]Result, len(steps))}
	var todo []int
	for i, s := range steps {
		if err := s.check(); err != nil {
			p.results[i].Err = err
			continue
		}
		todo = append(todo, i)
	}
	sent, todo := p.begin(todo)
	for len(todo) > 0 {
		r.round(ctx, sent, todo, p.results)
		todo = p.again(sent, todo)
	}
	// The other process tells of what it changes, too, but perhaps later than this returns.
	r.watchers.tell(enteredKeys(steps, p.results)...)
	return p.results, firstError(p.results)
}

// round sends the steps of these numbers.
func (r *Remote) round(ctx context.Context, sent []Step, todo []int, results []Result) {
	asked := make([]wireStep, len(todo))
	for n, i := range todo {
		asked[n] = wireOf(sent[i])
	}
	var answers []wireResult
	err := r.ask(ctx, methodDo, asked, &answers)
	if err == nil && len(answers) != len(asked) {
		err = fmt.Errorf("%w: %d steps have %d answers", ErrDown, len(asked), len(answers))
	}
	for n, i := range todo {
		if err != nil {
			results[i] = Result{Err: err}
		} else {
			results[i] = answers[n].result()
		}
	}
}

// List asks for one part after the other.
func (r *Remote) List(ctx context.Context, prefix, after string, limit int) ([]Entry, error) {
	return r.view.List(ctx, prefix, after, limit)
}

// Ending asks for up to 1,000 entries.
func (r *Remote) Ending(ctx context.Context, space string, before time.Time, limit int) ([]Entry, error) {
	return r.view.Ending(ctx, space, before, limit)
}

// Acquire takes a place that the other process counts, for as long as this one lives. It finds free
// what was given back here before.
func (r *Remote) Acquire(ctx context.Context, key string, limit int) (Lease, bool, error) {
	if err := r.settle(ctx); err != nil {
		return nil, false, err
	}
	var got wireTaken
	err := r.ask(ctx, methodAcquire, wirePlace{[]byte(key), limit}, &got)
	if err != nil || !got.Taken {
		return nil, false, err
	}
	return r.adopt(key), true, nil
}

// adopt goes on with a place that the other process counts already ([Served.Adopt]).
func (r *Remote) adopt(key string) Lease { return &remoteLease{of: r, key: key} }

type remoteLease struct {
	of   *Remote
	key  string
	once sync.Once
}

// releaseWithin bounds the way of a place back. When it fails the other process has gone, or will
// see that this one has.
const releaseWithin = 10 * time.Second

// Release gives the place back, in the background.
func (l *remoteLease) Release() {
	l.once.Do(func() {
		l.of.leaves(1)
		go func() {
			defer l.of.leaves(-1)
			ctx, cancel := context.WithTimeout(context.Background(), releaseWithin)
			defer cancel()
			_ = l.of.call(ctx, methodRelease, wirePlace{Key: []byte(l.key)}, nil)
		}()
	})
}

func (r *Remote) leaves(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.releasing == 0 {
		r.released = make(chan struct{})
	}
	if r.releasing += n; r.releasing == 0 {
		close(r.released)
	}
}

// settle waits for places that are on their way back.
func (r *Remote) settle(ctx context.Context) error {
	r.mu.Lock()
	pending, released := r.releasing > 0, r.released
	r.mu.Unlock()
	if !pending {
		return nil
	}
	select {
	case <-released:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Watch calls changed with each key that an entered step changes, here or there.
func (r *Remote) Watch(prefix string, changed func(string)) (stop func()) {
	return r.watchers.add(prefix, changed)
}

// Waits is true: another process is asked.
func (r *Remote) Waits() bool { return true }

// Stats counts what the other process holds.
func (r *Remote) Stats(ctx context.Context) (s Stats, err error) {
	err = r.ask(ctx, methodStats, struct{}{}, &s)
	return s, err
}

// Close waits for places to be given back. The store is the other process's.
func (r *Remote) Close() error {
	return r.settle(context.Background()) // each has its time
}
